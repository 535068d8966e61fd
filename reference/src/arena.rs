//! The arena: one reservation of address space. It holds the spans and the
//! tables that describe them.
//!
//! ```text
//! | groups          | span records  | lines of bitmap  | spans
//!   280 bytes for     64 bytes each   2 KiB per span,    256 KiB
//!   64 spans                          most never used    each
//! ```
//!
//! No page of it is resident before its first use. Only this file turns a
//! number into a reference, and it checks the number against the arena's bounds.

use crate::bits::{BITS, run};
use crate::lock::{Guard, Lock};
use crate::os;
use crate::shared::Shared64;
use crate::space::Space;
use crate::span::{PAGE_SIZE, SPAN_SIZE, Span, SpanRef};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Number of spans in a group: one for each bit of a word.
pub(crate) const GROUP_SPANS: usize = BITS;
/// Number of pages of lines that the bitmaps of a group need at most.
const GROUP_LINE_PAGES: usize = GROUP_SPANS * SPAN_SIZE / 16 / 8 / PAGE_SIZE;

/// The state of 64 spans, with one bit for each. All zeros: no span was ever used.
#[derive(Debug)]
pub(crate) struct Group {
    /// Spans in use. The space's lock guards this field and `whole`.
    pub used: Shared64,
    /// Spans that the next `_heapmin` must visit.
    pub touched: AtomicU64,
    /// Free spans of which every page may be resident, whatever the record says:
    /// the span was inside a large block, or the system refused to take it back.
    pub whole: Shared64,
    /// For each page of lines, the lines that are taken.
    lines: [Shared64; GROUP_LINE_PAGES],
}

/// One reservation and its tables.
pub(crate) struct Arena {
    reserved: *mut u8,
    reserved_len: usize,
    groups: *const Group,
    /// The first record.
    pub records: *const Span,
    /// The first line.
    pub lines: *mut u8,
    blocks: *mut u8,
    /// Number of spans that fit, a multiple of 64.
    pub len: usize,
    /// Spans from this number on were never used. Only the holder of the
    /// space's lock raises it.
    top: AtomicUsize,
    /// Whether the next `_heapmin` must visit any span.
    pub touched: AtomicBool,
    /// Which spans and lines are taken, and which spans have free pages for
    /// large blocks.
    space: Lock<Space>,
}

impl Arena {
    /// Reserves the first of [`os::RESERVATIONS`] that the system grants.
    /// Returns `None` if it grants none of them.
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
            // One more, because the first span is aligned to its size.
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
        // SAFETY: whole pages at the start of the reservation just made.
        unsafe { os::commit(reserved, sizes[0]) }.then_some(arena)
    }

    /// Takes the space's lock. Its holder may take and free spans and lines.
    pub(crate) fn space(&self) -> Guard<'_, Space> {
        self.space.lock()
    }

    /// The number of the first span that was never used. No later span was used
    /// either.
    #[inline]
    pub(crate) fn top(&self) -> usize {
        self.top.load(Ordering::Acquire)
    }

    /// Makes the records of all spans below `top` usable. The caller holds the
    /// space's lock. Returns `None` if the system refuses.
    pub(crate) fn raise_top(&self, top: usize) -> Option<()> {
        let (old, top) = (self.top(), top.next_multiple_of(GROUP_SPANS));
        if top > old {
            let page = os::page_size();
            let start = old * size_of::<Span>() / page * page;
            let end = (top * size_of::<Span>()).next_multiple_of(page);
            let base = self.records.cast_mut().cast::<u8>().wrapping_add(start);
            // SAFETY: whole pages of the record table; pages in use keep their contents.
            unsafe { os::commit(base, end - start) }.then_some(())?;
            self.top.store(top, Ordering::Release);
        }
        Some(())
    }

    /// The span with this number, or `None` if it was never used.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<SpanRef> {
        self.span(index as usize)
    }

    #[inline(always)]
    fn span(&self, number: usize) -> Option<SpanRef> {
        (number < self.top()).then(|| SpanRef {
            index: number as u32,
            // SAFETY: records below the top are in bounds and committed, and all
            // zeros is a valid record. The record lives as long as the heap, and
            // no user of the heap keeps a reference longer.
            record: unsafe { &*self.records.add(number) },
            base: self.blocks.wrapping_add(number * SPAN_SIZE),
        })
    }

    /// The span that contains an address, and the offset of the address in bytes.
    #[inline(always)]
    pub(crate) fn find(&self, address: *const u8) -> Option<(SpanRef, usize)> {
        let offset = (address as usize).wrapping_sub(self.blocks as usize);
        Some((self.span(offset / SPAN_SIZE)?, offset % SPAN_SIZE))
    }

    /// The address of a page. Pages are numbered from the first span's first page.
    pub(crate) fn page(&self, number: usize) -> *mut u8 {
        self.blocks.wrapping_add(number * PAGE_SIZE)
    }

    /// The group with this number.
    pub(crate) fn group(&self, index: usize) -> &Group {
        assert!(index < self.len / GROUP_SPANS);
        // SAFETY: in bounds and committed; all zeros is a valid group.
        unsafe { &*self.groups.add(index) }
    }

    /// The group of a span, and the span's bit in the words of the group.
    pub(crate) fn group_of(&self, index: u32) -> (&Group, u64) {
        let (group, bit) = (index as usize / GROUP_SPANS, index as usize % GROUP_SPANS);
        (self.group(group), run(bit, 1))
    }

    /// Whether a span is in use.
    pub(crate) fn is_used(&self, index: u32) -> bool {
        let (group, bit) = self.group_of(index);
        group.used.get() & bit != 0
    }

    /// Marks a span, so that the next `_heapmin` visits it.
    pub(crate) fn touch(&self, span: SpanRef) {
        if span.touched.get() == 0 {
            span.touched.set(1);
            self.touch_group(span.index);
        }
    }

    /// Marks a span in its group only, without a write to its record.
    pub(crate) fn touch_group(&self, index: u32) {
        let (group, bit) = self.group_of(index);
        group.touched.fetch_or(bit, Ordering::Relaxed);
        self.touched.store(true, Ordering::Relaxed);
    }

    /// A page of lines: its first byte, and a bit for each of its 64 lines that
    /// is taken. `None` if there is no such page.
    pub(crate) fn line_page(&self, page: usize) -> Option<(*mut u8, &Shared64)> {
        (page < self.len / GROUP_SPANS * GROUP_LINE_PAGES).then(|| {
            let taken = &self.group(page / GROUP_LINE_PAGES).lines[page % GROUP_LINE_PAGES];
            (self.lines.wrapping_add(page * PAGE_SIZE), taken)
        })
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: this arena made the reservation, and its owner gives up all blocks in it.
        unsafe { os::unreserve(self.reserved, self.reserved_len) };
    }
}

// SAFETY: all that changes in an arena and its tables is atomic or guarded by a
// lock, and nothing in it is bound to one thread.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

// The layout above states this size.
const _: () = assert!(size_of::<Span>() == 64);
