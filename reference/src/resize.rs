//! New sizes for blocks, in place or with a move.
//!
//! The records have the class or the pages of a block, but not the size that the
//! caller requested. When `_recalloc` enlarges a block, all bytes after the old
//! requested size must be zero. So the heap zeroes the bytes after the requested
//! size whenever a block gets a size.

use crate::alignment::Alignment;
use crate::clear::{clear_tail, clear_to_page};
use crate::heap::{Block, Heap, Live, Owner};
use crate::layout::{PAGE_SIZE, SPAN_SIZE};
use crate::misuse;
use crate::os;
use crate::span::LARGE;
use core::ptr;

impl Heap {
    /// Resizes the block that begins at `address` in place. A block can always
    /// shrink. Returns false, and changes nothing, if it cannot grow to `size`.
    pub fn resize_in_place(&self, address: *mut u8, size: usize) -> bool {
        match self.locate(address) {
            Some(live) => self.resize(live, size),
            None => misuse::resize_in_place(self, address, size),
        }
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
        move_bytes(address, &new, live.size.min(size));
        self.free_any(address, true);
        Some(new.address)
    }

    fn resize(&self, live: Live, size: usize) -> bool {
        let (old, new) = (live.gap + live.size, live.gap.saturating_add(size));
        if let Some((live, Owner::Space(mut space))) = self.find_live(live.base) {
            let new = new.max(1);
            let first = (live.base as usize - live.span.base as usize) / PAGE_SIZE;
            let block = (first, live.size / PAGE_SIZE);
            let done = match live.span.kind.get() {
                LARGE => space.resize_large(live.span, new.div_ceil(PAGE_SIZE)),
                _ => space.resize_pages(live.span, block, new.div_ceil(PAGE_SIZE)),
            };
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

/// Moves `size` bytes of a block to the start of a new one. What was in the old one is lost.
fn move_bytes(from: *mut u8, new: &Block, size: usize) {
    /// Below this, in bytes, copying is as fast. And each block that moves by pages makes the
    /// system's list of mappings longer.
    const BY_PAGES: usize = 1 << 20;
    let to = new.address;
    // To pages that are resident already, copying takes less time.
    let is_better = size >= BY_PAGES && !new.old_bytes;
    let by_spans = is_better && (from as usize | to as usize) % SPAN_SIZE == 0;
    let mut moved = 0;
    // Span by span: Linux before 6.17 moves pages of one mapping only, and the mappings of
    // the heap begin and end at spans.
    while by_spans && size - moved >= SPAN_SIZE {
        let (from, to) = (from.wrapping_add(moved), to.wrapping_add(moved));
        // SAFETY: a whole span of each of two live blocks of at least that many bytes.
        if !unsafe { os::move_pages(from, to, SPAN_SIZE) } {
            break;
        }
        moved += SPAN_SIZE;
    }
    let (from, to) = (from.wrapping_add(moved), to.wrapping_add(moved));
    // SAFETY: the rest of two live blocks of at least that many bytes.
    unsafe { ptr::copy_nonoverlapping(from, to, size - moved) };
}
