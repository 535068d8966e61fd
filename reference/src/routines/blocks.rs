//! Blocks aligned as any type needs it: `malloc`, `free` and what goes with them.

use super::handler::invalid_parameter;
use super::process::heap;
use crate::alignment::Alignment;
use crate::errno::{EINVAL, ENOMEM, ERRNO};
use crate::heap::Block;
use crate::resize::clear_behind;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::Ordering;

/// A block of at least `size` bytes, aligned to 16. Null with `ENOMEM` if
/// there is no memory for it. Page: *malloc*.
#[inline]
pub fn malloc(size: usize) -> *mut c_void {
    finish(heap().allocate(size), size, false)
}

/// A block for `count` items of `size` bytes, all zero. Null with `ENOMEM`
/// if there is no memory for it or the product overflows. Page: *calloc*.
pub fn calloc(count: usize, size: usize) -> *mut c_void {
    let size = count.saturating_mul(size);
    finish(heap().allocate(size), size, true)
}

/// Gives a block a new size, elsewhere if need be. Null acts as `malloc`;
/// size 0 frees and gives null. Null with `ENOMEM`, and the old block as it
/// was, if there is no memory. Page: *realloc*.
///
/// # Safety
/// `block` is null or a live block of this heap, and nobody else uses it.
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    reallocate(block, size, None, false)
}

/// `realloc` for `count` items of `size` bytes, with new bytes zero. Null
/// with `ENOMEM`, and the old block as it was, also if the product
/// overflows. Page: *_recalloc*.
///
/// # Safety
/// `block` is null or a live block of this heap, and nobody else uses it.
pub unsafe fn recalloc(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    reallocate(block, count.saturating_mul(size), None, true)
}

/// Gives a block a new size where it stands, and returns it; it can always
/// shrink. Null, and the block as it was, with `ENOMEM` if it cannot grow so
/// far, with `EINVAL` if it is null. Page: *_expand*.
///
/// # Safety
/// `block` is null or a live block of this heap, and nobody else uses it.
pub unsafe fn expand(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return invalid_parameter(block);
    }
    if heap().resize_in_place(block.cast(), size) {
        return block;
    }
    ERRNO.set(ENOMEM);
    ptr::null_mut()
}

/// Frees a block; null is ignored, and `errno` is kept. What is not a live
/// block is not touched, and `_heapchk` tells of it from then on. Page: *free*.
///
/// # Safety
/// `block` is null or a live block of this heap, which nobody uses any more.
#[inline]
pub unsafe fn free(block: *mut c_void) {
    if !block.is_null() {
        heap().free(block.cast());
    }
}

/// The bytes of a live block: of a small one those of its size class, else
/// those asked for. -1 with `EINVAL` for null and for what is not a live block. Page: *_msize*.
pub fn msize(block: *const c_void) -> usize {
    if block.is_null() {
        return invalid_parameter(usize::MAX);
    }
    let Some(live) = heap().locate(block.cast()) else {
        ERRNO.set(EINVAL);
        return usize::MAX;
    };
    live.size
}

/// A new block, all zero if it is to be `zeroed`. Null with `ENOMEM`.
fn allocate(size: usize, asked: Alignment, zeroed: bool) -> *mut c_void {
    finish(heap().allocate_aligned(size, asked), size, zeroed)
}

/// What the program is given of a new block.
#[inline]
pub(super) fn finish(block: Option<Block>, size: usize, zeroed: bool) -> *mut c_void {
    let Some(block) = block else {
        return no_memory();
    };
    if zeroed && block.old_bytes {
        clear_behind(block.address, 0, size);
    }
    block.address.cast()
}

/// A block at a new size, a new one for null, or none for size 0; bytes it did not have are
/// zero if they are to be `zeroed`. An aligned one may begin anywhere in its place.
pub(super) fn reallocate(
    block: *mut c_void,
    size: usize,
    aligned: Option<Alignment>,
    zeroed: bool,
) -> *mut c_void {
    let asked = aligned.unwrap_or(Alignment::NATURAL);
    if block.is_null() {
        return allocate(size, asked, zeroed);
    }
    let heap = heap();
    let live = heap.containing(block.cast());
    let Some(live) = live.filter(|live| aligned.is_some() || live.gap == 0) else {
        heap.misused.store(true, Ordering::Relaxed);
        ERRNO.set(EINVAL);
        return ptr::null_mut();
    };
    if size == 0 {
        heap.free_slowly(block.cast(), true);
        return ptr::null_mut();
    }
    let Some(new) = heap.reallocate(live, size, asked) else {
        return no_memory();
    };
    if zeroed && live.size < size {
        clear_behind(new, live.size, size);
    }
    new.cast()
}

/// Null, and `ENOMEM`: for programs of Microsoft's runtime and, on Unix, for
/// those that have the host's `errno`.
#[cold]
fn no_memory() -> *mut c_void {
    ERRNO.set(ENOMEM);
    #[cfg(unix)]
    crate::os::set_errno(libc::ENOMEM);
    ptr::null_mut()
}
