//! Writes zeros: to blocks of `calloc`, and to the bytes of a block after those that
//! the caller requested ([`crate::resize`]).

use crate::layout::PAGE_SIZE;
use crate::os;
use core::ptr;

/// Zeroes a live block of `size` bytes. On Unix, whole pages of a large one go back to
/// the system instead: they read as zeros, and take no memory before their next use.
pub(crate) fn clear(base: *mut u8, size: usize) {
    /// Below this, writing zeros takes less time than a page fault for each page.
    const LARGE: usize = 1 << 20;
    if size < LARGE {
        return clear_tail(base, 0, size);
    }
    let (start, len) = os::whole_pages_of(base, size);
    // SAFETY: whole pages of the caller's own block.
    if unsafe { os::reset(base.wrapping_add(start), len) } {
        clear_tail(base, 0, start);
        clear_tail(base, start + len, size);
    } else {
        clear_tail(base, 0, size);
    }
}

/// Zeroes the bytes from `used` to `size` of a live block.
#[inline]
pub(crate) fn clear_tail(base: *mut u8, used: usize, size: usize) {
    if used == size {
        return;
    }
    // SAFETY: the callers pass their own block of `size` bytes, and `used` is not larger.
    unsafe { ptr::write_bytes(base.wrapping_add(used), 0, size - used) };
}

/// The most bytes that [`clear_end`] clears.
pub(crate) const AT_ONCE: usize = 16;

/// Zeroes the last 16 bytes of a new block of `size` bytes, with one store. This serves for
/// any number of bytes up to 16: no caller has written to the block yet.
#[inline(always)]
pub(crate) fn clear_end(base: *mut u8, size: usize) {
    // SAFETY: the caller's own block, and no block is smaller than 16 bytes.
    unsafe {
        base.wrapping_add(size - AT_ONCE)
            .cast::<u128>()
            .write_unaligned(0)
    };
}

/// Zeroes the rest of the last page of a live block of `size` bytes in whole pages.
pub(crate) fn clear_to_page(address: *mut u8, size: usize) {
    let rest = (address as usize + size).wrapping_neg() % PAGE_SIZE;
    // SAFETY: the callers pass a block of whole pages; the rest of the last belongs to it.
    unsafe { ptr::write_bytes(address.wrapping_add(size), 0, rest) };
}
