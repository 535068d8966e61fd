//! Blocks of several spans. The record of the first has the size; the others
//! are marked as used, and that is all.

use crate::alignment::Alignment;
use crate::arena::Space;
use crate::heap::{Block, Heap};
use crate::os;
use crate::span::{HUGE, NOBODY, SPACE, SPAN_SIZE, SpanRef, pages_of};
use core::sync::atomic::Ordering;

impl Heap {
    /// A block of `size` bytes; `total` is that and the room that the alignment
    /// asks for. `None` if there is no memory.
    #[cold]
    pub(crate) fn allocate_spans(
        &self,
        size: usize,
        total: usize,
        asked: Alignment,
    ) -> Option<Block> {
        let count = total.div_ceil(SPAN_SIZE);
        let mut space = self.space();
        let taken = self.take(count, |arena| {
            let first = arena.find_spans(&space, count)?;
            // What is not needed before and behind the block is not taken.
            let gap = asked.gap(arena.address(first));
            let (first, gap) = (first + gap / SPAN_SIZE, gap % SPAN_SIZE);
            let old_bytes = arena.take_spans(&mut space, first, gap + size)?;
            let record = arena.record(first);
            record.kind.set(HUGE);
            record.resident.set(0);
            record.body[0].set((gap + size) as u64);
            record.owner.set(SPACE);
            let address = arena.address(first).wrapping_add(gap);
            Some(Block { address, old_bytes })
        });
        Some(taken?.1)
    }

    /// Takes back a block of `size` bytes.
    pub(crate) fn free_spans(&self, space: &mut Space, span: SpanRef, size: usize) {
        let (arena, first) = self.arena_of(span);
        span.owner.set(NOBODY);
        arena.give_spans(space, first, size);
        self.touched.store(true, Ordering::Relaxed);
    }

    /// Gives a block of `old` bytes another size. Returns false, with nothing
    /// changed, if what lies behind it is taken or the system refuses.
    pub(crate) fn resize_spans(
        &self,
        space: &mut Space,
        span: SpanRef,
        old: usize,
        new: usize,
    ) -> bool {
        let (arena, first) = self.arena_of(span);
        let (old_end, end) = (
            old.next_multiple_of(SPAN_SIZE),
            new.next_multiple_of(SPAN_SIZE),
        );
        // In the last span that both sizes have: bytes in use, and the pages behind them.
        let last = first + old_end.min(end) / SPAN_SIZE - 1;
        let in_last = |size: usize| size.min(old_end.min(end)) - (last - first) * SPAN_SIZE;
        let record = arena.record(last);
        if new < old {
            let behind = pages_of(0, in_last(old)) & !pages_of(0, in_last(new));
            record.resident.set(record.resident.get() | behind);
            arena.touch(last);
            arena.give_spans(space, last + 1, old.saturating_sub(end));
            self.touched.store(true, Ordering::Relaxed);
        } else {
            // SAFETY: pages of the block's own span.
            let usable = unsafe {
                os::commit(
                    arena.address(last),
                    in_last(new).next_multiple_of(os::page_size()),
                )
            };
            let more = new.saturating_sub(old_end);
            if !usable || more > 0 && arena.extend(space, last + 1, more).is_none() {
                return false;
            }
            record
                .resident
                .set(record.resident.get() & !pages_of(0, in_last(new)));
        }
        span.body[0].set(new as u64);
        true
    }
}
