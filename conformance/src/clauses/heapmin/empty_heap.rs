//! `_heapmin` works on a heap without blocks.

use super::{HEAPMIN, SOME_CALL_SUCCEEDS};
use crate::clause::Section::ReturnValue;
use crate::clause::check::{every_call, one_of};
use crate::clause::{Case, Clause, derived, must};
use crate::clauses::codes::ZERO;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    HEAPMIN,
    "heapmin.empty-heap",
    "_heapmin succeeds before the first allocation and after the last free, as it does between live blocks",
    derived(
        ReturnValue,
        "the page makes no exception for a heap without blocks",
    ),
    &[&EMPTY],
    &[SOME_CALL_SUCCEEDS, every_call(one_of(&[ZERO]))],
)];

pub(crate) static EMPTY: Case = Case::new(
    "empty-heap",
    "calls _heapmin before the first allocation, between live blocks, and after the last free",
    empty,
);

fn empty(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("_heapmin before the first allocation")?;
    probe.heapmin()?;
    let mut blocks = Blocks::with_room_for(1000)?;
    probe.step("allocate 1000 blocks")?;
    blocks.fill(&probe.crt, |_| 100)?;
    probe.step("_heapmin between live blocks")?;
    probe.heapmin()?;
    probe.step("free every block")?;
    blocks.free_all(&probe.crt)?;
    probe.step("_heapmin after the last free")?;
    probe.heapmin()?;
    Ok(())
}
