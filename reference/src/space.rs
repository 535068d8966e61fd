//! The space: which spans and which lines of bitmap are taken.

use crate::arena::{Arena, GROUP_LINE_PAGES, GROUP_SPANS};
use crate::bits::{find_run, run};
use crate::layout::{ALL_PAGES, PAGE_SIZE, SCATTERED};
use crate::list::List;
use crate::lock::Guard;
use crate::os;
use crate::pages;
use crate::slots::Words;
use crate::span::{Span, SpanRef};
use core::ops::Deref;
use core::sync::atomic::Ordering::Relaxed;

/// Words of bitmap in a line, and its bytes.
const LINE_WORDS: usize = 8;
const LINE_SIZE: usize = 64;

/// What the space's lock guards, beside the groups and the window.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    /// No group before this one has a free span.
    first_free: usize,
    /// No page of lines from this number on is in use.
    line_pages: usize,
    /// The lists of spans with free pages ([`pages`]).
    pub lists: [List; pages::LISTS],
    /// Where the heap grows next, on 32-bit systems: the number of a span, or 0 if that is
    /// not known yet.
    pub next: u32,
}

impl Taken {
    pub(crate) const NOTHING: Taken = Taken {
        first_free: 0,
        line_pages: 0,
        lists: [List::EMPTY; pages::LISTS],
        next: 0,
    };
}

/// The arena, with the space's lock held.
pub(crate) struct Space<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) taken: Guard<'a, Taken>,
}

impl<'a> Deref for Space<'a> {
    type Target = Arena;
    fn deref(&self) -> &Self::Target {
        self.arena
    }
}

impl Space<'_> {
    /// Finds the lowest `count` free spans in a row. Returns the first's number.
    pub(crate) fn find_spans(&mut self, count: usize) -> Option<u32> {
        // Number of free spans directly before the group.
        let mut before = 0;
        for index in self.taken.first_free..self.window.len() / GROUP_SPANS {
            let here = index * GROUP_SPANS;
            if !SCATTERED && here >= self.top() {
                // This group and all after it are unused.
                let fits = before + self.window.len() - here >= count;
                return fits.then_some((here - before) as u32);
            }
            let free = match self.window.scattered.with_addresses(index) {
                0 => 0,
                addresses => addresses & !self.group(index).used.get(),
            };
            if before + free.trailing_ones() as usize >= count {
                return Some((here - before) as u32);
            }
            if count < GROUP_SPANS
                && let Some(first) = find_run(free, count)
            {
                if count == 1 {
                    self.taken.first_free = index;
                }
                return Some((here + first) as u32);
            }
            before = match free {
                u64::MAX => before + GROUP_SPANS,
                _ => free.leading_ones() as usize,
            };
        }
        SCATTERED.then(|| self.grow(count))?
    }

    /// Takes address space for spans that have none. Returns `None` if the system refuses.
    pub(crate) fn take_addresses(&self, first: u32, count: usize) -> Option<()> {
        let (first, end) = (first as usize, first as usize + count);
        match SCATTERED {
            true => self.window.scattered.take(first, end).then_some(()),
            false => self.window.raise_top(end),
        }
    }

    /// Takes a free span. Its record says which of its pages may hold old bytes.
    /// Returns `None` if the system refuses address space.
    pub(crate) fn take_span(&mut self, index: u32) -> Option<SpanRef> {
        self.take_addresses(index, 1)?;
        let span = self.get(index)?;
        let (group, bit) = self.group_of(index);
        if group.resident.get() & bit != 0 {
            group.resident.set(group.resident.get() & !bit);
            span.resident.set(ALL_PAGES);
        }
        group.used.set(group.used.get() | bit);
        Some(span)
    }

    /// Makes free pages usable. Returns `None` if the system refuses.
    pub(crate) fn commit(&self, base: *mut u8, count: usize) -> Option<()> {
        // SAFETY: whole pages of the arena, which hold no block.
        unsafe { os::commit(base, count * PAGE_SIZE) }.then_some(())
    }

    /// Frees a span without a live block, and its bitmap. Its pages stay
    /// resident until the next `_heapmin`.
    #[cold]
    pub(crate) fn give_span(&mut self, span: SpanRef) {
        if let Some(lines) = span.lines() {
            self.give_lines(lines);
        }
        span.end();
        self.free_span(span.index);
    }

    /// Frees a span whose record says nothing of it.
    pub(crate) fn free_span(&mut self, index: u32) {
        self.mark_dirty(index);
        let (group, bit) = self.group_of(index);
        group.used.set(group.used.get() & !bit);
        self.note_free(index);
    }

    /// Notes that a span is free now.
    pub(crate) fn note_free(&mut self, index: u32) {
        self.taken.first_free = self.taken.first_free.min(index as usize / GROUP_SPANS);
    }

    /// Takes lines for a bitmap of `words` words, at the lowest address that is
    /// free. Returns `None` if there is no memory.
    pub(crate) fn take_lines(&mut self, words: usize) -> Option<Words> {
        let count = words.div_ceil(LINE_WORDS);
        for page in 0.. {
            // The lines of a group may be needed before its spans.
            if self.line_page(page).is_none() {
                self.window.add_lines()?;
            }
            let (base, taken) = self.line_page(page)?;
            if let Some(first) = find_run(!taken.get(), count) {
                // SAFETY: a whole page of lines, and none of them is taken.
                if taken.get() == 0 && !unsafe { os::commit(base, PAGE_SIZE) } {
                    return None;
                }
                taken.set(taken.get() | run(first, count));
                self.taken.line_pages = self.taken.line_pages.max(page + 1);
                return Some((base.wrapping_add(first * LINE_SIZE).cast(), words));
            }
        }
        None
    }

    /// Frees the lines of a bitmap.
    pub(crate) fn give_lines(&mut self, (words, count): Words) {
        if let Some((group, offset)) = self.window.group_of_line(words.cast_const().cast())
            && let page = group * GROUP_LINE_PAGES + offset / PAGE_SIZE
            && let Some((_, taken)) = self.line_page(page)
        {
            let line = offset % PAGE_SIZE / LINE_SIZE;
            taken.set(taken.get() & !run(line, count.div_ceil(LINE_WORDS)));
        }
    }

    /// Gives the pages in which no line is taken back to the system. Returns
    /// false if the system refused any.
    pub(crate) fn release_lines(&mut self) -> bool {
        let (mut all, mut end) = (true, 0);
        // A page of the system may be several of the heap.
        let count = os::page_size() / PAGE_SIZE;
        for first in (0..self.taken.line_pages).step_by(count) {
            let Some((base, _)) = self.line_page(first) else {
                break;
            };
            let mut pages = (first..first + count).filter_map(|page| self.line_page(page));
            let is_used = pages.any(|(_, taken)| taken.get() != 0);
            // SAFETY: a whole page of the system, and no line in it is taken.
            if is_used || !unsafe { os::release(base, count * PAGE_SIZE) } {
                all &= is_used;
                end = first + count;
            }
        }
        self.taken.line_pages = end;
        all
    }

    /// Gives back the records of a group without a live block and without a
    /// mark for `_heapmin`. They then read as zeros, as records of spans that
    /// were never used. Returns false if the system refuses.
    pub(crate) fn release_records(&self, group: usize) -> bool {
        const OF_GROUP: usize = GROUP_SPANS * size_of::<Span>();
        // A page of the system may have the records of several groups.
        let count = os::page_size().div_ceil(OF_GROUP);
        let first = group / count * count;
        let end = (first + count).min(self.window.groups_described());
        let is_in_use = |index| {
            let group = self.group(index);
            group.used.get() | group.dirty.load(Relaxed) != 0
        };
        let records = self.window.records().wrapping_add(first * GROUP_SPANS);
        // SAFETY: whole pages, which hold only records of free spans.
        (first..end).any(is_in_use)
            || unsafe { os::reset(records.cast_mut().cast(), count * OF_GROUP) }
    }

    /// Gives back the address space after the last group with a span in use, or that of
    /// all free spans where they are scattered. All locks are held.
    pub(crate) fn give_addresses(&mut self) {
        if SCATTERED {
            return self.give_scattered();
        }
        let kept = self
            .groups()
            .rev()
            .find(|&index| self.group(index).kept() != 0);
        self.window.lower_top((kept.unwrap_or(0) + 1) * GROUP_SPANS);
    }

    /// Gives back all address space, if no span is in use and the spans are not
    /// reserved. The arena is then like a new one. All locks are held.
    #[cfg(unix)]
    pub(crate) fn withdraw(&mut self) {
        let is_used = |index| self.group(index).used.get() != 0;
        if self.window.is_reserved() != SCATTERED || self.groups().any(is_used) {
            return;
        }
        if SCATTERED {
            *self.taken = Taken::NOTHING;
            return self.window.close();
        }
        self.window.lower_top(0);
        if self.top() == 0 {
            *self.taken = Taken::NOTHING;
            self.window.withdraw_tables();
        }
    }
}
