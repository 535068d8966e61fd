//! Blocks with the alignment that every type can use: `malloc`, `free` and the
//! like.

use super::handler::invalid_parameter;
use super::process::heap;
use crate::alignment::Alignment;
use crate::clear::{clear, clear_tail};
use crate::errno::{EINVAL, ENOMEM, ERRNO};
use crate::heap::Block;
use crate::misuse;
use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::Ordering;

/// Allocates a block of at least `size` bytes, aligned to 16. Returns null with
/// `ENOMEM` if there is no memory for it. Page: *malloc*.
#[inline]
pub fn malloc(size: usize) -> *mut c_void {
    finish(heap().allocate(size), size, false)
}

/// Allocates a block for `count` items of `size` bytes, all zero. Returns null
/// with `ENOMEM` if there is no memory for it or the product overflows. Page:
/// *calloc*.
pub fn calloc(count: usize, size: usize) -> *mut c_void {
    let size = count.saturating_mul(size);
    finish(heap().allocate(size), size, true)
}

/// Resizes a block, and moves it if necessary. For a null block it acts as
/// `malloc`; for size 0 it frees the block and returns null. Returns null with
/// `ENOMEM`, with the old block unchanged, if there is no memory. Page: *realloc*.
///
/// # Safety
/// `block` is null or a live block of this heap, and nothing else uses it during
/// the call.
pub unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    reallocate(block, size, None, false)
}

/// [`realloc`] for `count` items of `size` bytes, with new bytes zero. Fails with
/// `ENOMEM` also if the product overflows. Page: *_recalloc*.
///
/// # Safety
/// As for [`realloc`].
pub unsafe fn recalloc(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    reallocate(block, count.saturating_mul(size), None, true)
}

/// Resizes a block in place, and returns it. A block can always shrink. Returns
/// null, with the block unchanged: with `ENOMEM` if the block cannot grow to
/// `size`, with `EINVAL` if `block` is null. Page: *_expand*.
///
/// # Safety
/// As for [`realloc`].
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

/// Frees a block. Null is ignored, and `errno` is unchanged. What is not a live
/// block is not touched, and from then on `_heapchk` reports the error. Page:
/// *free*.
///
/// # Safety
/// `block` is null or a live block of this heap, which is not used afterwards.
#[inline]
pub unsafe fn free(block: *mut c_void) {
    heap().free(block.cast());
}

/// The size of a live block in bytes: that of its size class or of its pages.
/// Returns -1 with `EINVAL` for null and for what is not a live block. Page:
/// *_msize*.
pub fn msize(block: *const c_void) -> usize {
    if block.is_null() {
        return invalid_parameter(usize::MAX);
    }
    size_of_block(block, false).unwrap_or_else(|| {
        ERRNO.set(EINVAL);
        usize::MAX
    })
}

/// The size of the live block at an address. If it `is_aligned`, it may begin anywhere in
/// its slot or pages.
pub(super) fn size_of_block(block: *const c_void, is_aligned: bool) -> Option<usize> {
    match heap().containing(block.cast()) {
        Some(live) => (is_aligned || live.gap == 0).then_some(live.size),
        None => misuse::size_of(block.cast()),
    }
}

/// Allocates a block, all zero if `zeroed`. Returns null with `ENOMEM` if there
/// is no memory.
fn allocate(size: usize, asked: Alignment, zeroed: bool) -> *mut c_void {
    finish(heap().allocate_aligned(size, asked), size, zeroed)
}

/// What a routine returns for a new block, or for none.
#[inline]
pub(super) fn finish(block: Option<Block>, size: usize, zeroed: bool) -> *mut c_void {
    let Some(block) = block else {
        return no_memory();
    };
    if zeroed && block.old_bytes {
        clear(block.address, size);
    }
    block.address.cast()
}

/// Resizes a block, allocates one for null, or frees it for size 0. New bytes are
/// zero if `zeroed`. With `aligned`, the block may begin anywhere in its slot or
/// pages.
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
    let live = live.filter(|live| aligned.is_some() || live.gap == 0);
    if live.is_none() && !misuse::is_on() {
        heap.misused.store(true, Ordering::Relaxed);
        ERRNO.set(EINVAL);
        return ptr::null_mut();
    }
    if size == 0 {
        heap.free_any(block.cast(), true);
        return ptr::null_mut();
    }
    let new = match live {
        Some(live) => heap.reallocate(live, size, asked),
        None => misuse::reallocate(block.cast(), size, asked),
    };
    let Some(new) = new else {
        return no_memory();
    };
    if let Some(live) = live.filter(|live| zeroed && live.size < size) {
        clear_tail(new, live.size, size);
    }
    new.cast()
}

/// Sets `errno` to `ENOMEM` and returns null. On Unix it sets the host's `errno`
/// too, for programs that use that one.
#[cold]
fn no_memory() -> *mut c_void {
    ERRNO.set(ENOMEM);
    #[cfg(unix)]
    crate::os::set_errno(libc::ENOMEM);
    ptr::null_mut()
}
