//! Live blocks keep their address and every byte.

use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, stated};
use crate::clauses::pages;
use crate::clauses::workload::{MIB, count_for, mixed_size, scattered};
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
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.preserves-live-blocks",
        "live blocks keep their address and every byte",
        stated(Remarks),
        &[&BETWEEN],
        &[by(
            "every byte of every live block as it was written, also when new blocks have come",
            preserved,
        )],
    ),
];

static BETWEEN: Case = Case::new(
    "live-between-freed",
    "frees one, nine or half of ten blocks in 32 MiB, calls _heapmin, checks the others, and fills the gaps",
    between,
);

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
