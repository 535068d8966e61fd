//! Blocks that are runs of pages inside a span: over 8 KiB, up to a span.
//!
//! Two words of the record are all there is to know: which pages live, and at
//! which of them a block begins.

use crate::bits::{find_run, longest_run, run};
use crate::span::{PAGE_SIZE, PAGED, PageMask, SPAN_SIZE, Span};

/// Pages in a span.
pub const SPAN_PAGES: usize = SPAN_SIZE / PAGE_SIZE;

/// How many lists there are for spans with room: one for each power of two
/// that the longest run of free pages may reach.
pub const LISTS: usize = SPAN_PAGES.ilog2() as usize + 1;

impl Span {
    /// Makes a free span into one for runs of pages.
    pub fn start_paged(&self) {
        self.kind.set(PAGED);
        self.used.set(0);
        self.set_pages(0, 0);
    }

    /// The pages that live.
    pub fn paged_live(&self) -> PageMask {
        self.body[0].get()
    }

    fn starts(&self) -> PageMask {
        self.body[1].get()
    }

    fn set_pages(&self, live: PageMask, starts: PageMask) {
        self.body[0].set(live);
        self.body[1].set(starts);
    }

    /// The free pages.
    pub fn free_pages(&self) -> PageMask {
        run(0, SPAN_PAGES) & !self.paged_live()
    }

    /// The list for spans like this one: all on it have at least 1 << list
    /// free pages in a row. `None` if no page is free.
    pub fn paged_list(&self) -> Option<usize> {
        longest_run(self.free_pages())
            .checked_ilog2()
            .map(|list| list as usize)
    }

    /// The lowest place where so many pages are free.
    pub fn find_pages(&self, count: usize) -> Option<usize> {
        find_run(self.free_pages(), count)
    }

    /// Makes free pages into a live block.
    pub fn take_pages(&self, first: usize, count: usize) {
        self.set_pages(
            self.paged_live() | run(first, count),
            self.starts() | run(first, 1),
        );
        self.used.set(self.used.get() + 1);
    }

    /// Takes a block's pages back.
    pub fn give_pages(&self, first: usize, count: usize) {
        self.set_pages(
            self.paged_live() & !run(first, count),
            self.starts() & !run(first, 1),
        );
        self.used.set(self.used.get() - 1);
    }

    /// Gives a block of `old` pages another size. Returns false, with nothing
    /// changed, if the pages behind it are not free.
    pub fn resize_pages(&self, first: usize, old: usize, new: usize) -> bool {
        let others = self.paged_live() & !run(first, old);
        if new > SPAN_PAGES - first || others & run(first, new) != 0 {
            return false;
        }
        self.set_pages(others | run(first, new), self.starts());
        true
    }

    /// Whether what the record says of runs of pages makes sense.
    pub fn has_sound_pages(&self) -> bool {
        let (live, starts) = (self.paged_live(), self.starts());
        // A live page belongs to a block that begins there or before it.
        let orphans = live & !starts & !(live << 1);
        starts & !live == 0
            && orphans == 0
            && starts.count_ones() == u32::from(self.used.get())
            && live & !(self.resident.get() & run(0, SPAN_PAGES)) == 0
    }

    /// The live block in which a page lies: its first page and how many it has.
    pub fn block_of_page(&self, page: usize) -> Option<(usize, usize)> {
        let before = self.starts() & run(0, page + 1);
        if self.paged_live() >> page & 1 == 0 || before == 0 {
            return None;
        }
        let first = before.ilog2() as usize;
        // It goes on while pages live and none of them begins another.
        let inside = self.paged_live() & !self.starts() | run(first, 1);
        Some((first, (inside >> first).trailing_ones() as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> Span {
        // SAFETY: all zeros is a valid record.
        let span: Span = unsafe { core::mem::zeroed() };
        span.start_paged();
        span
    }

    #[test]
    fn neighbours_are_told_apart() {
        let span = span();
        span.take_pages(0, 3);
        span.take_pages(3, 5);
        span.take_pages(10, SPAN_PAGES - 10);
        assert_eq!(span.block_of_page(2), Some((0, 3)));
        assert_eq!(span.block_of_page(3), Some((3, 5)));
        assert_eq!(span.block_of_page(7), Some((3, 5)));
        assert_eq!(span.block_of_page(8), None);
        assert_eq!(
            span.block_of_page(SPAN_PAGES - 1),
            Some((10, SPAN_PAGES - 10))
        );
        assert_eq!((span.find_pages(2), span.find_pages(3)), (Some(8), None));
        assert_eq!(span.paged_list(), Some(1));
    }

    #[test]
    fn a_block_grows_into_free_pages_only() {
        let span = span();
        span.take_pages(0, 3);
        span.take_pages(6, 1);
        assert!(!span.resize_pages(0, 3, 7));
        assert!(span.resize_pages(0, 3, 6));
        assert_eq!(span.block_of_page(5), Some((0, 6)));
        assert!(span.resize_pages(0, 6, 1));
        assert_eq!(span.find_pages(5), Some(1));
        assert!(span.resize_pages(6, 1, SPAN_PAGES - 6));
        assert!(!span.resize_pages(6, SPAN_PAGES - 6, SPAN_PAGES - 5));
        span.give_pages(6, SPAN_PAGES - 6);
        assert_eq!(span.block_of_page(6), None);
        assert_eq!(span.used.get(), 1);
    }
}
