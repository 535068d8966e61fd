//! `intptr_t _get_heap_handle(void)`: the Win32 heap behind the C runtime's,
//! where there is one.

use super::sizes::SIZES;
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop, win32_heap_owns};

const GET_HEAP_HANDLE: Routine = Routine {
    name: "_get_heap_handle",
    page: &pages::GET_HEAP_HANDLE,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _get_heap_handle
    // EXPECTED: the loader finds a routine named _get_heap_handle
    exported(
        GET_HEAP_HANDLE,
        "get-heap-handle.exported",
        "the library exports _get_heap_handle",
    ),
    // PAGE: _get_heap_handle
    // EXPECTED: HeapValidate content with each block, and HeapSize not below the request
    must(
        GET_HEAP_HANDLE,
        "get-heap-handle.owns-the-blocks",
        "it gives the handle of the Win32 heap that the C runtime uses: the blocks of malloc are that heap's",
        stated(Remarks),
        &[&HANDLE],
        &[none_of(FOREIGN, BLOCKS)],
    ),
    // PAGE: errno
    // EXPECTED: errno and _doserrno as before
    must(
        GET_HEAP_HANDLE,
        "get-heap-handle.keeps-errno",
        "asking for the handle leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&HANDLE],
        &[every_call(ANY.keeps_errno())],
    ),
];

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
