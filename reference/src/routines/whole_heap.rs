//! The routines that act on the heap as a whole.

use super::handler::invalid_parameter;
use crate::entry::Entry;
use crate::errno::{DOSERRNO, ENOMEM, ENOSYS, ERRNO};
use crate::heapchk::Condition;
use crate::heapwalk::Next;
use crate::misuse::{self, heap_in_use};
use crate::os;
use core::ffi::{c_int, c_uint, c_ulong, c_void};

/// Results of `_heapchk`, `_heapset` and `_heapwalk`.
pub mod heap_status {
    use core::ffi::c_int;
    /// The heap has not been used yet.
    pub const EMPTY: c_int = -1;
    /// The heap is sound, or an entry was found.
    pub const OK: c_int = -2;
    /// A record is damaged.
    pub const BAD_NODE: c_int = -4;
    /// There are no more entries.
    pub const END: c_int = -5;
    /// The given `_pentry` is not that of an entry.
    pub const BAD_PTR: c_int = -6;
}

/// Gives unused memory back to the operating system. Returns 0 if the system
/// took all of it. Otherwise returns -1 with `ENOSYS`, and sets `_doserrno` to
/// the system's error number; the heap stays usable. Page: *_heapmin*.
pub fn heapmin() -> c_int {
    misuse::settle();
    // Locked until the end, because unlocking may change the system's last error.
    let mut heap = heap_in_use().lock_all();
    if heap.minimise() {
        return 0;
    }
    DOSERRNO.set(os::last_error() as c_ulong);
    failed(-1)
}

/// Checks the heap. Returns `_HEAPOK`, `_HEAPEMPTY`, or `_HEAPBADNODE` with
/// `ENOSYS`. Page: *_heapchk*.
pub fn heapchk() -> c_int {
    misuse::settle();
    status(heap_in_use().check())
}

/// Checks the heap as `_heapchk` does. If it is sound, fills every free entry
/// with the low byte of `fill`. Returns `_HEAPBADNODE` with `ENOMEM` if the
/// system has no memory for some of them. Page: *_heapset*.
pub fn heapset(fill: c_uint) -> c_int {
    misuse::settle();
    let mut heap = heap_in_use().lock_all();
    let condition = heap.check();
    if condition != Condition::BadNode && !heap.fill_free(fill as u8) {
        ERRNO.set(ENOMEM);
        return heap_status::BAD_NODE;
    }
    status(condition)
}

/// Replaces an entry by the next one and returns `_HEAPOK`. Returns `_HEAPEND`
/// after the last entry, `_HEAPEMPTY` if the heap was never used, and
/// `_HEAPBADPTR` with `ENOSYS` if the address is not that of an entry, or with
/// `EINVAL` if `info` is null. Page: *_heapwalk*.
pub fn heapwalk(info: Option<&mut Entry>) -> c_int {
    let Some(info) = info else {
        return invalid_parameter(heap_status::BAD_PTR);
    };
    let next = misuse::entry_after(info.address);
    match next {
        Next::Entry(entry) => {
            *info = entry;
            heap_status::OK
        }
        Next::End => heap_status::END,
        Next::Empty => heap_status::EMPTY,
        Next::BadPointer => failed(heap_status::BAD_PTR),
    }
}

/// Always returns -1 with `ENOSYS`: a heap on virtual memory takes no memory from
/// the program. Page: *_heapadd*.
pub fn heapadd(_memory: *mut c_void, _size: usize) -> c_int {
    failed(-1)
}

fn status(condition: Condition) -> c_int {
    match condition {
        Condition::Sound => heap_status::OK,
        Condition::Empty => heap_status::EMPTY,
        Condition::BadNode => failed(heap_status::BAD_NODE),
    }
}

fn failed(result: c_int) -> c_int {
    ERRNO.set(ENOSYS);
    result
}
