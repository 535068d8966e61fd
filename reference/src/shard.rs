//! A shard: the spans that some threads allocate from, under one lock.
//!
//! Every thread is told a shard at its first call and stays with it, so
//! threads rarely wait for each other. A shard has, for each size class, the
//! span it takes blocks from now and the list of all spans with room.

use crate::alignment::Alignment;
use crate::bits::{run, runs};
use crate::heap::{Block, Heap};
use crate::os;
use crate::outbox::Outbox;
use crate::paged;
use crate::size_class;
use crate::span::{NO_SPAN, PAGE_SIZE, PageMask, SpanRef, pages_of};

/// A list for each size class, then those of [`paged`].
const LISTS: usize = size_class::COUNT + paged::LISTS;
/// Where memory is used up in order, the system is asked for so many pages at
/// a time, which takes it half the time that single ones do.
const AHEAD: usize = 16;

/// What the threads of a shard share.
pub struct Shard {
    /// Which one this is, as the records of its spans say.
    pub(crate) owner: u8,
    /// For each class, the span that blocks are taken from. It has room, had
    /// room when last looked at, or is none.
    current: [Option<SpanRef>; size_class::COUNT],
    /// The first span of each list.
    lists: [u32; LISTS],
    /// For each class, whether it has filled a span since `_heapmin`.
    grows: [bool; size_class::COUNT],
    /// Blocks of other shards that threads of this one have freed.
    pub(crate) outbox: Outbox,
}

// SAFETY: a shard owns its spans; nothing in it belongs to one thread.
unsafe impl Send for Shard {}

impl Shard {
    /// A shard without spans.
    pub const fn new(owner: u8) -> Shard {
        Shard {
            owner,
            current: [None; size_class::COUNT],
            lists: [NO_SPAN; LISTS],
            grows: [false; size_class::COUNT],
            outbox: Outbox::new(),
        }
    }

    /// A block of a size class, the lowest free one of the current span.
    /// `None` if there is no memory.
    #[inline(always)]
    pub fn allocate_small(&mut self, heap: &Heap, class: usize) -> Option<*mut u8> {
        if let Some(span) = &self.current[class]
            && let Some(slot) = span.free_slot()
        {
            let offset = slot * size_class::size(class);
            let pages = pages_of(offset, size_class::size(class));
            if pages & !span.resident.get() == 0 {
                span.take(slot);
                return Some(span.base.wrapping_add(offset));
            }
        }
        self.allocate_slowly(heap, class)
    }

    /// The same where something has to be found or asked for first.
    #[cold]
    fn allocate_slowly(&mut self, heap: &Heap, class: usize) -> Option<*mut u8> {
        let size = size_class::size(class);
        loop {
            let span = match self.current[class] {
                Some(span) => span,
                None => self.next_span(heap, class)?,
            };
            match span.free_slot() {
                Some(slot) => {
                    make_resident(span, pages_of(slot * size, size), self.grows[class])?;
                    span.take(slot);
                    return Some(span.base.wrapping_add(slot * size));
                }
                None => self.find_room(heap, span, class)?,
            }
        }
    }

    /// Makes a span of a class the current one: one with room, or a new one.
    fn next_span(&mut self, heap: &Heap, class: usize) -> Option<SpanRef> {
        let span = match self.lists[class] {
            NO_SPAN => {
                let span = heap.take_span(self.owner, |span| span.start_small(class))?;
                self.link(heap, span, class);
                span
            }
            number => heap.span(number),
        };
        self.current[class] = Some(span);
        Some(span)
    }

    /// The current span has no free slot in its bitmap. That grows, or the
    /// span is full, and another's turn comes.
    #[cold]
    fn find_room(&mut self, heap: &Heap, span: SpanRef, class: usize) -> Option<()> {
        let Some(words) = span.next_size() else {
            self.unlink(heap, span);
            self.current[class] = None;
            self.grows[class] = true;
            return Some(());
        };
        let old = span.lines();
        heap.in_space(span, |arena, space| {
            span.set_bitmap(arena.take_lines(space, words)?);
            if let Some(lines) = old {
                arena.give_lines(space, lines);
            }
            Some(())
        })
    }

    /// Takes back a small block by the offset of its first byte. `None` if no
    /// live block of this shard begins there; else whether the span is empty
    /// now and for the caller to give back.
    #[inline(always)]
    pub fn free_small(&mut self, heap: &Heap, span: &SpanRef, offset: usize) -> Option<bool> {
        let class = span.class().filter(|_| span.owner.get() == self.owner)?;
        let slot = size_class::slot_at(class, offset);
        if slot * size_class::size(class) != offset || !span.is_live(slot) {
            return None;
        }
        span.give(slot);
        let is_settled = span.touched.get() != 0 && span.list.get() != 0 && span.used.get() != 0;
        Some(!is_settled && self.settle(heap, *span, class))
    }

    /// Something was freed in a span that was untouched or full, or is empty
    /// now. Returns whether it is for the caller to give back.
    #[cold]
    fn settle(&mut self, heap: &Heap, span: SpanRef, class: usize) -> bool {
        heap.touch(span);
        if span.list.get() == 0 {
            self.link(heap, span, class);
        }
        // The current span stays: the next block may be only a moment away.
        let is_current = self.current[class].is_some_and(|current| current.number == span.number);
        let is_empty = span.used.get() == 0 && !is_current;
        if is_empty {
            self.unlink(heap, span);
        }
        is_empty
    }

    /// A block that is a run of pages. `total` is `size` and the room that the
    /// alignment asks for. `None` if there is no memory.
    pub fn allocate_pages(
        &mut self,
        heap: &Heap,
        size: usize,
        total: usize,
        asked: Alignment,
    ) -> Option<Block> {
        let count = total.div_ceil(PAGE_SIZE);
        // Every span on these lists has as many pages in a row.
        let lists = count.next_power_of_two().ilog2() as usize..paged::LISTS;
        let numbers = &self.lists[size_class::COUNT..];
        let number = lists
            .map(|list| numbers[list])
            .find(|&number| number != NO_SPAN);
        let span = match number {
            Some(number) => heap.span(number),
            None => heap.take_span(self.owner, |span| span.start_paged())?,
        };
        self.list_paged(heap, span);
        let first = span.find_pages(count)?;
        // The block begins where the alignment has it, which may be pages later.
        let gap = asked.gap(span.base.wrapping_add(first * PAGE_SIZE));
        let offset = first * PAGE_SIZE + gap;
        let pages = pages_of(offset, size);
        let old_bytes = pages & span.resident.get() != 0;
        make_resident(span, pages, false)?;
        span.take_pages(offset / PAGE_SIZE, pages.count_ones() as usize);
        self.list_paged(heap, span);
        let address = span.base.wrapping_add(offset);
        Some(Block { address, old_bytes })
    }

    /// Takes back a block that is a run of pages. Returns whether the span is
    /// empty now and for the caller to give back.
    pub fn free_pages(&mut self, heap: &Heap, span: SpanRef, first: usize, count: usize) -> bool {
        span.give_pages(first, count);
        heap.touch(span);
        match span.used.get() {
            0 => self.unlink(heap, span),
            _ => self.list_paged(heap, span),
        }
        span.used.get() == 0
    }

    /// Gives a block that is a run of pages another size. Returns false, with
    /// nothing changed, if there is no room for it.
    pub fn resize_pages(
        &mut self,
        heap: &Heap,
        span: SpanRef,
        first: usize,
        (old, new): (usize, usize),
    ) -> bool {
        if !span.resize_pages(first, old, new) {
            return false;
        }
        if new > old && make_resident(span, run(first + old, new - old), false).is_none() {
            span.resize_pages(first, new, old);
            return false;
        }
        if new < old {
            heap.touch(span);
        }
        self.list_paged(heap, span);
        true
    }

    /// Puts a span of page runs on the list that its longest free run says.
    fn list_paged(&mut self, heap: &Heap, span: SpanRef) {
        let list = span.paged_list().map(|list| size_class::COUNT + list);
        if list.map_or(0, |list| list as u8 + 1) != span.list.get() {
            self.unlink(heap, span);
            if let Some(list) = list {
                self.link(heap, span, list);
            }
        }
    }

    /// No span is the current one any more; spans may go or change their bitmap.
    pub(crate) fn forget_current(&mut self) {
        self.current.fill(None);
        self.grows.fill(false);
    }

    /// Puts a span in front of a list.
    fn link(&mut self, heap: &Heap, span: SpanRef, list: usize) {
        let next = self.lists[list];
        span.next.set(next);
        span.prev.set(NO_SPAN);
        span.list.set(list as u8 + 1);
        if next != NO_SPAN {
            heap.span(next).prev.set(span.number);
        }
        self.lists[list] = span.number;
    }

    /// Takes a span off its list, if it is on one.
    pub(crate) fn unlink(&mut self, heap: &Heap, span: SpanRef) {
        let (list, prev, next) = (span.list.get(), span.prev.get(), span.next.get());
        if list == 0 {
            return;
        }
        match prev {
            NO_SPAN => self.lists[list as usize - 1] = next,
            prev => heap.span(prev).next.set(next),
        }
        if next != NO_SPAN {
            heap.span(next).prev.set(prev);
        }
        span.list.set(0);
    }
}

/// Makes pages of a span usable; with those around them if more of the same is
/// to come. `None` if the system refuses.
#[cold]
pub(crate) fn make_resident(span: SpanRef, pages: PageMask, ahead: bool) -> Option<()> {
    let first = pages.trailing_zeros() as usize / AHEAD * AHEAD;
    let wanted = if ahead {
        pages | run(first, AHEAD)
    } else {
        pages
    };
    for (first, count) in runs(wanted & !span.resident.get()) {
        let (base, len) = (span.base.wrapping_add(first * PAGE_SIZE), count * PAGE_SIZE);
        // SAFETY: whole pages of a span of ours.
        if !unsafe { os::commit(base, len) } {
            return None;
        }
        if ahead {
            // SAFETY: as above.
            unsafe { os::populate(base, len) };
        }
    }
    span.resident.set(span.resident.get() | wanted);
    Some(())
}
