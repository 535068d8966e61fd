//! An arena: one reservation of address space, cut into spans, with the
//! tables that say what is where.
//!
//! ```text
//! | groups         | lines taken  | span records  | lines of bitmap | spans
//!   32 bytes to     8 bytes to     64 bytes each   2 KiB to a span,   256 KiB
//!   64 spans        2 spans                        most never used    each
//! ```
//!
//! This is the only file that turns numbers into references; what it hands
//! out is checked against the arena's bounds.

use crate::bits::{BITS, find_run, ones, run};
use crate::os;
use crate::shared::{Shared64, SharedSize};
use crate::span::{PAGE_SIZE, SPAN_SIZE, Span, Words, pages_of};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Spans in a group: one bit each in a word.
pub const GROUP_SPANS: usize = BITS;
/// Words of bitmap in a line, and bytes of lines to a span.
const LINE_WORDS: usize = 8;
const SPAN_LINES_SIZE: usize = SPAN_SIZE / 16 / 8;

/// What is known of 64 spans, a bit each. All zeros are spans never used.
#[derive(Debug, Default)]
#[repr(C, align(32))]
pub struct Group {
    /// In use.
    pub used: Shared64,
    /// Something was freed here since `_heapmin` last looked.
    pub touched: AtomicU64,
    /// Every page may hold memory of the system, whatever the record says:
    /// these are, or were, inside a block of several spans.
    pub whole: Shared64,
}

/// Whoever has it may hand out spans and lines, and take them back.
#[derive(Debug)]
pub struct Space(());

impl Space {
    /// For the lock of the heap, and nobody else.
    pub(crate) const fn new() -> Space {
        Space(())
    }
}

/// One reservation and its tables.
#[derive(Debug)]
pub struct Arena {
    reserved: *mut u8,
    reserved_len: usize,
    groups: *const Group,
    /// For each page of lines, those taken.
    taken: *const Shared64,
    records: *const Span,
    lines: *mut u8,
    blocks: *mut u8,
    /// Spans there are room for.
    len: usize,
    /// Spans from this one on were never used. Raised by who has the space.
    top: AtomicUsize,
    /// No group before this one has a free span.
    first_free: SharedSize,
    /// No page of lines before this one has a free line; none from the second on was ever used.
    first_line_page: SharedSize,
    line_pages: SharedSize,
}

impl Arena {
    /// Reserves an arena of `len` spans, a multiple of 64; `None` if the
    /// system has no room for it.
    pub fn new(len: usize) -> Option<Arena> {
        let page = os::page_size();
        let sizes = [
            // These two come first and together: of a small heap they are one page.
            (len / GROUP_SPANS * size_of::<Group>() + len / 2 * 8).next_multiple_of(page),
            (len * size_of::<Span>()).next_multiple_of(page),
            len.checked_mul(SPAN_LINES_SIZE)?.next_multiple_of(page),
            // Spans are aligned to their size, which costs at most one of them.
            len.checked_mul(SPAN_SIZE)?.checked_add(SPAN_SIZE)?,
        ];
        let reserved_len = sizes
            .iter()
            .try_fold(0usize, |sum, &size| sum.checked_add(size))?;
        let reserved = os::reserve(reserved_len)?;
        // SAFETY: the beginning of the reservation just made.
        if !unsafe { os::commit(reserved, sizes[0]) } {
            // SAFETY: nothing in it is in use.
            unsafe { os::unreserve(reserved, reserved_len) };
            return None;
        }
        let records = reserved.wrapping_add(sizes[0]);
        let lines = records.wrapping_add(sizes[1]);
        let end = lines.wrapping_add(sizes[2]);
        Some(Arena {
            reserved,
            reserved_len,
            groups: reserved.cast(),
            taken: reserved
                .wrapping_add(len / GROUP_SPANS * size_of::<Group>())
                .cast(),
            records: records.cast(),
            lines,
            blocks: end.wrapping_add((end as usize).wrapping_neg() % SPAN_SIZE),
            len,
            top: AtomicUsize::new(0),
            first_free: SharedSize::default(),
            first_line_page: SharedSize::default(),
            line_pages: SharedSize::default(),
        })
    }

    /// Spans from this one on were never used.
    #[inline]
    pub fn top(&self) -> usize {
        self.top.load(Ordering::Acquire)
    }

    /// The group with this index.
    pub fn group(&self, index: usize) -> &Group {
        assert!(index < self.len / GROUP_SPANS);
        // SAFETY: in bounds and committed; zeros are a valid group.
        unsafe { &*self.groups.add(index) }
    }

    /// The record of a span that has one.
    #[inline]
    pub fn record(&self, index: usize) -> &'static Span {
        assert!(index < self.top());
        // SAFETY: in bounds and committed up to the top; zeros are a valid
        // record. It stays as long as the heap, and no user of the heap keeps
        // a reference longer than that.
        unsafe { &*self.records.add(index) }
    }

    /// The address of the first byte of a span.
    #[inline]
    pub fn address(&self, span: usize) -> *mut u8 {
        self.blocks.wrapping_add(span * SPAN_SIZE)
    }

    /// Which span an address lies in, and how far from its beginning.
    #[inline]
    pub fn find(&self, address: *const u8) -> Option<(usize, usize)> {
        let offset = (address as usize).wrapping_sub(self.blocks as usize);
        let span = offset / SPAN_SIZE;
        (span < self.top()).then_some((span, offset % SPAN_SIZE))
    }

    /// Whether a span is in use.
    pub fn is_used(&self, span: usize) -> bool {
        self.group(span / GROUP_SPANS).used.get() >> (span % GROUP_SPANS) & 1 == 1
    }

    /// Notes that `_heapmin` should look at a span.
    pub fn touch(&self, span: usize) {
        let bit = 1 << (span % GROUP_SPANS);
        self.group(span / GROUP_SPANS)
            .touched
            .fetch_or(bit, Ordering::Relaxed);
    }

    /// Takes one free span, for blocks smaller than a span. Its record says
    /// which of its pages may hold old bytes.
    pub fn take_span(&self, space: &mut Space) -> Option<usize> {
        let span = self.find_spans(space, 1)?;
        self.raise_top(space, span + 1).then(|| {
            let (group, bit) = (self.group(span / GROUP_SPANS), 1 << (span % GROUP_SPANS));
            let record = self.record(span);
            if group.whole.get() & bit != 0 {
                group.whole.set(group.whole.get() & !bit);
                record.resident.set(!0);
            }
            group.used.set(group.used.get() | bit);
            span
        })
    }

    /// Takes such a span back, and its bitmap. Its pages stay as they are.
    pub fn give_span(&self, space: &mut Space, span: usize) {
        let record = self.record(span);
        if let Some(lines) = record.lines() {
            self.give_lines(space, lines);
        }
        record.end();
        self.touch(span);
        let group = self.group(span / GROUP_SPANS);
        group
            .used
            .set(group.used.get() & !(1 << (span % GROUP_SPANS)));
        self.first_free
            .set(self.first_free.get().min(span / GROUP_SPANS));
    }

    /// Finds `count` neighbouring free spans at a low address. Up to 64 are
    /// looked for inside a group.
    pub fn find_spans(&self, _: &Space, count: usize) -> Option<usize> {
        let (mut before, mut all_full) = (0, true);
        for index in self.first_free.get()..self.len / GROUP_SPANS {
            let free = !self.group(index).used.get();
            if free == 0 {
                before = 0;
                continue;
            }
            if all_full {
                self.first_free.set(index);
                all_full = false;
            }
            let here = index * GROUP_SPANS;
            if count <= GROUP_SPANS {
                if let Some(first) = find_run(free, count) {
                    return Some(here + first);
                }
            } else if before + free.trailing_ones() as usize >= count {
                return Some(here - before);
            } else {
                let is_free = free == !0;
                before = if is_free {
                    before + GROUP_SPANS
                } else {
                    free.leading_ones() as usize
                };
            }
        }
        None
    }

    /// Takes free spans for `size` bytes of a block and makes those usable.
    /// Says whether they may hold old bytes; `None` if the system refuses.
    pub fn take_spans(&self, space: &mut Space, first: usize, size: usize) -> Option<bool> {
        let count = size.div_ceil(SPAN_SIZE);
        let base = self.address(first);
        // SAFETY: these spans are ours and hold no block.
        let usable = unsafe { os::commit(base, size.next_multiple_of(os::page_size())) };
        if !usable || !self.raise_top(space, first + count) {
            return None;
        }
        let mut old_bytes = false;
        for (index, mask) in self.groups_of(first, count) {
            let group = self.group(index);
            let old = group.touched.fetch_and(!mask, Ordering::Relaxed) & mask;
            group.whole.set(group.whole.get() & !mask);
            group.used.set(group.used.get() | mask);
            old_bytes |= old != 0;
            // Those never touched stay unwritten: a large block has many.
            for record in ones(old).map(|bit| self.record(index * GROUP_SPANS + bit)) {
                record.resident.set(0);
                record.touched.set(0);
            }
        }
        if old_bytes {
            let (last, rest) = (first + count - 1, size - (count - 1) * SPAN_SIZE);
            self.record(last).resident.set(!pages_of(0, rest));
            self.touch(last);
        }
        Some(old_bytes)
    }

    /// The same for the spans from `first` on, if they are free.
    pub fn extend(&self, space: &mut Space, first: usize, size: usize) -> Option<bool> {
        let count = size.div_ceil(SPAN_SIZE);
        let mut groups = self.groups_of(first, count);
        let are_free = first + count <= self.len
            && groups.all(|(index, mask)| self.group(index).used.get() & mask == 0);
        are_free
            .then(|| self.take_spans(space, first, size))
            .flatten()
    }

    /// Takes spans of such a block back, with `size` bytes in them.
    pub fn give_spans(&self, _: &mut Space, first: usize, size: usize) {
        if size == 0 {
            return;
        }
        let count = size.div_ceil(SPAN_SIZE);
        for (index, mask) in self.groups_of(first, count) {
            let group = self.group(index);
            group.used.set(group.used.get() & !mask);
            group.whole.set(group.whole.get() | mask);
            group.touched.fetch_or(mask, Ordering::Relaxed);
        }
        // Of the last one it is known which pages.
        let (last, rest) = (first + count - 1, size - (count - 1) * SPAN_SIZE);
        let (group, record) = (self.group(last / GROUP_SPANS), self.record(last));
        group
            .whole
            .set(group.whole.get() & !(1 << (last % GROUP_SPANS)));
        record
            .resident
            .set(record.resident.get() | pages_of(0, rest));
        self.first_free
            .set(self.first_free.get().min(first / GROUP_SPANS));
    }

    /// The groups that spans lie in, with a mask for each.
    fn groups_of(&self, first: usize, count: usize) -> impl Iterator<Item = (usize, u64)> {
        let end = first + count;
        (first / GROUP_SPANS..end.div_ceil(GROUP_SPANS)).map(move |index| {
            let (from, to) = (
                first.max(index * GROUP_SPANS),
                end.min((index + 1) * GROUP_SPANS),
            );
            (index, run(from % GROUP_SPANS, to - from))
        })
    }

    /// Makes records usable, from the first on.
    fn raise_top(&self, _: &mut Space, top: usize) -> bool {
        let (old, top) = (self.top(), top.next_multiple_of(GROUP_SPANS).min(self.len));
        if top <= old {
            return true;
        }
        let page = os::page_size();
        let start = old * size_of::<Span>() / page * page;
        let end = (top * size_of::<Span>()).next_multiple_of(page);
        let base = self.records.cast_mut().cast::<u8>().wrapping_add(start);
        // SAFETY: whole pages inside the table of records; what is committed already keeps its contents.
        let usable = unsafe { os::commit(base, end - start) };
        if usable {
            self.top.store(top, Ordering::Release);
        }
        usable
    }

    /// Takes lines for a bitmap of `words` words, at a low address.
    pub fn take_lines(&self, _: &mut Space, words: usize) -> Option<Words> {
        let count = words.div_ceil(LINE_WORDS);
        for page in self.first_line_page.get()..self.len * SPAN_LINES_SIZE / PAGE_SIZE {
            let taken = self.taken(page);
            let Some(first) = find_run(!taken.get(), count) else {
                continue;
            };
            let base = self.lines.wrapping_add(page * PAGE_SIZE);
            // SAFETY: a page among the lines; what is committed already keeps its contents.
            if taken.get() == 0 && !unsafe { os::commit(base, PAGE_SIZE) } {
                return None;
            }
            taken.set(taken.get() | run(first, count));
            if count == 1 {
                self.first_line_page.set(page);
            }
            self.line_pages.set(self.line_pages.get().max(page + 1));
            return Some((base.wrapping_add(first * LINE_WORDS * 8).cast(), words));
        }
        None
    }

    /// Takes them back.
    pub fn give_lines(&self, _: &mut Space, (words, count): Words) {
        let offset = words as usize - self.lines as usize;
        let (page, line) = (offset / PAGE_SIZE, offset % PAGE_SIZE / (LINE_WORDS * 8));
        let taken = self.taken(page);
        taken.set(taken.get() & !run(line, count.div_ceil(LINE_WORDS)));
        self.first_line_page
            .set(self.first_line_page.get().min(page));
    }

    /// Gives the pages back in which no line is taken. Returns false if the
    /// system refused any.
    pub fn release_lines(&self, _: &mut Space) -> bool {
        if os::page_size() != PAGE_SIZE {
            return true; // a page of the system has lines that are taken
        }
        let (mut all, mut end) = (true, 0);
        for page in 0..self.line_pages.get() {
            let base = self.lines.wrapping_add(page * PAGE_SIZE);
            // SAFETY: a page of lines of which none is taken.
            if self.taken(page).get() != 0 || !unsafe { os::release(base, PAGE_SIZE) } {
                all &= self.taken(page).get() != 0;
                end = page + 1;
            }
        }
        self.line_pages.set(end);
        all
    }

    /// Gives back the records of a group in which nothing lives and nothing
    /// waits for `_heapmin`. They read as zeros then, which is right for them.
    /// Returns false if the system refuses.
    pub fn release_records(&self, group: usize) -> bool {
        const LEN: usize = GROUP_SPANS * size_of::<Span>();
        let base = self
            .records
            .cast_mut()
            .cast::<u8>()
            .wrapping_add(group * LEN);
        // SAFETY: the whole records of free spans.
        LEN % os::page_size() != 0 || unsafe { os::reset(base, LEN) }
    }

    /// The lines of a page that are taken.
    fn taken(&self, page: usize) -> &Shared64 {
        assert!(page < self.len * SPAN_LINES_SIZE / PAGE_SIZE);
        // SAFETY: in bounds and committed; zeros are valid.
        unsafe { &*self.taken.add(page) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the reservation is ours, and its owner drops it with all its blocks.
        unsafe { os::unreserve(self.reserved, self.reserved_len) };
    }
}

// SAFETY: what changes in an arena and its tables is atomic, and nothing in it
// belongs to one thread.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

// The sizes that the layout above promises.
const _: () = assert!(size_of::<Group>() == 32 && size_of::<Span>() == 64);
