//! `_heapmin` leaves live blocks as they are.

use super::HEAPMIN;
use crate::clause::Section::Remarks;
use crate::clause::check::none_of;
use crate::clause::{Case, Clause, derived, must};
use crate::clauses::workload::{FEW_SIZES, MIB, count_for, leave_few, mixed_size, scattered};
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    HEAPMIN,
    "heapmin.preserves-live-blocks",
    "_heapmin leaves every live block at its address with every byte as written, also when new blocks are allocated afterwards",
    derived(Remarks, "_heapmin releases only unused heap memory"),
    &[&BETWEEN, &FEW],
    &[none_of(LOST_BYTES, LIVE_BYTES)],
)];

static BETWEEN: Case = Case::new(
    "live-between-freed",
    "frees one, nine or five of ten blocks in 32 MiB, calls _heapmin, checks the others, and fills the gaps",
    between,
);

static FEW: Case = Case::new(
    "few-live-of-one-size",
    "fills 4 MiB with blocks of one size, frees all but one in 1000, calls _heapmin, allocates and fills as many as it freed, for five sizes",
    few,
);

const LIVE_BYTES: &str = "live bytes";

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
    probe.fact(LIVE_BYTES, blocks.live_bytes())?;
    probe.fact(LOST_BYTES, lost)?;
    blocks.free_all(&probe.crt)
}

fn few(probe: &mut Probe) -> Result<(), Stop> {
    let (mut lost, mut live) = (0, 0);
    for size in FEW_SIZES {
        let mut blocks = leave_few(probe, size)?;
        probe.step("allocate and fill as many again, and check all blocks")?;
        blocks.fill(&probe.crt, |_| size)?;
        lost += blocks.lost_bytes();
        live += blocks.live_bytes();
        blocks.free_all(&probe.crt)?;
    }
    probe.fact(LIVE_BYTES, live)?;
    probe.fact(LOST_BYTES, lost)
}
