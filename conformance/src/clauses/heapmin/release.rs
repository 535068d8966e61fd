//! How much resident memory `_heapmin` releases.
//!
//! All figures are over the baseline: what was resident after the heap's
//! first use and before the workload.

use super::{HEAPMIN, SOME_CALL_SUCCEEDS};
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, Verdict, limited, must, should};
use crate::clauses::workload::{
    LARGE_BLOCKS, MIB, NOT_MEASURED, count_for, is_freed_large, large_size, mixed_size, scattered,
    small_size, warm_up,
};
use crate::clauses::{limits, pages};
use crate::figures::{amount, share};
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};
use heapmin_harness::wire::observation::Observation;

pub(crate) static CLAUSES: &[Clause] = &[
    must(
        HEAPMIN,
        "heapmin.releases-memory",
        "_heapmin returns the unused memory to the system after all blocks are freed; memory that free returned before counts too",
        limited(Remarks, &limits::TENTH_OF_WORKLOAD),
        &[&SMALL, &MIXED, &LARGE],
        &[
            SOME_CALL_SUCCEEDS,
            by(
                "at most 10 % of what the workload held is still resident",
                |seen| merged(releases_memory(seen)),
            ),
        ],
    )
    .rests_on_system(),
    should(
        HEAPMIN,
        "heapmin.releases-partial",
        "_heapmin returns the pages without a live block to the system while a scattered tenth of the blocks is live",
        limited(Remarks, &limits::LIVE_PAGES_AND_TENTH).and(&pages::FREE, Remarks),
        &[&SCATTERED, &LARGE_PARTLY],
        &[
            SOME_CALL_SUCCEEDS,
            by(
                "at most the pages that hold a live block, and 10 % of what the workload held, are still resident",
                |seen| merged(releases_partial(seen)),
            ),
        ],
    )
    .rests_on_system(),
    should(
        HEAPMIN,
        "heapmin.never-grows",
        "_heapmin leaves no more memory resident than there was before the call",
        limited(Remarks, &limits::FIRST_TOUCHED_PAGES),
        &[&SMALL, &MIXED, &LARGE, &SCATTERED, &LARGE_PARTLY, &ALL_LIVE],
        &[
            SOME_CALL_SUCCEEDS,
            by(
                "no more resident after the call than before, but for 64 KiB of its own stack and data",
                |seen| merged(never_grows(seen)),
            ),
        ],
    )
    .rests_on_system(),
    should(
        HEAPMIN,
        "heapmin.idempotent",
        "a second call of _heapmin right after the first returns the same value and releases nothing more",
        limited(Remarks, &limits::HUNDREDTH_OF_WORKLOAD),
        &[&SMALL, &MIXED, &LARGE, &SCATTERED, &LARGE_PARTLY],
        &[
            SOME_CALL_SUCCEEDS,
            by(
                "the same value from both calls, and the same memory resident within 1 % of what the workload held, or 64 KiB",
                |seen| merged(idempotent(seen)),
            ),
        ],
    )
    .rests_on_system(),
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

static LARGE: Case = Case::new(
    "release-large-blocks",
    "fills 60 MiB with blocks of 128 KiB to 32 MiB, frees them all, and calls _heapmin twice",
    |probe| release(probe, LARGE_BLOCKS, large_size, |_| true),
);

static LARGE_PARTLY: Case = Case::new(
    "release-large-blocks-partly",
    "fills 60 MiB with blocks of 128 KiB to 32 MiB, frees two thirds of it, and calls _heapmin twice",
    |probe| release(probe, LARGE_BLOCKS, large_size, is_freed_large),
);

static ALL_LIVE: Case = Case::new(
    "nothing-to-release",
    "fills 32 MiB with blocks and calls _heapmin a hundred times while all of them are live",
    all_live,
);

const WORKLOAD: usize = 128 * MIB;
/// Pages of its own stack and data that a call may touch for the first time, in
/// bytes.
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
    // Another number than the size is made from, so that all sizes survive alike.
    release(probe, count, small_size, |index| {
        scattered(index + 1_000_000_007) % 10 != 0
    })
}

fn release(
    probe: &mut Probe,
    count: usize,
    size_of: fn(usize) -> usize,
    is_freed: fn(usize) -> bool,
) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count)?;
    warm_up(probe)?;
    probe.moment("baseline")?;
    probe.step("allocate and fill the blocks")?;
    blocks.fill(&probe.crt, size_of)?;
    probe.moment("peak")?;
    let lost_early = blocks.lost_bytes();
    probe.step("free the blocks")?;
    blocks.free_where(&probe.crt, is_freed)?;
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
    // With a hundred calls, a page for each call would show.
    probe.step("_heapmin, a hundred times")?;
    for _ in 0..100 {
        probe.heapmin()?;
    }
    probe.moment("minimised")?;
    probe.fact(LOST_BYTES, blocks.lost_bytes())
}

/// What the workload held at its peak, and what is still resident at a moment,
/// in bytes over the baseline.
///
/// # Errors
/// The judgement, if memory was not measured or the workload never became
/// resident.
pub(super) fn held_and_left(
    observation: &Observation,
    moment: &str,
) -> Result<(u64, u64), Judgement> {
    let resident = |moment| observation.memory(moment).map(|memory| memory.resident);
    let (Some(baseline), Some(peak), Some(then)) =
        (resident("baseline"), resident("peak"), resident(moment))
    else {
        return Err(Judgement::not_judged(NOT_MEASURED));
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

/// The judgement, whether the figures for it could be read or not.
pub(super) fn merged(judgement: Result<Judgement, Judgement>) -> Judgement {
    judgement.unwrap_or_else(|judgement| judgement)
}

/// What the workload of a case held, and how much of it was given back after
/// `_heapmin`, in bytes.
fn given_back(observation: &Observation) -> Option<(u64, u64)> {
    let (held, left) = held_and_left(observation, "minimised").ok()?;
    Some((held, held.saturating_sub(left)))
}

fn releases_memory(seen: &Seen) -> Result<Judgement, Judgement> {
    let (held, left) = held_and_left(seen.observation, "minimised")?;
    let lazy = seen.observation.memory("minimised");
    let lazy = lazy.map_or(0, |memory| memory.lazily_freed);
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
    Ok(Judgement::pass_if(left <= held / 10, observed))
}

/// The same figures as the process itself counts them. They are not judged,
/// only reported beside the others.
fn inside_held_and_left(observation: &Observation, moment: &str) -> Option<(u64, u64)> {
    let resident = |moment| Some(observation.memory_inside(moment)?.resident);
    let baseline = resident("baseline")?;
    let held = resident("peak")?.saturating_sub(baseline);
    Some((held, resident(moment)?.saturating_sub(baseline)))
}

fn releases_partial(seen: &Seen) -> Result<Judgement, Judgement> {
    let (held, left) = held_and_left(seen.observation, "minimised")?;
    let live = seen.observation.fact("live page bytes").unwrap_or(0);
    let live = u64::try_from(live).unwrap_or(0);
    let observed = format!(
        "{} still resident; live blocks need {} of the {} at the peak",
        amount(left),
        amount(live),
        amount(held)
    );
    let most = live.saturating_add(held / 10);
    Ok(Judgement::pass_if(left <= most, observed))
}

fn never_grows(seen: &Seen) -> Result<Judgement, Judgement> {
    let (_, before) = held_and_left(seen.observation, "freed")?;
    let (_, after) = held_and_left(seen.observation, "minimised")?;
    Ok(Judgement::pass_if(
        after <= before.saturating_add(OWN_PAGES),
        format!(
            "{} before the call, {} after it",
            amount(before),
            amount(after)
        ),
    ))
}

fn idempotent(seen: &Seen) -> Result<Judgement, Judgement> {
    let (held, first) = held_and_left(seen.observation, "minimised")?;
    let (_, second) = held_and_left(seen.observation, "minimised again")?;
    let calls = seen.observation.calls("_heapmin");
    let returned: Vec<_> = calls.map(|call| call.returned).collect();
    let observed = format!(
        "returned {returned:?}; {} resident after the first call, {} after the second",
        amount(first),
        amount(second)
    );
    let same_memory = first.abs_diff(second) <= (held / 100).max(OWN_PAGES);
    let same_value = returned.windows(2).all(|pair| pair[0] == pair[1]);
    Ok(Judgement::pass_if(same_memory && same_value, observed))
}
