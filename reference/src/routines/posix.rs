//! Further routines that Unix programs expect of a heap. With them the library
//! can replace the system's heap (`LD_PRELOAD`). `free` and `realloc` accept
//! these blocks, because they begin where their slot or pages begin.
//!
//! Sources: POSIX, C23, and the manual pages of Linux.

use super::blocks::{finish, free, malloc, realloc, size_of_block};
use super::process::heap;
use crate::os;
use core::ffi::{c_int, c_void};
use core::ptr;

/// Allocates a block at a multiple of `alignment`, which must be a power of two
/// and a multiple of the size of a pointer. Returns the error number on failure;
/// `errno` is not set. Page: *posix_memalign(3)*.
pub fn posix_memalign(alignment: usize, size: usize) -> Result<*mut c_void, c_int> {
    if !alignment.is_power_of_two() || alignment < size_of::<usize>() {
        return Err(libc::EINVAL);
    }
    let block = heap().allocate_at_multiple(size, alignment);
    block.map(|block| block.address.cast()).ok_or(libc::ENOMEM)
}

/// Allocates a block at a multiple of `alignment`. Returns null with `EINVAL` if
/// `alignment` is not a power of two, with `ENOMEM` if there is no memory. Pages:
/// *aligned_alloc(3)*, *memalign(3)*.
pub fn memalign(alignment: usize, size: usize) -> *mut c_void {
    if !alignment.is_power_of_two() {
        os::set_errno(libc::EINVAL);
        return ptr::null_mut();
    }
    finish(heap().allocate_at_multiple(size, alignment), size, false)
}

/// Allocates a block that begins at a page of the system. Page: *valloc(3)*.
pub fn valloc(size: usize) -> *mut c_void {
    memalign(os::page_size(), size)
}

/// Allocates a block of whole pages of the system. Page: *pvalloc(3)*.
pub fn pvalloc(size: usize) -> *mut c_void {
    let page = os::page_size();
    match size.max(1).checked_next_multiple_of(page) {
        Some(whole) => memalign(page, whole),
        None => malloc(usize::MAX),
    }
}

/// [`realloc`] for `count` items of `size` bytes. Fails with `ENOMEM` also if the
/// product overflows. Page: *reallocarray(3)*.
///
/// # Safety
/// As for [`realloc`].
pub unsafe fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { realloc(block, count.saturating_mul(size)) }
}

/// The size of a block in bytes; 0 for null and for what is no block of this heap.
/// Page: *malloc_usable_size(3)*.
pub fn malloc_usable_size(block: *const c_void) -> usize {
    size_of_block(block, false).unwrap_or(0)
}

/// Frees a block of `malloc`, `calloc` or `realloc`. The heap knows its size. Page:
/// *free_sized*, C23 7.24.3.4.
///
/// # Safety
/// As for [`free`].
pub unsafe fn free_sized(block: *mut c_void, _size: usize) {
    // SAFETY: the caller's promise.
    unsafe { free(block) }
}

/// Frees a block of `aligned_alloc`. Page: *free_aligned_sized*, C23 7.24.3.5.
///
/// # Safety
/// As for [`free`].
pub unsafe fn free_aligned_sized(block: *mut c_void, _alignment: usize, _size: usize) {
    // SAFETY: the caller's promise.
    unsafe { free(block) }
}
