//! The routines of the C runtime, on one heap for the whole process.
//!
//! Each takes the heap's lock, does its work and sets `errno` as its page
//! says. The C names for them are in the package `heapmin-crt`.

use crate::errno::{EINVAL, ENOMEM, ENOSYS, doserrno_location, errno_location};
use crate::errno::{doserrno, errno, set_doserrno, set_errno};
use crate::heap::{Block, Heap};
use crate::heapchk::Condition;
use crate::heapwalk::{Entry, Next};
use crate::os;
use core::ffi::{c_int, c_ulong, c_void};
use core::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

static HEAP: Mutex<Heap> = Mutex::new(Heap::new());

fn heap() -> MutexGuard<'static, Heap> {
    HEAP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Results of `_heapchk` and `_heapwalk`.
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
    /// The `_pentry` given is not that of an entry.
    pub const BAD_PTR: c_int = -6;
}

/// `_HEAPINFO`: an entry of the heap, as `_heapwalk` takes and gives it.
#[repr(C)]
pub struct HeapInfo {
    /// The entry's first byte; null to start.
    pub entry: *mut c_int,
    /// Its bytes.
    pub size: usize,
    /// 1 (`_USEDENTRY`) for a live block, 0 (`_FREEENTRY`) for free memory.
    pub use_flag: c_int,
}

/// A block of at least `size` bytes, aligned to 16. Null with `ENOMEM` if
/// there is no memory for it. Page: *malloc*.
pub fn malloc(size: usize) -> *mut c_void {
    or_enomem(heap().allocate(size)).address.cast()
}

/// A block for `count` items of `size` bytes, all zero. Null with `ENOMEM`
/// if there is no memory for it or the product overflows. Page: *calloc*.
pub fn calloc(count: usize, size: usize) -> *mut c_void {
    let total = count.saturating_mul(size);
    let block = or_enomem(heap().allocate(total));
    if block.old_bytes && !block.address.is_null() {
        // SAFETY: the block is new, ours, and has at least `total` bytes.
        unsafe { ptr::write_bytes(block.address, 0, total) };
    }
    block.address.cast()
}

/// Gives a block a new size, elsewhere if need be. Null acts as `malloc`;
/// size 0 frees and gives null. Null with `ENOMEM`, and the old block as it
/// was, if there is no memory. Page: *realloc*.
///
/// # Safety
/// `block` is null or a live block of this heap, and nobody else uses it.
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return malloc(size);
    }
    if size == 0 {
        // SAFETY: the caller's promise.
        unsafe { free(block) };
        return ptr::null_mut();
    }
    let mut heap = heap();
    let Some(old_size) = heap.size_of(block.cast()) else {
        heap.misused = true;
        set_errno(EINVAL);
        return ptr::null_mut();
    };
    if heap.resize_in_place(block.cast(), size) {
        return block;
    }
    let new = or_enomem(heap.allocate(size)).address;
    if !new.is_null() {
        // SAFETY: two live blocks with at least so many bytes each.
        unsafe { ptr::copy_nonoverlapping(block.cast(), new, old_size.min(size)) };
        heap.free(block.cast());
    }
    new.cast()
}

/// Frees a block; null is ignored, and `errno` is kept. What is not a live
/// block is not touched, and `_heapchk` tells of it from then on. Page: *free*.
///
/// # Safety
/// `block` is null or a live block of this heap, which nobody uses any more.
pub unsafe fn free(block: *mut c_void) {
    if !block.is_null() {
        heap().free(block.cast());
    }
}

/// The bytes of a live block, at least what was asked for. -1 with `EINVAL`
/// for null and for what is not a live block. Page: *_msize*.
pub fn msize(block: *const c_void) -> usize {
    heap().size_of(block.cast()).unwrap_or_else(|| {
        set_errno(EINVAL);
        usize::MAX
    })
}

/// Gives unused memory back to the operating system. 0 if it took all of it;
/// -1 with `ENOSYS` otherwise, with its own number in `_doserrno`, and the
/// heap as usable as before. Page: *_heapmin*.
pub fn heapmin() -> c_int {
    let mut heap = heap();
    if heap.minimise() {
        return 0;
    }
    set_doserrno(os::last_error() as c_ulong);
    set_errno(ENOSYS);
    -1
}

/// Looks the heap over: `_HEAPOK`, `_HEAPEMPTY`, or `_HEAPBADNODE` with
/// `ENOSYS`. Page: *_heapchk*.
pub fn heapchk() -> c_int {
    match heap().check() {
        Condition::Sound => heap_status::OK,
        Condition::Empty => heap_status::EMPTY,
        Condition::BadNode => {
            set_errno(ENOSYS);
            heap_status::BAD_NODE
        }
    }
}

/// Replaces an entry by the one after it: `_HEAPOK`, `_HEAPEND` after the
/// last, `_HEAPBADPTR` if the address is not an entry's. No entry at all is
/// `_HEAPBADPTR` with `EINVAL`. Page: *_heapwalk*.
pub fn heapwalk(info: Option<&mut HeapInfo>) -> c_int {
    let Some(info) = info else {
        set_errno(EINVAL);
        return heap_status::BAD_PTR;
    };
    match heap().entry_after(info.entry.cast()) {
        Next::Entry(Entry {
            address,
            size,
            used,
        }) => {
            *info = HeapInfo {
                entry: address.cast(),
                size,
                use_flag: used.into(),
            };
            heap_status::OK
        }
        Next::End => heap_status::END,
        Next::BadPointer => heap_status::BAD_PTR,
    }
}

/// Where this thread's `errno` is kept. Page: *errno*.
pub fn errno_pointer() -> *mut c_int {
    errno_location()
}

/// Where this thread's `_doserrno` is kept. Page: *errno*.
pub fn doserrno_pointer() -> *mut c_ulong {
    doserrno_location()
}

/// Copies `errno` out. 0, or `EINVAL` for a null pointer. Page: *_get_errno*.
pub fn get_errno(value: Option<&mut c_int>) -> c_int {
    value.map_or(EINVAL, |value| {
        *value = errno();
        0
    })
}

/// Sets `errno`; always 0. Page: *_set_errno*.
pub fn set_errno_value(value: c_int) -> c_int {
    set_errno(value);
    0
}

/// Copies `_doserrno` out. 0, or `EINVAL` for a null pointer. Page: *_get_doserrno*.
pub fn get_doserrno(value: Option<&mut c_ulong>) -> c_int {
    value.map_or(EINVAL, |value| {
        *value = doserrno();
        0
    })
}

/// Sets `_doserrno`; always 0. Page: *_set_doserrno*.
pub fn set_doserrno_value(value: c_int) -> c_int {
    set_doserrno(value as c_ulong);
    0
}

fn or_enomem(block: Block) -> Block {
    if block.address.is_null() {
        set_errno(ENOMEM);
    }
    block
}
