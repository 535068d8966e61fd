//! Memory that was freed and not returned is available again.
//!
//! The page gives no number. A heap that uses nothing again holds four times
//! the workload at the fourth filling; sound ones grow by up to a seventh
//! while their caches fill. A quarter lies clear of both.

use super::release::held_and_left;
use crate::clause::{Case, Clause, Judgement, Level, Seen};
use crate::clauses::workload::{MIB, count_for, mixed_size, warm_up};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub static MEMORY_REUSABLE: Clause = Clause {
    id: "heapmin.memory-reusable",
    routine: "_heapmin",
    level: Level::Must,
    page: "free",
    summary: "memory that was freed and not returned is available for allocation again",
    expects: "the same workload three times again raises the peak by at most a quarter, before _heapmin and after it",
    cases: &[&AGAIN],
    judge: reusable,
};

static AGAIN: Case = Case {
    name: "fill-free-fill-again",
    summary: "fills 64 MiB, frees it and fills it again, three times; then once more after _heapmin",
    fault: None,
    act: again,
    undefined: false,
    forks: false,
};

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
