//! `intptr_t _get_heap_handle(void)`: the Win32 heap behind the C runtime's,
//! where there is one.

use super::exported::{LOAD, exported};
use super::sizes::SIZES;
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::{Probe, Stop, win32_heap_owns};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 3] = [&EXPORTED, &OWNS_BLOCKS, &KEEPS_ERRNO];

static EXPORTED: Clause = Clause {
    id: "get-heap-handle.exported",
    routine: "_get_heap_handle",
    level: Level::Must,
    page: "_get_heap_handle",
    summary: "the library exports _get_heap_handle",
    expects: "the loader finds a routine named _get_heap_handle",
    cases: &[&LOAD],
    judge: exported,
};

static OWNS_BLOCKS: Clause = Clause {
    id: "get-heap-handle.owns-the-blocks",
    routine: "_get_heap_handle",
    level: Level::Must,
    page: "_get_heap_handle",
    summary: "it gives the handle of the Win32 heap that the C runtime uses: the blocks of malloc are that heap's",
    expects: "HeapValidate content with each block, and HeapSize not below the request",
    cases: &[&HANDLE],
    judge: |seen| none_of(seen, FOREIGN, BLOCKS),
};

static KEEPS_ERRNO: Clause = Clause {
    id: "get-heap-handle.keeps-errno",
    routine: "_get_heap_handle",
    level: Level::Must,
    page: "errno",
    summary: "asking for the handle leaves errno and _doserrno as they were",
    expects: "errno and _doserrno as before",
    cases: &[&HANDLE],
    judge: |seen| every("_get_heap_handle").keeps_errno().judge(seen),
};

static HANDLE: Case = Case::new(
    "get-heap-handle-blocks",
    "asks the Win32 heap with that handle about blocks of sixteen sizes",
    handle,
);

const FOREIGN: &str = "blocks that the Win32 heap does not know";
const BLOCKS: &str = "blocks";

fn handle(probe: &mut Probe) -> Result<(), Stop> {
    let mut handle = 0;
    probe.step("_get_heap_handle()")?;
    probe.observe("_get_heap_handle", "", |crt| {
        crt.heap_handle().map(|it| handle = it)
    })?;
    let mut foreign = 0;
    for size in SIZES {
        let block = probe.crt.need(size)?;
        probe.step(&format!("HeapValidate a block of {size} bytes"))?;
        let owned = win32_heap_owns(handle, block.address());
        let (owned, found) = owned.map_err(Stop::NotApplicable)?;
        foreign += i64::from(!owned || found < size);
        probe.crt.free(block)?;
    }
    probe.fact(FOREIGN, foreign)?;
    probe.fact(BLOCKS, SIZES.len() as i64)
}
