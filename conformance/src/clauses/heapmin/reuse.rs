//! Memory that was freed and not returned is available again.
//!
//! The page gives no number. A heap that uses nothing again holds four times
//! the workload at the fourth filling; sound ones grow by up to a seventh
//! while their caches fill. A quarter lies clear of both.

use super::release::held_and_left;
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, stated};
use crate::clauses::pages;
use crate::clauses::workload::{MIB, count_for, mixed_size, warm_up};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: free
    must(
        HEAPMIN,
        "heapmin.memory-reusable",
        "memory that was freed and not returned is available for allocation again",
        stated(Remarks),
        &[&AGAIN],
        &[by(
            "the same workload three times again raises the peak by at most a quarter, before _heapmin and after it",
            reusable,
        )],
    ),
];

static AGAIN: Case = Case::new(
    "fill-free-fill-again",
    "fills 64 MiB, frees it and fills it again, three times; then once more after _heapmin",
    again,
);

fn again(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count_for(64 * MIB, mixed_size))?;
    warm_up(probe)?;
    probe.moment("baseline")?;
    probe.step("allocate and fill the blocks")?;
    blocks.fill(&probe.crt, mixed_size)?;
    probe.moment("peak")?;
    let mut lost = blocks.lost_bytes();
    for _ in 0..3 {
        probe.step("free the blocks and fill them again")?;
        blocks.free_all(&probe.crt)?;
        blocks.fill(&probe.crt, mixed_size)?;
    }
    probe.moment("filled again")?;
    lost += blocks.lost_bytes();
    probe.step("free the blocks and call _heapmin")?;
    blocks.free_all(&probe.crt)?;
    probe.heapmin()?;
    probe.step("fill the blocks after _heapmin")?;
    blocks.fill(&probe.crt, mixed_size)?;
    probe.moment("filled after _heapmin")?;
    probe.fact(LOST_BYTES, lost + blocks.lost_bytes())?;
    blocks.free_all(&probe.crt)
}

fn reusable(seen: &Seen) -> Judgement {
    let figures = [
        held_and_left(seen.observation, "filled again"),
        held_and_left(seen.observation, "filled after _heapmin"),
    ];
    match figures {
        [Ok((peak, again)), Ok((_, after))] => Judgement::pass_if(
            again.max(after) <= peak.saturating_add(peak / 4),
            format!(
                "{} at first, {} when filled again, {} after _heapmin",
                amount(peak),
                amount(again),
                amount(after)
            ),
        ),
        [Err(judgement), _] | [_, Err(judgement)] => judgement,
    }
}
