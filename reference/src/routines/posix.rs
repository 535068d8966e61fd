//! What programs of Unix ask a heap for besides, so that the library can stand
//! in for the system's (`LD_PRELOAD`). `free` and `realloc` take these blocks:
//! they begin where their slot or their pages begin.
//!
//! Sources: POSIX, and the manual pages of Linux.

use super::blocks::{finish, malloc, msize, realloc};
use super::process::heap;
use crate::os;
use core::ffi::{c_int, c_void};
use core::ptr;

/// A block at a multiple of `alignment`, a power of two and a multiple of the
/// size of a pointer. `None` with the number of the error, which also `errno`
/// has not been told. Page: *posix_memalign(3)*.
pub fn posix_memalign(alignment: usize, size: usize) -> Result<*mut c_void, c_int> {
    if !alignment.is_power_of_two() || alignment < size_of::<usize>() {
        return Err(libc::EINVAL);
    }
    let block = heap().allocate_at_multiple(size, alignment);
    block.map(|block| block.address.cast()).ok_or(libc::ENOMEM)
}

/// A block at a multiple of `alignment`. Null with `EINVAL` if that is not a
/// power of two, with `ENOMEM` if there is no memory. Pages:
/// *aligned_alloc(3)*, *memalign(3)*.
pub fn memalign(alignment: usize, size: usize) -> *mut c_void {
    if !alignment.is_power_of_two() {
        os::set_errno(libc::EINVAL);
        return ptr::null_mut();
    }
    finish(heap().allocate_at_multiple(size, alignment), size, false)
}

/// A block at the beginning of a page. Page: *valloc(3)*.
pub fn valloc(size: usize) -> *mut c_void {
    memalign(os::page_size(), size)
}

/// A block of whole pages. Page: *pvalloc(3)*.
pub fn pvalloc(size: usize) -> *mut c_void {
    let page = os::page_size();
    match size.max(1).checked_next_multiple_of(page) {
        Some(whole) => memalign(page, whole),
        None => malloc(usize::MAX),
    }
}

/// `realloc` for `count` items of `size` bytes. Null with `ENOMEM`, and the
/// block as it was, also if the product overflows. Page: *reallocarray(3)*.
///
/// # Safety
/// As for [`realloc`].
pub unsafe fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { realloc(block, count.saturating_mul(size)) }
}

/// The bytes of a block; 0 for null. Page: *malloc_usable_size(3)*.
pub fn malloc_usable_size(block: *const c_void) -> usize {
    if block.is_null() { 0 } else { msize(block) }
}
