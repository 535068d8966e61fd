//! Memory that was freed and not returned to the system is allocated again.

use super::HEAPMIN;
use super::release::{held_and_left, merged};
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, limited, must};
use crate::clauses::workload::{MIB, count_for, mixed_size, warm_up};
use crate::clauses::{limits, pages};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    HEAPMIN,
    "heapmin.memory-reusable",
    "memory that was freed and that neither free nor _heapmin returned to the system is available for allocation again",
    limited(Remarks, &limits::QUARTER_OF_PEAK).on(&pages::FREE),
    &[&AGAIN, &LARGE_AGAIN],
    &[by(
        "at most 25 % more resident when the same workload is filled again, before _heapmin and after it",
        |seen| merged(reusable(seen)),
    )],
)
    .rests_on_system()];

static AGAIN: Case = Case::new(
    "fill-free-fill-again",
    "fills 64 MiB, frees and fills it again three times, then frees it, calls _heapmin and fills it once more",
    |probe| again(probe, count_for(64 * MIB, mixed_size), mixed_size),
);

static LARGE_AGAIN: Case = Case::new(
    "fill-free-fill-again-large-blocks",
    "fills 28 blocks of 1 MiB and a byte, frees and fills them again three times, then frees them, calls _heapmin and fills them once more",
    // Of one size: with several, the gaps that remain are a matter of the heap's design.
    |probe| again(probe, 28, |_| MIB + 1),
);

fn again(probe: &mut Probe, count: usize, size_of: fn(usize) -> usize) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count)?;
    warm_up(probe)?;
    probe.moment("baseline")?;
    probe.step("allocate and fill the blocks")?;
    blocks.fill(&probe.crt, size_of)?;
    probe.moment("peak")?;
    let mut lost = blocks.lost_bytes();
    for _ in 0..3 {
        probe.step("free the blocks and fill them again")?;
        blocks.free_all(&probe.crt)?;
        blocks.fill(&probe.crt, size_of)?;
    }
    probe.moment("filled again")?;
    lost += blocks.lost_bytes();
    probe.step("free the blocks and call _heapmin")?;
    blocks.free_all(&probe.crt)?;
    probe.heapmin()?;
    probe.step("fill the blocks after _heapmin")?;
    blocks.fill(&probe.crt, size_of)?;
    probe.moment("filled after _heapmin")?;
    probe.fact(LOST_BYTES, lost + blocks.lost_bytes())?;
    blocks.free_all(&probe.crt)
}

fn reusable(seen: &Seen) -> Result<Judgement, Judgement> {
    let (peak, again) = held_and_left(seen.observation, "filled again")?;
    let (_, after) = held_and_left(seen.observation, "filled after _heapmin")?;
    Ok(Judgement::pass_if(
        again.max(after) <= peak.saturating_add(peak / 4),
        format!(
            "{} at first, {} when filled again, {} after _heapmin",
            amount(peak),
            amount(again),
            amount(after)
        ),
    ))
}
