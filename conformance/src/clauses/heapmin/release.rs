//! How far resident memory falls: the reason why anybody calls `_heapmin`.
//!
//! All figures are over the baseline: what was resident after the heap's
//! first use and before the workload.

use super::if_it_succeeds;
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, Verdict, must, should, stated};
use crate::clauses::pages;
use crate::clauses::workload::{MIB, count_for, mixed_size, scattered, small_size, warm_up};
use crate::figures::{amount, share};
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::wire::observation::Observation;

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.releases-memory",
        "after everything is freed, the call gives the unused memory back; memory that free gave back earlier counts",
        stated(Remarks),
        &[&SMALL, &MIXED],
        &[by(
            "at most 10 % of what the workload held still resident",
            |seen| if_it_succeeds(seen, releases_memory),
        )],
    ),
    // PAGE: _heapmin, free
    should(
        HEAPMIN,
        "heapmin.releases-partial",
        "with a scattered tenth of the blocks alive, the pages without a live block are given back",
        stated(Remarks),
        &[&SCATTERED],
        &[by(
            "at most the pages that hold a live block, and 10 % of the peak, still resident",
            |seen| if_it_succeeds(seen, releases_partial),
        )],
    ),
    // PAGE: _heapmin
    should(
        HEAPMIN,
        "heapmin.never-grows",
        "resident memory after the call is not above what it was before",
        stated(Remarks),
        &[&SMALL, &MIXED, &SCATTERED, &ALL_LIVE],
        &[by(
            "no more resident after the call than before (64 KiB allowed for its own stack and data)",
            |seen| if_it_succeeds(seen, never_grows),
        )],
    ),
    // PAGE: _heapmin
    should(
        HEAPMIN,
        "heapmin.idempotent",
        "a second call right after gives the same result and releases nothing more",
        stated(Remarks),
        &[&SMALL, &MIXED, &SCATTERED],
        &[by(
            "the same return value, and the same memory resident within 1 % of the peak",
            |seen| if_it_succeeds(seen, idempotent),
        )],
    ),
];

static SMALL: Case = Case::new(
    "release-64-byte-blocks",
    "fills 128 MiB with blocks of 64 bytes, frees them all, and calls _heapmin twice",
    release_small,
)
.measures(given_back);

static MIXED: Case = Case::new(
    "release-mixed-sizes",
    "fills 128 MiB with blocks of 16 bytes to 128 KiB, frees them all, and calls _heapmin twice",
    release_mixed,
)
.measures(given_back);

static SCATTERED: Case = Case::new(
    "release-scattered-tenth",
    "fills 128 MiB with blocks of 16 to 2048 bytes, frees all but a scattered tenth, and calls _heapmin twice",
    release_scattered,
);

static ALL_LIVE: Case = Case::new(
    "nothing-to-release",
    "fills 32 MiB with blocks and calls _heapmin a hundred times while all are alive",
    all_live,
);

const WORKLOAD: usize = 128 * MIB;
/// What a call may touch for the first time: its own stack and data.
const OWN_PAGES: u64 = 64 * 1024;

fn release_small(probe: &mut Probe) -> Result<(), Stop> {
    release(probe, WORKLOAD / 64, |_| 64, |_| true)
}

fn release_mixed(probe: &mut Probe) -> Result<(), Stop> {
    let count = count_for(WORKLOAD, mixed_size);
    release(probe, count, mixed_size, |_| true)
}

fn release_scattered(probe: &mut Probe) -> Result<(), Stop> {
    let count = count_for(WORKLOAD, small_size);
    // Not the number that the size comes from, so that all sizes survive alike.
    release(probe, count, small_size, |index| {
        scattered(index + 1_000_000_007) % 10 != 0
    })
}

fn release(
    probe: &mut Probe,
    count: usize,
    size_of: fn(usize) -> usize,
    gone: fn(usize) -> bool,
) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count)?;
    warm_up(probe)?;
    probe.moment("baseline")?;
    probe.step("allocate and fill the blocks")?;
    blocks.fill(&probe.crt, size_of)?;
    probe.moment("peak")?;
    let lost_early = blocks.lost_bytes();
    probe.step("free the blocks")?;
    blocks.free_where(&probe.crt, gone)?;
    probe.moment("freed")?;
    probe.step("_heapmin")?;
    probe.heapmin()?;
    probe.moment("minimised")?;
    probe.step("_heapmin again")?;
    probe.heapmin()?;
    probe.moment("minimised again")?;
    probe.step("check the live blocks")?;
    probe.fact(LOST_BYTES, lost_early + blocks.lost_bytes())?;
    probe.fact("live page bytes", blocks.live_page_bytes())
}

fn all_live(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count_for(32 * MIB, mixed_size))?;
    warm_up(probe)?;
    probe.moment("baseline")?;
    probe.step("allocate and fill the blocks")?;
    blocks.fill(&probe.crt, mixed_size)?;
    probe.moment("peak")?;
    probe.moment("freed")?;
    // So many that a page for each call would show.
    probe.step("_heapmin, a hundred times")?;
    for _ in 0..100 {
        probe.heapmin()?;
    }
    probe.moment("minimised")?;
    probe.fact(LOST_BYTES, blocks.lost_bytes())
}

/// What the workload held at its peak, and what is still resident at a
/// moment, both over the baseline. An error if memory was not measured, or
/// the workload never became resident, so that nothing can be said.
pub(super) fn held_and_left(
    observation: &Observation,
    moment: &str,
) -> Result<(u64, u64), Judgement> {
    let resident = |moment| observation.memory(moment).map(|memory| memory.resident);
    let (Some(baseline), Some(peak), Some(then)) =
        (resident("baseline"), resident("peak"), resident(moment))
    else {
        return Err(Verdict::Error.because("memory cannot be measured on this system"));
    };
    let held = peak.saturating_sub(baseline);
    if held < MIB as u64 {
        return Err(Verdict::Error.because(format!(
            "the workload was filled, but only {} of it were seen resident",
            amount(held)
        )));
    }
    Ok((held, then.saturating_sub(baseline)))
}

/// How much the workload of such a case held, and how much of that was given
/// back when `_heapmin` had been called, in bytes.
fn given_back(observation: &Observation) -> Option<(u64, u64)> {
    let (held, left) = held_and_left(observation, "minimised").ok()?;
    Some((held, held.saturating_sub(left)))
}

fn releases_memory(seen: &Seen) -> Judgement {
    let (held, left) = match held_and_left(seen.observation, "minimised") {
        Ok(figures) => figures,
        Err(judgement) => return judgement,
    };
    let lazy = seen
        .observation
        .memory("minimised")
        .map_or(0, |memory| memory.lazily_freed);
    let mut observed = format!(
        "{} of {} still resident ({})",
        amount(left),
        amount(held),
        share(left, held)
    );
    if lazy > OWN_PAGES {
        observed += &format!(
            "; {} of it are marked for the system to take, but not taken",
            amount(lazy)
        );
    }
    if let Some((held, left)) = inside_held_and_left(seen.observation, "minimised") {
        observed += &format!("; by its own count {} of {}", amount(left), amount(held));
    }
    Judgement::pass_if(left <= held / 10, observed)
}

/// The same figures as the process itself counts them, for the reader: they
/// are kept beside those that are judged.
fn inside_held_and_left(observation: &Observation, moment: &str) -> Option<(u64, u64)> {
    let resident = |moment| Some(observation.memory_inside(moment)?.resident);
    let baseline = resident("baseline")?;
    let held = resident("peak")?.saturating_sub(baseline);
    Some((held, resident(moment)?.saturating_sub(baseline)))
}

fn releases_partial(seen: &Seen) -> Judgement {
    let (held, left) = match held_and_left(seen.observation, "minimised") {
        Ok(figures) => figures,
        Err(judgement) => return judgement,
    };
    let live = seen.observation.fact("live page bytes").unwrap_or(0);
    let live = u64::try_from(live).unwrap_or(0);
    let observed = format!(
        "{} still resident; live blocks need {} of the {} at the peak",
        amount(left),
        amount(live),
        amount(held)
    );
    Judgement::pass_if(left <= live.saturating_add(held / 10), observed)
}

fn never_grows(seen: &Seen) -> Judgement {
    let figures = [
        held_and_left(seen.observation, "freed"),
        held_and_left(seen.observation, "minimised"),
    ];
    match figures {
        [Ok((_, before)), Ok((_, after))] => Judgement::pass_if(
            after <= before.saturating_add(OWN_PAGES),
            format!(
                "{} before the call, {} after it",
                amount(before),
                amount(after)
            ),
        ),
        [Err(judgement), _] | [_, Err(judgement)] => judgement,
    }
}

fn idempotent(seen: &Seen) -> Judgement {
    let figures = [
        held_and_left(seen.observation, "minimised"),
        held_and_left(seen.observation, "minimised again"),
    ];
    let ((held, first), (_, second)) = match figures {
        [Ok(first), Ok(second)] => (first, second),
        [Err(judgement), _] | [_, Err(judgement)] => return judgement,
    };
    let returned: Vec<_> = seen
        .observation
        .calls("_heapmin")
        .map(|call| call.returned)
        .collect();
    let observed = format!(
        "returned {returned:?}; {} resident after the first call, {} after the second",
        amount(first),
        amount(second)
    );
    let same_memory = first.abs_diff(second) <= (held / 100).max(OWN_PAGES);
    Judgement::pass_if(
        same_memory && returned.windows(2).all(|pair| pair[0] == pair[1]),
        observed,
    )
}
