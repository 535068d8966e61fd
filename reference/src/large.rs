//! Large blocks: whole spans, for requests over a span.
//!
//! The record of the first span says which of its pages the block has, and at which page
//! after them it ends. If the block does not have all pages of its last span, the record of
//! that span says which. The records of the spans between are not written.

use crate::alignment::Alignment;
use crate::clear::clear_to_page;
use crate::heap::Block;
use crate::layout::{ALL_PAGES, PAGE_SIZE, PageMask, SCATTERED, SPAN_PAGES, SPAN_SIZE, pages_of};
use crate::os;
use crate::shared::Shared64;
use crate::space::Space;
use crate::span::{LARGE, SPACE, Span, SpanRef, TAIL};
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;

/// The pages of a large block, counted from the first page of its first span.
type Pages = Range<usize>;

impl Span {
    /// The page before which the block ends.
    pub(crate) fn end_page(&self) -> &Shared64 {
        &self.body[2]
    }

    /// The large block that begins in this span.
    pub(crate) fn large_block(&self) -> Pages {
        let from = self.live().get().trailing_zeros() as usize;
        // A damaged record may have any number.
        from..(self.end_page().get() as usize).clamp(from, usize::MAX / PAGE_SIZE)
    }
}

impl Space<'_> {
    /// Allocates a block of `size` bytes. `total` is `size` and the room that
    /// the alignment needs. Returns `None` if there is no memory.
    pub(crate) fn allocate_large(
        &mut self,
        size: usize,
        total: usize,
        asked: Alignment,
    ) -> Option<Block> {
        let found = self.find_spans(total.div_ceil(SPAN_SIZE))?;
        // The block begins at the first aligned address, perhaps some spans later.
        let gap = asked.gap(self.page_in(found, 0));
        let (first, offset) = (found + (gap / SPAN_SIZE) as u32, gap % SPAN_SIZE);
        let from = offset / PAGE_SIZE;
        let pages = from..(offset + size).div_ceil(PAGE_SIZE);
        let old_bytes = self.change_large(first, from..from, pages)?;
        let address = self.page_in(first, 0).wrapping_add(offset);
        if old_bytes {
            clear_to_page(address, size);
        }
        Some(Block { address, old_bytes })
    }

    /// Frees the large block that begins in this span.
    pub(crate) fn free_large(&mut self, span: SpanRef) {
        let pages = span.large_block();
        self.change_large(span.index, pages.clone(), pages.start..pages.start);
    }

    /// Resizes it in place to `new` pages. Returns whether it got pages that may hold old
    /// bytes. Returns `None`, and changes nothing, if the spans after it are not free or
    /// the system refuses.
    pub(crate) fn resize_large(&mut self, span: SpanRef, new: usize) -> Option<bool> {
        let old = span.large_block();
        self.change_large(
            span.index,
            old.clone(),
            old.start..old.start.checked_add(new)?,
        )
    }

    /// Changes the pages of a large block from `old` to `new`, of which one may be empty.
    fn change_large(&mut self, first: u32, old: Pages, new: Pages) -> Option<bool> {
        let spans = |pages: &Pages| match pages.is_empty() {
            true => 0,
            false => pages.end.div_ceil(SPAN_PAGES),
        };
        let (before, after) = (spans(&old), spans(&new));
        if after > self.window.len() - first as usize {
            return None;
        }
        if (before..after).any(|nth| self.is_used(first + nth as u32)) {
            return None;
        }
        self.take_addresses(first, after)?;
        if let added @ 1.. = new.end.saturating_sub(old.end)
            && self.commit(self.page_in(first, old.end), added).is_none()
        {
            self.uncommit(first, old.end..new.end);
            return None;
        }
        let mut old_bytes = false;
        // The last span that both have changes too.
        for nth in before.min(after).saturating_sub(1)..before.max(after) {
            old_bytes |= self.change_part(first, nth, part(&old, nth), part(&new, nth));
        }
        if let Some(span) = self.get(first).filter(|_| after > 0) {
            span.end_page().set(new.end as u64);
        }
        Some(old_bytes)
    }

    /// Gives back pages that no block has, after the system refused to make all of them
    /// usable: where spans are scattered, it may have done so for some.
    fn uncommit(&mut self, first: u32, pages: Pages) {
        let spans = pages.start / SPAN_PAGES..pages.end.div_ceil(SPAN_PAGES);
        for nth in spans.filter(|_| SCATTERED) {
            let (index, pages) = (first + nth as u32, part(&pages, nth));
            let Some(span) = self.get(index) else {
                continue;
            };
            let base = self.page_in(index, pages.trailing_zeros() as usize);
            // SAFETY: whole pages of one span, which no block has.
            if unsafe { os::release(base, pages.count_ones() as usize * PAGE_SIZE) } {
                let (group, bit) = self.group_of(index);
                let before = match group.resident.get() & bit {
                    0 => span.resident.get(),
                    _ => ALL_PAGES,
                };
                group.resident.set(group.resident.get() & !bit);
                span.resident.set(before & !pages);
            }
        }
    }

    /// Changes which pages of its nth span a large block has. Returns whether it got any that
    /// may hold old bytes.
    fn change_part(&mut self, first: u32, nth: usize, old: PageMask, new: PageMask) -> bool {
        let index = first + nth as u32;
        let is_inner = |pages| nth > 0 && pages == ALL_PAGES;
        let (group, bit) = self.group_of(index);
        // A span that is neither used nor marked has no resident page, and its record need
        // not be read.
        let is_fresh = old == 0 && group.dirty.load(Relaxed) & bit == 0;
        let Some(span) = self.get(index).filter(|_| !is_fresh || !is_inner(new)) else {
            group.used.set(group.used.get() | bit);
            return false;
        };
        let resident = match group.resident.get() & bit != 0 || is_inner(old) {
            true => ALL_PAGES,
            false => span.resident.get(),
        };
        group.used.set(group.used.get() | bit);
        group.resident.set(group.resident.get() & !bit);
        if new == 0 && is_inner(old) {
            group.resident.set(group.resident.get() | bit);
            self.free_span(index);
        } else if is_inner(new) {
            span.end();
            span.resident.set(0);
            group.dirty.fetch_and(!bit, Relaxed);
        } else {
            span.resident.set(resident | new);
            span.kind.set(if nth == 0 { LARGE } else { TAIL });
            span.live().set(new);
            span.starts().set(0);
            span.owner.set(SPACE);
            self.mark_dirty(index);
            if new == 0 {
                self.give_span(span);
            }
        }
        resident & new & !old != 0
    }
}

/// The pages of a block in its nth span.
fn part(pages: &Pages, nth: usize) -> PageMask {
    let start = nth * SPAN_PAGES;
    let inside = |page: usize| page.clamp(start, start + SPAN_PAGES) - start;
    let (from, end) = (inside(pages.start), inside(pages.end));
    pages_of(from * PAGE_SIZE, (end - from) * PAGE_SIZE)
}
