//! The arena: one reservation of address space, cut into spans, with the tables
//! that say what is where.
//!
//! ```text
//! | groups          | span records  | lines of bitmap  | spans
//!   280 bytes to      64 bytes each   2 KiB to a span,   256 KiB
//!   64 spans                          most never used    each
//! ```
//!
//! Nothing of it is resident before it is used. This is the only file that
//! turns numbers into references; what it hands out is checked against the
//! arena's bounds.

use crate::bits::{BITS, run};
use crate::lock::{Guard, Lock};
use crate::os;
use crate::shared::Shared64;
use crate::space::Space;
use crate::span::{PAGE_SIZE, SPAN_SIZE, Span, SpanRef};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Spans in a group: one bit each in a word.
pub(crate) const GROUP_SPANS: usize = BITS;
/// Pages of lines that the bitmaps of a group may need.
const GROUP_LINE_PAGES: usize = GROUP_SPANS * SPAN_SIZE / 16 / 8 / PAGE_SIZE;

/// What is known of 64 spans, a bit each. All zeros are spans never used.
#[derive(Debug)]
pub(crate) struct Group {
    /// In use. The space's lock guards it, and `whole`.
    pub used: Shared64,
    /// `_heapmin` has something to do here.
    pub touched: AtomicU64,
    /// Free, and every page may hold memory of the system, whatever the record
    /// says: it was inside a large block, or the system refused to take it.
    pub whole: Shared64,
    /// For each page of lines, those taken.
    lines: [Shared64; GROUP_LINE_PAGES],
}

/// One reservation and its tables.
pub(crate) struct Arena {
    reserved: *mut u8,
    reserved_len: usize,
    groups: *const Group,
    /// The first record.
    pub records: *const Span,
    /// The first line of all.
    pub lines: *mut u8,
    blocks: *mut u8,
    /// Spans there is room for, a multiple of 64.
    pub len: usize,
    /// Spans from this one on were never used. Raised by who has the space.
    top: AtomicUsize,
    /// Whether `_heapmin` has something to do anywhere.
    pub touched: AtomicBool,
    /// Which spans and lines are taken, and where large blocks have room.
    space: Lock<Space>,
}

impl Arena {
    /// Reserves as much as the system grants; `None` if that is next to nothing.
    pub(crate) fn new() -> Option<Arena> {
        let sizes = os::RESERVATIONS.into_iter();
        sizes
            .map(|size| size / SPAN_SIZE)
            .find_map(Arena::with_room_for)
    }

    fn with_room_for(len: usize) -> Option<Arena> {
        let page = os::page_size();
        let groups = len / GROUP_SPANS;
        let sizes = [
            (groups * size_of::<Group>()).next_multiple_of(page),
            (len * size_of::<Span>()).next_multiple_of(page),
            (groups * GROUP_LINE_PAGES * PAGE_SIZE).next_multiple_of(page),
            // Spans are aligned to their size, which costs at most one of them.
            (len + 1) * SPAN_SIZE,
        ];
        let reserved_len = sizes.iter().sum();
        let reserved = os::reserve(reserved_len)?;
        let records = reserved.wrapping_add(sizes[0]);
        let lines = records.wrapping_add(sizes[1]);
        let end = lines.wrapping_add(sizes[2]);
        let arena = Arena {
            reserved,
            reserved_len,
            groups: reserved.cast(),
            records: records.cast(),
            lines,
            blocks: end.wrapping_add((end as usize).wrapping_neg() % SPAN_SIZE),
            len,
            top: AtomicUsize::new(0),
            touched: AtomicBool::new(false),
            space: Lock::new(Space::NEW),
        };
        // SAFETY: the beginning of the reservation just made.
        unsafe { os::commit(reserved, sizes[0]) }.then_some(arena)
    }

    /// The right to hand out spans and lines, and to take them back.
    pub(crate) fn space(&self) -> Guard<'_, Space> {
        self.space.lock()
    }

    /// Spans from this one on were never used.
    #[inline]
    pub(crate) fn top(&self) -> usize {
        self.top.load(Ordering::Acquire)
    }

    /// Makes the records of all spans before this one usable. The caller has
    /// the space. `None` if the system refuses.
    pub(crate) fn raise_top(&self, top: usize) -> Option<()> {
        let (old, top) = (self.top(), top.next_multiple_of(GROUP_SPANS));
        if top > old {
            let page = os::page_size();
            let start = old * size_of::<Span>() / page * page;
            let end = (top * size_of::<Span>()).next_multiple_of(page);
            let base = self.records.cast_mut().cast::<u8>().wrapping_add(start);
            // SAFETY: pages of the table of records; those in use keep their contents.
            unsafe { os::commit(base, end - start) }.then_some(())?;
            self.top.store(top, Ordering::Release);
        }
        Some(())
    }

    /// The span with this number, unless it was never used.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<SpanRef> {
        self.span(index as usize)
    }

    #[inline(always)]
    fn span(&self, number: usize) -> Option<SpanRef> {
        (number < self.top()).then(|| SpanRef {
            index: number as u32,
            // SAFETY: in bounds and committed up to the top; zeros are a valid
            // record. It stays as long as the heap, and no user of the heap
            // keeps a reference longer than that.
            record: unsafe { &*self.records.add(number) },
            base: self.blocks.wrapping_add(number * SPAN_SIZE),
        })
    }

    /// The span in which an address lies, and how far from its beginning.
    #[inline(always)]
    pub(crate) fn find(&self, address: *const u8) -> Option<(SpanRef, usize)> {
        let offset = (address as usize).wrapping_sub(self.blocks as usize);
        Some((self.span(offset / SPAN_SIZE)?, offset % SPAN_SIZE))
    }

    /// The address of a page, counted from the first span on.
    pub(crate) fn page(&self, number: usize) -> *mut u8 {
        self.blocks.wrapping_add(number * PAGE_SIZE)
    }

    /// The group with this number.
    pub(crate) fn group(&self, index: usize) -> &Group {
        assert!(index < self.len / GROUP_SPANS);
        // SAFETY: in bounds and committed; zeros are a valid group.
        unsafe { &*self.groups.add(index) }
    }

    /// The group of a span, and the span's bit there.
    pub(crate) fn group_of(&self, index: u32) -> (&Group, u64) {
        let (group, bit) = (index as usize / GROUP_SPANS, index as usize % GROUP_SPANS);
        (self.group(group), run(bit, 1))
    }

    /// Whether a span is in use.
    pub(crate) fn is_used(&self, index: u32) -> bool {
        let (group, bit) = self.group_of(index);
        group.used.get() & bit != 0
    }

    /// Tells `_heapmin` to look at a span.
    pub(crate) fn touch(&self, span: SpanRef) {
        if span.touched.get() == 0 {
            span.touched.set(1);
            self.touch_group(span.index);
        }
    }

    /// The same for a span whose record is better not written.
    pub(crate) fn touch_group(&self, index: u32) {
        let (group, bit) = self.group_of(index);
        group.touched.fetch_or(bit, Ordering::Relaxed);
        self.touched.store(true, Ordering::Relaxed);
    }

    /// A page of lines: its first byte, and which of its 64 lines are taken.
    pub(crate) fn line_page(&self, page: usize) -> Option<(*mut u8, &Shared64)> {
        (page < self.len / GROUP_SPANS * GROUP_LINE_PAGES).then(|| {
            let taken = &self.group(page / GROUP_LINE_PAGES).lines[page % GROUP_LINE_PAGES];
            (self.lines.wrapping_add(page * PAGE_SIZE), taken)
        })
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the reservation is ours, and its owner drops it with all its blocks.
        unsafe { os::unreserve(self.reserved, self.reserved_len) };
    }
}

// SAFETY: what changes in an arena and its tables is atomic or behind a lock,
// and nothing in it belongs to one thread.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

// The size that the layout above promises.
const _: () = assert!(size_of::<Span>() == 64);
