//! Large blocks: runs of whole pages, for requests over 8 KiB. A run may
//! continue in the next spans.
//!
//! Pages are numbered from the arena's first. Three words of a span's record
//! say which of its pages are live, at which of them a block begins, and how
//! many pages of its last block lie in later spans. If all pages of a span lie
//! inside a block of an earlier span, its group marks it as used and its record
//! is not written.

use crate::alignment::Alignment;
use crate::arena::Arena;
use crate::bits::{find_run, log2_of_longest_run, run};
use crate::heap::Block;
use crate::os;
use crate::resize::clear_to_page;
use crate::shared::Shared64;
use crate::space::Space;
use crate::span::{
    ALL_PAGES, LARGE, NO_OWNER, PAGE_SIZE, PageMask, SPACE, SPAN_PAGES, Span, SpanRef,
};
use core::sync::atomic::Ordering::Relaxed;

/// Number of lists of spans with free pages: one for each power of two that the
/// longest run of free pages may reach.
pub(crate) const LISTS: usize = SPAN_PAGES.ilog2() as usize + 1;

impl Span {
    /// Makes this a span for large blocks with these live pages. No block begins
    /// in it yet.
    fn start_large(&self, live: PageMask) {
        self.kind.set(LARGE);
        self.live().set(live);
        self.starts().set(0);
        self.beyond().set(0);
        self.owner.set(SPACE);
    }

    /// The live pages: those that belong to a block.
    pub(crate) fn live(&self) -> &Shared64 {
        &self.body[0]
    }

    /// The live pages at which a block begins.
    pub(crate) fn starts(&self) -> &Shared64 {
        &self.body[1]
    }

    /// Number of pages of the last block that lie in later spans.
    pub(crate) fn beyond(&self) -> &Shared64 {
        &self.body[2]
    }

    /// The pages that are not live.
    pub(crate) fn free_pages(&self) -> PageMask {
        ALL_PAGES & !self.live().get()
    }

    /// The block that begins in this span and contains this page of it: its
    /// first page and its number of pages. `None` if there is no such block.
    pub(crate) fn block_of_page(&self, page: usize) -> Option<(usize, usize)> {
        let (live, starts) = (self.live().get(), self.starts().get());
        let first = (starts & run(0, page + 1)).checked_ilog2()? as usize;
        // The block continues over live pages until one begins another block.
        let inside = live & !starts | run(first, 1);
        let count = (inside >> first).trailing_ones() as usize;
        let goes_on = first + count == SPAN_PAGES;
        let beyond = if goes_on {
            self.beyond().get() as usize
        } else {
            0
        };
        (page < first + count).then_some((first, count + beyond))
    }
}

impl Arena {
    /// Allocates a block of `size` bytes. `total` is `size` and the room that
    /// the alignment needs. Returns `None` if there is no memory.
    pub(crate) fn allocate_pages(
        &self,
        size: usize,
        total: usize,
        asked: Alignment,
    ) -> Option<Block> {
        let mut space = self.space();
        let found = self.find_pages(&mut space, total.div_ceil(PAGE_SIZE))?;
        // The block begins at the first aligned address, perhaps some pages later.
        let gap = asked.gap(self.page(found));
        let (first, offset) = (found + gap / PAGE_SIZE, gap % PAGE_SIZE);
        let count = (offset + size).div_ceil(PAGE_SIZE);
        let old_bytes = self.take_pages(&mut space, first, count)?;
        let span = self.get((first / SPAN_PAGES) as u32)?;
        span.starts()
            .set(span.starts().get() | run(first % SPAN_PAGES, 1));
        set_end(span, first % SPAN_PAGES + count, 0);
        let address = self.page(first).wrapping_add(offset);
        if old_bytes {
            clear_to_page(address, size);
        }
        Some(Block { address, old_bytes })
    }

    /// Frees the block that begins in this span and contains this page of it.
    pub(crate) fn free_pages(&self, space: &mut Space, span: SpanRef, page: usize) {
        if let Some((first, count)) = span.block_of_page(page) {
            set_end(span, 0, first + count);
            self.give_pages(space, number_of(span, first), count);
        }
    }

    /// Resizes that block in place to `new` pages. Returns whether it got pages
    /// that may hold old bytes. Returns `None`, and changes nothing, if the
    /// pages after it are not free or the system refuses.
    pub(crate) fn resize_pages(
        &self,
        space: &mut Space,
        span: SpanRef,
        page: usize,
        new: usize,
    ) -> Option<bool> {
        let (first, old) = span.block_of_page(page)?;
        let number = number_of(span, first);
        let mut old_bytes = false;
        if number.saturating_add(new) > self.len * SPAN_PAGES {
            return None;
        }
        if new > old {
            let mut added = portions(number + old, new - old);
            if !added.all(|(index, pages)| self.are_free(index, pages)) {
                return None;
            }
            old_bytes = self.take_pages(space, number + old, new - old)?;
        } else if new < old {
            self.give_pages(space, number + new, old - new);
        }
        set_end(span, first + new, first + old);
        Some(old_bytes)
    }

    /// The number of the first of `count` free pages in a row.
    fn find_pages(&self, space: &mut Space, count: usize) -> Option<usize> {
        // Every span on these lists has at least `count` free pages in a row.
        let lists = count.next_power_of_two().ilog2() as usize..LISTS;
        match space
            .large
            .get(lists)
            .and_then(|lists| lists.iter().find_map(|list| list.first(self)))
        {
            Some(span) => Some(number_of(span, find_run(span.free_pages(), count)?)),
            None => Some(self.find_spans(space, count.div_ceil(SPAN_PAGES))? as usize * SPAN_PAGES),
        }
    }

    fn are_free(&self, index: u32, pages: PageMask) -> bool {
        let is_large = |span: SpanRef| span.owner.get() == SPACE && span.live().get() & pages == 0;
        !self.is_used(index) || self.get(index).is_some_and(is_large)
    }

    /// Takes free pages and makes them usable. Returns whether they may hold old
    /// bytes. Returns `None`, and changes nothing, if the system refuses.
    fn take_pages(&self, space: &mut Space, first: usize, count: usize) -> Option<bool> {
        self.raise_top((first + count).div_ceil(SPAN_PAGES))?;
        let len = (count * PAGE_SIZE).next_multiple_of(os::page_size());
        // SAFETY: whole pages of the arena, which hold no block.
        unsafe { os::commit(self.page(first), len) }.then_some(())?;
        let mut old_bytes = false;
        for (index, pages) in portions(first, count) {
            let (group, bit) = self.group_of(index);
            let is_known = group.used.get() & bit != 0;
            let is_inner = pages == ALL_PAGES && index as usize != first / SPAN_PAGES;
            // Neither used nor marked: no page is resident, and its record need
            // not be read.
            let is_fresh = (group.used.get() | group.touched.load(Relaxed)) & bit == 0;
            let span = match is_known {
                true => self.get(index)?,
                false => self.take_span(space, index)?,
            };
            if is_inner && !is_known {
                if !is_fresh {
                    old_bytes |= span.resident.get() != 0;
                    span.resident.set(0);
                    span.touched.set(0);
                    group.touched.fetch_and(!bit, Relaxed);
                }
                continue;
            }
            if !is_known {
                span.start_large(0);
            }
            old_bytes |= span.resident.get() & pages != 0;
            span.resident.set(span.resident.get() | pages);
            span.live().set(span.live().get() | pages);
            self.list_large(space, span);
        }
        Some(old_bytes)
    }

    /// Frees live pages.
    fn give_pages(&self, space: &mut Space, first: usize, count: usize) {
        for (index, pages) in portions(first, count) {
            let Some(span) = self.get(index) else {
                return;
            };
            if span.owner.get() == NO_OWNER {
                if pages == ALL_PAGES {
                    self.give_inner_span(space, index);
                    continue;
                }
                span.start_large(ALL_PAGES);
                span.resident.set(ALL_PAGES);
            }
            span.live().set(span.live().get() & !pages);
            span.starts().set(span.starts().get() & !pages);
            self.touch(span);
            self.list_large(space, span);
            if span.live().get() == 0 {
                self.give_span(space, span);
            }
        }
    }

    /// Moves a span to the list for its longest run of free pages: spans on list
    /// n have at least 2^n free pages in a row. A span that is full or has no
    /// live page is on no list.
    fn list_large(&self, space: &mut Space, span: SpanRef) {
        let is_partial = span.live().get() != 0;
        let longest = log2_of_longest_run(span.free_pages()).filter(|_| is_partial);
        let wanted = longest.map_or(0, |list| list as u8 + 1);
        let now = span.list.get();
        if now != wanted {
            if let Some(list) = space.large.get_mut((now as usize).wrapping_sub(1)) {
                list.remove(self, span);
            }
            if let Some(list) = space.large.get_mut((wanted as usize).wrapping_sub(1)) {
                list.push(self, span, wanted);
            }
        }
    }
}

/// Notes how many pages of the last block of a span lie in later spans. `end`
/// and `old_end` are its new and its old end, in pages from the start of the span.
fn set_end(span: SpanRef, end: usize, old_end: usize) {
    if end.max(old_end) >= SPAN_PAGES {
        span.beyond().set(end.saturating_sub(SPAN_PAGES) as u64);
    }
}

/// The number in the arena of a page of a span.
fn number_of(span: SpanRef, page: usize) -> usize {
    span.index as usize * SPAN_PAGES + page
}

/// The parts of a run of pages: the number of each span, and which of its pages
/// belong to the run.
fn portions(first: usize, count: usize) -> impl Iterator<Item = (u32, PageMask)> {
    let end = first + count;
    (first / SPAN_PAGES..end.div_ceil(SPAN_PAGES)).map(move |index| {
        let here = index * SPAN_PAGES;
        let (from, to) = (first.max(here) - here, end.min(here + SPAN_PAGES) - here);
        (index as u32, run(from, to - from))
    })
}
