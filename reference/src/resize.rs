//! New sizes for blocks, in place or with a move.
//!
//! The records have the class or the pages of a block, but not the size that the
//! caller requested. When `_recalloc` enlarges a block, all bytes after the old
//! requested size must be zero. So the heap zeroes the bytes after the requested
//! size whenever a block gets a size.

use crate::alignment::Alignment;
use crate::heap::{Heap, Live, Owner};
use crate::os;
use crate::span::PAGE_SIZE;
use core::ptr;

impl Heap {
    /// Resizes the block that begins at `address` in place. A block can always
    /// shrink. Returns false, and changes nothing, if it cannot grow to `size`.
    pub fn resize_in_place(&self, address: *mut u8, size: usize) -> bool {
        self.locate(address)
            .is_some_and(|live| self.resize(live, size))
    }

    /// Resizes a live block, and moves it if necessary. Returns its address, or
    /// `None`, with the block unchanged, if there is no memory.
    pub(crate) fn reallocate(&self, live: Live, size: usize, asked: Alignment) -> Option<*mut u8> {
        let address = live.base.wrapping_add(live.gap);
        let is_aligned = asked.gap(address) == 0;
        // A block that shrinks to less than half moves, to free its old slot or pages.
        if is_aligned && size >= live.size / 2 && self.resize(live, size) {
            return Some(address);
        }
        let Some(new) = self.allocate_aligned(size, asked) else {
            let stays = is_aligned && self.resize(live, size);
            return stays.then_some(address);
        };
        // SAFETY: two live blocks of at least that many bytes.
        unsafe { ptr::copy_nonoverlapping(address, new.address, live.size.min(size)) };
        self.free_slowly(address, true);
        Some(new.address)
    }

    fn resize(&self, live: Live, size: usize) -> bool {
        let (old, new) = (live.gap + live.size, live.gap.saturating_add(size));
        if let Some((arena, _, Owner::Space(mut space))) = self.find_live(live.base) {
            let page = (live.base as usize - live.span.base as usize) / PAGE_SIZE;
            let new = new.max(1);
            let done = arena.resize_pages(&mut space, live.span, page, new.div_ceil(PAGE_SIZE));
            if new <= old || done == Some(true) {
                clear_to_page(live.base, new);
            }
            return done.is_some();
        }
        if new <= old {
            clear_tail(live.base, new, old);
        }
        new <= old
    }
}

/// Zeroes a live block of `size` bytes. On Unix, whole pages of a large one go back to
/// the system instead: they read as zeros, and take no memory before their next use.
pub(crate) fn clear(base: *mut u8, size: usize) {
    /// Below this, writing zeros takes less time than a page fault for each page.
    const LARGE: usize = 1 << 20;
    if size < LARGE {
        return clear_tail(base, 0, size);
    }
    let page = os::page_size();
    let start = (base as usize).next_multiple_of(page) - base as usize;
    let end = ((base as usize + size) / page * page).saturating_sub(base as usize);
    // SAFETY: whole pages of the caller's own block.
    if unsafe { os::reset(base.wrapping_add(start), end - start) } {
        clear_tail(base, 0, start);
        clear_tail(base.wrapping_add(end), 0, size - end);
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

/// Zeroes the same bytes of a new block. If they are 16 or fewer, it zeroes the
/// last 16 bytes with one store: no caller has written to the new block yet.
#[inline]
pub(crate) fn clear_rest(base: *mut u8, used: usize, size: usize) {
    if size - used > 16 {
        return clear_tail(base, used, size);
    }
    // SAFETY: as above, and no block is smaller than 16 bytes.
    unsafe {
        base.wrapping_add(size - 16)
            .cast::<u128>()
            .write_unaligned(0)
    };
}

/// Zeroes the rest of the last page of a live large block of `size` bytes.
pub(crate) fn clear_to_page(address: *mut u8, size: usize) {
    let rest = (address as usize + size).wrapping_neg() % PAGE_SIZE;
    // SAFETY: the callers pass a block of whole pages; the rest of the last belongs to it.
    unsafe { ptr::write_bytes(address.wrapping_add(size), 0, rest) };
}
