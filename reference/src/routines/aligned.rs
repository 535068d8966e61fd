//! Blocks aligned as the program asks. Routines without an offset in their name
//! are those with the offset 0; only `_aligned_malloc` has a rule of its own.

use super::blocks::reallocate;
use super::handler::invalid_parameter;
use super::process::heap;
use crate::alignment::Alignment;
use core::ffi::c_void;
use core::ptr;

/// A block that lies at a multiple of `alignment`. Null with `EINVAL` if that
/// is not a power of two or `size` is 0, which no other page forbids; with
/// `ENOMEM` if there is no memory. Page: *_aligned_malloc*.
pub fn aligned_malloc(size: usize, alignment: usize) -> *mut c_void {
    match size {
        0 => invalid_parameter(ptr::null_mut()),
        _ => aligned_offset_malloc(size, alignment, 0),
    }
}

/// A block whose byte at `offset` lies at a multiple of `alignment`. Null
/// with `EINVAL` if that is not a power of two or `offset` is neither 0 nor
/// below `size`, with `ENOMEM` if there is no memory. Page:
/// *_aligned_offset_malloc*.
pub fn aligned_offset_malloc(size: usize, alignment: usize, offset: usize) -> *mut c_void {
    change(ptr::null_mut(), size, alignment, offset, false)
}

/// Gives an aligned block a new size, elsewhere if need be. Null acts as
/// `_aligned_offset_malloc`; size 0 frees and gives null. Null, and the old block as
/// it was, with its errors. Pages: *_aligned_realloc*,
/// *_aligned_offset_realloc*.
///
/// # Safety
/// `block` is null or a live aligned block of this heap, and nobody else uses it.
pub unsafe fn aligned_realloc(
    block: *mut c_void,
    size: usize,
    alignment: usize,
    offset: usize,
) -> *mut c_void {
    change(block, size, alignment, offset, false)
}

/// [`aligned_realloc`] for `count` items of `size` bytes, with new bytes
/// zero. `ENOMEM` also if the product overflows. Pages: *_aligned_recalloc*,
/// *_aligned_offset_recalloc*.
///
/// # Safety
/// As for [`aligned_realloc`].
pub unsafe fn aligned_recalloc(
    block: *mut c_void,
    count: usize,
    size: usize,
    alignment: usize,
    offset: usize,
) -> *mut c_void {
    change(block, count.saturating_mul(size), alignment, offset, true)
}

/// The bytes of an aligned block, at least what was asked for. -1 with
/// `EINVAL` for null, for what is not a live block, and if `alignment` is not
/// a power of two; the offset is not needed. Page: *_aligned_msize*.
pub fn aligned_msize(block: *const c_void, alignment: usize, _offset: usize) -> usize {
    let is_valid = !block.is_null() && alignment.is_power_of_two();
    let live = is_valid.then(|| heap().containing(block.cast())).flatten();
    live.map_or_else(|| invalid_parameter(usize::MAX), |live| live.size)
}

/// Frees an aligned block; null is ignored, and `errno` is kept. Page: *_aligned_free*.
///
/// # Safety
/// `block` is null or a live aligned block of this heap, which nobody uses any more.
pub unsafe fn aligned_free(block: *mut c_void) {
    if !block.is_null() {
        heap().free_slowly(block.cast(), true);
    }
}

fn change(
    block: *mut c_void,
    size: usize,
    alignment: usize,
    offset: usize,
    zeroed: bool,
) -> *mut c_void {
    let is_inside = offset < size || offset == 0 || (size == 0 && !block.is_null());
    match Alignment::new(alignment, offset) {
        Some(asked) if is_inside => reallocate(block, size, Some(asked), zeroed),
        _ => invalid_parameter(ptr::null_mut()),
    }
}
