//! `intptr_t _get_heap_handle(void)`: returns the handle of the Win32 heap that
//! the C runtime allocates from.

use super::sizes::SIZES;
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{ANY, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::library::inspect::Format;
use heapmin_harness::probe::{Stop, win32_heap_owns};

const GET_HEAP_HANDLE: Routine = Routine {
    name: "_get_heap_handle",
    page: &pages::GET_HEAP_HANDLE,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(
        GET_HEAP_HANDLE,
        "get-heap-handle.exported",
        "the library exports _get_heap_handle",
    )
    .only_of(Format::Pe, WIN32),
    must(
        GET_HEAP_HANDLE,
        "get-heap-handle.owns-the-blocks",
        "_get_heap_handle returns the handle of the Win32 heap that has the blocks of malloc: HeapValidate accepts each block, and HeapSize returns at least the requested size",
        derived(
            ReturnValue,
            "the handle is that of the Win32 heap that the C runtime uses, and malloc allocates from that heap",
        )
        .and(&pages::MALLOC, ReturnValue),
        &[&HANDLE],
        &[none_of(FOREIGN, BLOCKS)],
    )
    .only_of(Format::Pe, WIN32),
    must(
        GET_HEAP_HANDLE,
        "get-heap-handle.keeps-errno",
        "_get_heap_handle leaves errno and _doserrno unchanged",
        derived(
            ReturnValue,
            "the page names no error, and errno is set on an error",
        )
        .and(&pages::ERRNO, Remarks),
        &[&HANDLE],
        &[every_call(ANY.keeps_errno())],
    )
    .only_of(Format::Pe, WIN32),
];

const WIN32: &str = "only Windows has Win32 heaps";

static HANDLE: Case = Case::new(
    "get-heap-handle-blocks",
    "calls HeapValidate and HeapSize with the handle and blocks of sixteen sizes",
    |probe| {
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
    },
);

const FOREIGN: &str = "blocks that the Win32 heap does not know";
const BLOCKS: &str = "blocks";
