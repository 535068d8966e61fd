//! The space: which spans and which lines of bitmap are taken.

use crate::arena::{Arena, GROUP_SPANS};
use crate::bits::{find_run, run};
use crate::large;
use crate::list::List;
use crate::os;
use crate::span::{ALL_PAGES, PAGE_SIZE, Span, SpanRef, Words};

/// Words of bitmap in a line, and its bytes.
const LINE_WORDS: usize = 8;
const LINE_SIZE: usize = 64;

/// The state of the space, for the holder of its lock.
#[derive(Clone, Copy)]
pub(crate) struct Space {
    /// No group before this one has a free span.
    first_free: usize,
    /// No page of lines from this number on is in use.
    line_pages: usize,
    /// The lists of spans with free pages for large blocks ([`large`]).
    pub large: [List; large::LISTS],
}

impl Space {
    /// The space of an arena that was never used.
    pub(crate) const NEW: Space = Space {
        first_free: 0,
        line_pages: 0,
        large: [List::EMPTY; large::LISTS],
    };
}

impl Arena {
    /// Finds the lowest `count` free spans in a row. Returns the first's number.
    pub(crate) fn find_spans(&self, space: &mut Space, count: usize) -> Option<u32> {
        // Number of free spans directly before the group.
        let mut before = 0;
        for index in space.first_free..self.len / GROUP_SPANS {
            let here = index * GROUP_SPANS;
            if here >= self.top() {
                // This group and all after it are unused.
                return (before + self.len - here >= count).then_some((here - before) as u32);
            }
            let free = !self.group(index).used.get();
            if before + free.trailing_ones() as usize >= count {
                return Some((here - before) as u32);
            }
            if count < GROUP_SPANS
                && let Some(first) = find_run(free, count)
            {
                if count == 1 {
                    space.first_free = index;
                }
                return Some((here + first) as u32);
            }
            before = match free {
                u64::MAX => before + GROUP_SPANS,
                _ => free.leading_ones() as usize,
            };
        }
        None
    }

    /// Takes a free span. Its record says which of its pages may hold old bytes.
    /// Returns `None` if the system has no memory for the record.
    pub(crate) fn take_span(&self, _: &mut Space, index: u32) -> Option<SpanRef> {
        self.raise_top(index as usize + 1)?;
        let (group, bit) = self.group_of(index);
        let span = self.get(index)?;
        if group.whole.get() & bit != 0 {
            group.whole.set(group.whole.get() & !bit);
            span.resident.set(ALL_PAGES);
        }
        group.used.set(group.used.get() | bit);
        Some(span)
    }

    /// Frees a span without a live block, and its bitmap. Its pages stay
    /// resident until the next `_heapmin`.
    #[cold]
    pub(crate) fn give_span(&self, space: &mut Space, span: SpanRef) {
        if let Some(lines) = span.lines() {
            self.give_lines(space, lines);
        }
        span.end();
        self.touch(span);
        self.free_span(space, span.index);
    }

    /// Frees a span that was inside a large block. Its record is not written.
    pub(crate) fn give_inner_span(&self, space: &mut Space, index: u32) {
        let (group, bit) = self.group_of(index);
        group.whole.set(group.whole.get() | bit);
        self.touch_group(index);
        self.free_span(space, index);
    }

    fn free_span(&self, space: &mut Space, index: u32) {
        let (group, bit) = self.group_of(index);
        group.used.set(group.used.get() & !bit);
        space.first_free = space.first_free.min(index as usize / GROUP_SPANS);
    }

    /// Takes lines for a bitmap of `words` words, at the lowest address that is
    /// free. Returns `None` if there is no memory.
    pub(crate) fn take_lines(&self, space: &mut Space, words: usize) -> Option<Words> {
        let count = words.div_ceil(LINE_WORDS);
        for page in 0.. {
            // The lines of a group may be needed before its spans.
            if self.line_page(page).is_none() {
                self.describe_lines(page)?;
            }
            let (base, taken) = self.line_page(page)?;
            if let Some(first) = find_run(!taken.get(), count) {
                // SAFETY: a whole page of lines, and none of them is taken.
                if taken.get() == 0 && !unsafe { os::commit(base, PAGE_SIZE) } {
                    return None;
                }
                taken.set(taken.get() | run(first, count));
                space.line_pages = space.line_pages.max(page + 1);
                return Some((base.wrapping_add(first * LINE_SIZE).cast(), words));
            }
        }
        None
    }

    /// Frees the lines of a bitmap.
    pub(crate) fn give_lines(&self, _: &mut Space, (words, count): Words) {
        let offset = words as usize - self.lines as usize;
        let (page, line) = (offset / PAGE_SIZE, offset % PAGE_SIZE / LINE_SIZE);
        if let Some((_, taken)) = self.line_page(page) {
            taken.set(taken.get() & !run(line, count.div_ceil(LINE_WORDS)));
        }
    }

    /// Gives the pages in which no line is taken back to the system. Returns
    /// false if the system refused any.
    pub(crate) fn release_lines(&self, space: &mut Space) -> bool {
        if os::page_size() != PAGE_SIZE {
            return true; // a larger page of the system may have lines that are taken
        }
        let (mut all, mut end) = (true, 0);
        for page in 0..space.line_pages {
            let Some((base, taken)) = self.line_page(page) else {
                break;
            };
            let is_used = taken.get() != 0;
            // SAFETY: a whole page of lines, and none of them is taken.
            if is_used || !unsafe { os::release(base, PAGE_SIZE) } {
                all &= is_used;
                end = page + 1;
            }
        }
        space.line_pages = end;
        all
    }

    /// Gives back the records of a group without a live block and without a
    /// mark for `_heapmin`. They then read as zeros, as records of spans that
    /// were never used. Returns false if the system refuses.
    pub(crate) fn release_records(&self, group: usize) -> bool {
        let base = self.records.wrapping_add(group * GROUP_SPANS).cast_mut();
        let len = GROUP_SPANS * size_of::<Span>();
        // SAFETY: whole pages, which hold only records of free spans.
        len % os::page_size() != 0 || unsafe { os::reset(base.cast(), len) }
    }
}
