//! A block gets another size: where it stands, or elsewhere.
//!
//! Of a small block only the class is on record, not the bytes that were
//! asked for. So that those behind them are zero when `_recalloc` makes them
//! part of the block, they are cleared whenever a size is given.

use crate::alignment::Alignment;
use crate::arena::{Arena, CHUNK_SPANS};
use crate::entry::Tier;
use crate::heap::{Heap, Live, start_large};
use crate::span::SPAN_SIZE;
use core::ptr;

impl Heap {
    /// Gives the block that begins at `address` a new size where it stands;
    /// it can always shrink. Returns false, with nothing changed, if it
    /// cannot grow so far.
    pub fn resize_in_place(&mut self, address: *mut u8, size: usize) -> bool {
        self.locate(address)
            .is_some_and(|live| self.resize(live, size))
    }

    /// Gives a live block a new size, elsewhere if need be. `None`, with the
    /// block as it was, if there is no memory.
    pub(crate) fn reallocate(
        &mut self,
        live: Live,
        size: usize,
        asked: Alignment,
    ) -> Option<*mut u8> {
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
        self.give(Some(live));
        Some(new.address)
    }

    fn resize(&mut self, live: Live, size: usize) -> bool {
        let (old, new) = (live.gap + live.size, live.gap.saturating_add(size));
        let arena = self.arena(live.arena);
        match live.tier {
            Tier::Small if new > old => return false,
            Tier::Small => clear_behind(live.base, new, old),
            Tier::Large => return resize_large(arena, live.span, old, new.max(1)),
            Tier::Huge => return arena.resize_chunks(live.span / CHUNK_SPANS, new.max(1)),
        }
        true
    }
}

fn resize_large(arena: &mut Arena, first: usize, old: usize, size: usize) -> bool {
    let (old_count, count) = (old.div_ceil(SPAN_SIZE), size.div_ceil(SPAN_SIZE));
    if count > old_count || start_large(arena, first, size).is_none() {
        return false;
    }
    if size < old {
        arena.touch(first + count - 1);
    }
    arena.give_spans(first + count, old_count - count);
    true
}

/// Clears the bytes from `used` to `size` of a live block.
pub(crate) fn clear_behind(base: *mut u8, used: usize, size: usize) {
    // SAFETY: the callers pass a block that is theirs, has `size` bytes, and not less than `used`.
    unsafe { ptr::write_bytes(base.wrapping_add(used), 0, size - used) };
}
