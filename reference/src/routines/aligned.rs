//! Blocks with an alignment that the program requests. A routine without
//! `offset` in its name is the one with the offset 0, and forbids size 0 for a new
//! block.

use super::blocks::{reallocate, size_of_block};
use super::handler::invalid_parameter;
use super::process::heap;
use crate::alignment::Alignment;
use core::ffi::c_void;
use core::ptr;

/// Allocates a block at a multiple of `alignment`. Returns null with `EINVAL` if
/// `alignment` is not a power of two or `size` is 0, which no other page forbids;
/// with `ENOMEM` if there is no memory. Page: *_aligned_malloc*.
pub fn aligned_malloc(size: usize, alignment: usize) -> *mut c_void {
    match size {
        0 => invalid_parameter(ptr::null_mut()),
        _ => aligned_offset_malloc(size, alignment, 0),
    }
}

/// Allocates a block whose byte at `offset` lies at a multiple of `alignment`.
/// Returns null with `EINVAL` if `alignment` is not a power of two or `offset`
/// is neither 0 nor below `size`; with `ENOMEM` if there is no memory. Page:
/// *_aligned_offset_malloc*.
pub fn aligned_offset_malloc(size: usize, alignment: usize, offset: usize) -> *mut c_void {
    change(ptr::null_mut(), size, alignment, offset, false)
}

/// [`aligned_offset_realloc`] with the offset 0. For a null block it acts as
/// `_aligned_malloc`, also for size 0. Page: *_aligned_realloc*.
///
/// # Safety
/// As for [`aligned_offset_realloc`].
pub unsafe fn aligned_realloc(block: *mut c_void, size: usize, alignment: usize) -> *mut c_void {
    match block.is_null() {
        true => aligned_malloc(size, alignment),
        false => change(block, size, alignment, 0, false),
    }
}

/// [`aligned_realloc`] for `count` items of `size` bytes, with new bytes zero.
/// Fails with `ENOMEM` also if the product overflows. Page: *_aligned_recalloc*.
///
/// # Safety
/// As for [`aligned_offset_realloc`].
pub unsafe fn aligned_recalloc(
    block: *mut c_void,
    count: usize,
    size: usize,
    alignment: usize,
) -> *mut c_void {
    match count.saturating_mul(size) {
        0 if block.is_null() => invalid_parameter(ptr::null_mut()),
        size => change(block, size, alignment, 0, true),
    }
}

/// Resizes an aligned block, and moves it if necessary. For a null block it acts
/// as `_aligned_offset_malloc`; for size 0 it frees the block and returns null.
/// On failure it returns null with the `errno` of `_aligned_offset_malloc`, and
/// the old block is unchanged. Page: *_aligned_offset_realloc*.
///
/// # Safety
/// `block` is null or a live aligned block of this heap, and nothing else uses it
/// during the call.
pub unsafe fn aligned_offset_realloc(
    block: *mut c_void,
    size: usize,
    alignment: usize,
    offset: usize,
) -> *mut c_void {
    change(block, size, alignment, offset, false)
}

/// [`aligned_offset_realloc`] for `count` items of `size` bytes, with new bytes zero.
/// Fails with `ENOMEM` also if the product overflows. Page:
/// *_aligned_offset_recalloc*.
///
/// # Safety
/// As for [`aligned_offset_realloc`].
pub unsafe fn aligned_offset_recalloc(
    block: *mut c_void,
    count: usize,
    size: usize,
    alignment: usize,
    offset: usize,
) -> *mut c_void {
    change(block, count.saturating_mul(size), alignment, offset, true)
}

/// The size of an aligned block in bytes, at least the requested size. Returns
/// -1 with `EINVAL` for null, for what is not a live block, and if `alignment`
/// is not a power of two. The offset is not needed. Page: *_aligned_msize*.
pub fn aligned_msize(block: *const c_void, alignment: usize, _offset: usize) -> usize {
    let is_valid = !block.is_null() && alignment.is_power_of_two();
    let size = is_valid.then(|| size_of_block(block, true)).flatten();
    size.unwrap_or_else(|| invalid_parameter(usize::MAX))
}

/// Frees an aligned block. Null is ignored, and `errno` is unchanged. Page:
/// *_aligned_free*.
///
/// # Safety
/// `block` is null or a live aligned block of this heap, which is not used afterwards.
pub unsafe fn aligned_free(block: *mut c_void) {
    if !block.is_null() {
        heap().free_any(block.cast(), true);
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
