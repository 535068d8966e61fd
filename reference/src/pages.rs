//! Blocks of whole pages, for requests from 32 KiB up to a span. Several may be in a
//! span.
//!
//! Two words of a span's record say which of its pages are live, and at which of them a
//! block begins.

use crate::alignment::Alignment;
use crate::bits::{find_run, log2_of_longest_run, run};
use crate::clear::clear_to_page;
use crate::heap::Block;
use crate::layout::{ALL_PAGES, PAGE_SIZE, PageMask, SPAN_PAGES};
use crate::shared::Shared64;
use crate::space::Space;
use crate::span::{PAGES, SPACE, Span, SpanRef};

/// Number of lists of spans with free pages: one for each power of two that the
/// longest run of free pages may reach.
pub(crate) const LISTS: usize = SPAN_PAGES.ilog2() as usize + 1;

impl Span {
    /// The live pages: those that belong to a block.
    pub(crate) fn live(&self) -> &Shared64 {
        &self.body[0]
    }

    /// The live pages at which a block begins.
    pub(crate) fn starts(&self) -> &Shared64 {
        &self.body[1]
    }

    /// The pages that are not live.
    pub(crate) fn free_pages(&self) -> PageMask {
        ALL_PAGES & !self.live().get()
    }

    /// The block that contains a page: its first page and its number of pages. `None` if
    /// there is no such block.
    pub(crate) fn run_at(&self, page: usize) -> Option<(usize, usize)> {
        let (live, starts) = (self.live().get(), self.starts().get());
        let first = (starts & run(0, page + 1)).checked_ilog2()? as usize;
        // The block continues over live pages until one begins another block.
        let inside = live & !starts | run(first, 1);
        let count = (inside >> first).trailing_ones() as usize;
        (page < first + count).then_some((first, count))
    }
}

impl Space<'_> {
    /// Allocates a block of `size` bytes. `total` is `size` and the room that
    /// the alignment needs. Returns `None` if there is no memory.
    pub(crate) fn allocate_pages(
        &mut self,
        size: usize,
        total: usize,
        asked: Alignment,
    ) -> Option<Block> {
        let (span, found) = self.find_pages(total.div_ceil(PAGE_SIZE))?;
        // The block begins at the first aligned address, perhaps some pages later.
        let base = span.base.wrapping_add(found * PAGE_SIZE);
        let gap = asked.gap(base);
        let first = found + gap / PAGE_SIZE;
        let count = (gap % PAGE_SIZE + size).div_ceil(PAGE_SIZE);
        let taken = self.take_pages(span, run(first, count));
        if taken.is_some() {
            span.starts().set(span.starts().get() | run(first, 1));
        }
        self.list_pages(span);
        let (old_bytes, address) = (taken?, base.wrapping_add(gap));
        if old_bytes {
            clear_to_page(address, size);
        }
        Some(Block { address, old_bytes })
    }

    /// A span with `count` free pages in a row, and the first of them.
    fn find_pages(&mut self, count: usize) -> Option<(SpanRef, usize)> {
        // Every span on these lists has at least `count` free pages in a row.
        let lists = &self.taken.lists[count.next_power_of_two().ilog2() as usize..];
        let span = match lists.iter().find_map(|list| list.first(self.arena)) {
            Some(span) => span,
            None => {
                let index = self.find_spans(1)?;
                let span = self.take_span(index)?;
                span.kind.set(PAGES);
                span.live().set(0);
                span.starts().set(0);
                span.owner.set(SPACE);
                span
            }
        };
        Some((span, find_run(span.free_pages(), count)?))
    }

    /// Makes free pages live and usable. Returns whether they may hold old bytes. Returns
    /// `None`, and changes nothing, if the system refuses.
    fn take_pages(&mut self, span: SpanRef, pages: PageMask) -> Option<bool> {
        let base = span
            .base
            .wrapping_add(pages.trailing_zeros() as usize * PAGE_SIZE);
        self.commit(base, pages.count_ones() as usize)?;
        let old_bytes = span.resident.get() & pages != 0;
        span.resident.set(span.resident.get() | pages);
        span.live().set(span.live().get() | pages);
        Some(old_bytes)
    }

    /// Frees pages of a block.
    pub(crate) fn give_pages(&mut self, span: SpanRef, pages: PageMask) {
        span.live().set(span.live().get() & !pages);
        span.starts().set(span.starts().get() & !pages);
        self.mark_dirty(span.index);
        self.list_pages(span);
    }

    /// Resizes a block in place to `new` pages. Returns whether it got pages that may hold
    /// old bytes. Returns `None`, and changes nothing, if the pages after it are not free
    /// or the system refuses.
    pub(crate) fn resize_pages(
        &mut self,
        span: SpanRef,
        (first, old): (usize, usize),
        new: usize,
    ) -> Option<bool> {
        if new <= old {
            self.give_pages(span, run(first + new, old - new));
            return Some(false);
        }
        if first + new > SPAN_PAGES {
            return None;
        }
        let added = run(first + old, new - old);
        let taken = (span.live().get() & added == 0).then(|| self.take_pages(span, added))?;
        self.list_pages(span);
        taken
    }

    /// Moves a span to the list for its longest run of free pages: spans on list
    /// n have at least 2^n free pages in a row. A span that is full is on no list. One
    /// without a live page is freed.
    fn list_pages(&mut self, span: SpanRef) {
        let is_empty = span.live().get() == 0;
        let longest = log2_of_longest_run(span.free_pages()).filter(|_| !is_empty);
        let wanted = longest.map_or(0, |list| list as u8 + 1);
        let now = span.list.get();
        if now != wanted {
            if let Some(list) = self.taken.lists.get_mut((now as usize).wrapping_sub(1)) {
                list.remove(self.arena, span);
            }
            if let Some(list) = self.taken.lists.get_mut((wanted as usize).wrapping_sub(1)) {
                list.push(self.arena, span, wanted);
            }
        }
        if is_empty {
            self.give_span(span);
        }
    }
}
