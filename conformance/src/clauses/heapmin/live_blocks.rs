//! Live blocks keep their address and every byte.

use crate::clause::{Case, Clause, Judgement, Level, Seen};
use crate::clauses::workload::{MIB, count_for, mixed_size, scattered};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub static PRESERVED: Clause = Clause {
    id: "heapmin.preserves-live-blocks",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "live blocks keep their address and every byte",
    expects: "every byte of every live block as it was written, also when new blocks have come",
    cases: &[&BETWEEN],
    judge: preserved,
};

static BETWEEN: Case = Case {
    name: "live-between-freed",
    summary: "frees one, nine or half of ten blocks in 32 MiB, calls _heapmin, checks the others, and fills the gaps",
    fault: None,
    act: between,
    undefined: false,
    forks: false,
};

fn between(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count_for(32 * MIB, mixed_size))?;
    let mut lost = 0;
    probe.step("allocate and fill the blocks")?;
    blocks.fill(&probe.crt, mixed_size)?;
    for tenths in [1, 9, 5] {
        probe.step(&format!("free {tenths} of ten blocks"))?;
        blocks.free_where(&probe.crt, |index| scattered(index + tenths) % 10 < tenths)?;
        probe.step("_heapmin")?;
        probe.heapmin()?;
        probe.step("check the live blocks")?;
        lost += blocks.lost_bytes();
        probe.step("fill the gaps and check all blocks")?;
        blocks.fill(&probe.crt, mixed_size)?;
        lost += blocks.lost_bytes();
    }
    probe.fact("live bytes", blocks.live_bytes())?;
    probe.fact(LOST_BYTES, lost)?;
    blocks.free_all(&probe.crt)
}

/// Lost bytes are a failure of any clause, so there is nothing left to judge.
fn preserved(seen: &Seen) -> Judgement {
    let live = seen.observation.fact("live bytes").unwrap_or(0);
    let live = u64::try_from(live).unwrap_or(0);
    Judgement::pass(format!(
        "{} of live blocks whole after each of three calls",
        amount(live)
    ))
}
