//! A block gets another size: where it stands, or elsewhere.
//!
//! Of a block inside a span only the class, or the pages, are on record, not
//! the bytes that were asked for. So that those behind them are zero when
//! `_recalloc` makes them part of the block, they are cleared whenever a size
//! is given.

use crate::alignment::Alignment;
use crate::heap::{Heap, Live, Owner};
use crate::span::PAGE_SIZE;
use core::ptr;

impl Heap {
    /// Gives the block that begins at `address` a new size where it stands;
    /// it can always shrink. Returns false, with nothing changed, if it
    /// cannot grow so far.
    pub fn resize_in_place(&self, address: *mut u8, size: usize) -> bool {
        self.locate(address)
            .is_some_and(|live| self.resize(live, size))
    }

    /// Gives a live block a new size, elsewhere if need be. `None`, with the
    /// block as it was, if there is no memory.
    pub(crate) fn reallocate(&self, live: Live, size: usize, asked: Alignment) -> Option<*mut u8> {
        let address = live.base.wrapping_add(live.gap);
        let is_aligned = asked.gap(address) == 0;
        // What falls to less than half moves, so that its place can be used better.
        if is_aligned && size >= live.size / 2 && self.resize(live, size) {
            return Some(address);
        }
        let Some(new) = self.allocate_aligned(size, asked) else {
            let stays = is_aligned && self.resize(live, size);
            return stays.then_some(address);
        };
        // SAFETY: two live blocks with at least so many bytes each.
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
            clear_behind(live.base, new, old);
        }
        new <= old
    }
}

/// Clears the bytes from `used` to `size` of a live block.
#[inline]
pub(crate) fn clear_behind(base: *mut u8, used: usize, size: usize) {
    if used == size {
        return;
    }
    // SAFETY: the callers pass a block that is theirs, has `size` bytes, and not less than `used`.
    unsafe { ptr::write_bytes(base.wrapping_add(used), 0, size - used) };
}

/// The same for a new block, of which nobody has a byte yet: where 16 bytes at
/// its end are enough, they are written at once.
#[inline]
pub(crate) fn clear_rest(base: *mut u8, used: usize, size: usize) {
    if size - used > 16 {
        return clear_behind(base, used, size);
    }
    // SAFETY: as above, and no block is smaller than 16 bytes.
    unsafe {
        base.wrapping_add(size - 16)
            .cast::<u128>()
            .write_unaligned(0)
    };
}

/// Clears the rest of the page behind a live block that is a run of pages.
pub(crate) fn clear_to_page(address: *mut u8, size: usize) {
    let rest = (address as usize + size).wrapping_neg() % PAGE_SIZE;
    // SAFETY: the callers pass a block of whole pages, which goes on to the end of the last.
    unsafe { ptr::write_bytes(address.wrapping_add(size), 0, rest) };
}
