//! The arena: finds the span, the record and the group for a number or an address.
//!
//! Only this file turns a number into a reference, and it checks the number against the
//! bounds of the window.

use crate::bits::{BITS, run};
use crate::layout::{PAGE_SIZE, SPAN_PAGES, SPAN_SIZE};
use crate::lock::Lock;
use crate::shared::Shared64;
use crate::space::{Space, Taken};
use crate::span::SpanRef;
use crate::window::Window;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Number of spans in a group: one for each bit of a word.
pub(crate) const GROUP_SPANS: usize = BITS;
/// Number of pages of lines that the bitmaps of a group need at most.
pub(crate) const GROUP_LINE_PAGES: usize = GROUP_SPANS * SPAN_SIZE / 16 / 8 / PAGE_SIZE;

/// The state of 64 spans, with one bit for each. All zeros: no span was ever used.
#[derive(Debug)]
pub(crate) struct Group {
    /// Spans in use. The space's lock guards this field and `resident`.
    pub used: Shared64,
    /// Spans that the next `_heapmin` must visit.
    pub dirty: AtomicU64,
    /// Free spans of which every page may be resident, whatever the record says:
    /// the span was inside a large block, or the system refused to take it back.
    pub resident: Shared64,
    /// For each page of lines, the lines that are taken.
    lines: [Shared64; GROUP_LINE_PAGES],
}

impl Group {
    /// The spans that are in use, or that may have resident pages.
    pub(crate) fn kept(&self) -> u64 {
        self.used.get() | self.resident.get() | self.dirty.load(Relaxed)
    }
}

/// The window of a heap and what its tables say.
pub(crate) struct Arena {
    pub window: Window,
    /// Whether the next `_heapmin` must visit any span.
    pub dirty: AtomicBool,
    pub taken: Lock<Taken>,
}

impl Arena {
    /// An arena without a window.
    pub(crate) const fn new() -> Arena {
        Arena {
            window: Window::new(),
            dirty: AtomicBool::new(false),
            taken: Lock::new(Taken::NOTHING),
        }
    }

    /// Takes the space's lock. Its holder may take and free spans and lines.
    pub(crate) fn space(&self) -> Space<'_> {
        Space {
            arena: self,
            taken: self.taken.lock(),
        }
    }

    /// The number of the first span without address space. No later span has any.
    #[inline(always)]
    pub(crate) fn top(&self) -> usize {
        self.window.top()
    }

    /// The groups that have a span with address space.
    pub(crate) fn groups(&self) -> impl DoubleEndedIterator<Item = usize> {
        let has_spans = |&group: &usize| self.window.scattered.with_addresses(group) != 0;
        (0..self.top().div_ceil(GROUP_SPANS)).filter(has_spans)
    }

    /// The numbers of the spans with address space, from one on.
    pub(crate) fn numbers(&self, from: u32) -> impl Iterator<Item = u32> {
        (from..self.top() as u32).filter(|&index| self.window.scattered.has_addresses(index))
    }

    /// The span with this number, or `None` if it has no address space.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<SpanRef> {
        self.span(index as usize)
    }

    #[inline(always)]
    fn span(&self, number: usize) -> Option<SpanRef> {
        if number >= self.top() {
            return None;
        }
        let base = self.window.spans().wrapping_add(number * SPAN_SIZE);
        // SAFETY: records below the top are in bounds and committed, and all zeros is a
        // valid record. The record stays until the heap ends or the library is unloaded,
        // and no user of the heap keeps a reference longer.
        Some(unsafe { SpanRef::new(number as u32, self.window.records().add(number), base) })
    }

    /// The span that contains an address, and the offset of the address in bytes.
    #[inline(always)]
    pub(crate) fn find(&self, address: *const u8) -> Option<(SpanRef, usize)> {
        let offset = (address as usize).wrapping_sub(self.window.spans() as usize);
        Some((self.span(offset / SPAN_SIZE)?, offset % SPAN_SIZE))
    }

    /// The address of a page. Pages are numbered from the first span's first page.
    pub(crate) fn page(&self, number: usize) -> *mut u8 {
        self.window.spans().wrapping_add(number * PAGE_SIZE)
    }

    /// The address of a page of a span.
    pub(crate) fn page_in(&self, span: u32, page: usize) -> *mut u8 {
        self.page(span as usize * SPAN_PAGES + page)
    }

    /// The group with this number.
    pub(crate) fn group(&self, index: usize) -> &Group {
        assert!(index < self.window.groups_described());
        // SAFETY: in bounds and committed; all zeros is a valid group.
        unsafe { &*self.window.groups().add(index) }
    }

    /// The group of a span, and the span's bit in the words of the group.
    pub(crate) fn group_of(&self, index: u32) -> (&Group, u64) {
        let (group, bit) = (index as usize / GROUP_SPANS, index as usize % GROUP_SPANS);
        (self.group(group), run(bit, 1))
    }

    /// Whether a span is in use.
    pub(crate) fn is_used(&self, index: u32) -> bool {
        let is_used = || {
            let (group, bit) = self.group_of(index);
            group.used.get() & bit != 0
        };
        let has_addresses = || self.window.scattered.has_addresses(index);
        (index as usize) < self.top() && has_addresses() && is_used()
    }

    /// Marks a span, so that the next `_heapmin` visits it.
    pub(crate) fn mark_dirty(&self, index: u32) {
        let (group, bit) = self.group_of(index);
        group.dirty.fetch_or(bit, Relaxed);
        self.dirty.store(true, Relaxed);
    }

    /// A page of lines: its first byte, and a bit for each of its 64 lines that
    /// is taken. `None` if it has no address space yet.
    pub(crate) fn line_page(&self, page: usize) -> Option<(*mut u8, &Shared64)> {
        (page < self.window.groups_with_lines() * GROUP_LINE_PAGES).then(|| {
            let taken = &self.group(page / GROUP_LINE_PAGES).lines[page % GROUP_LINE_PAGES];
            let lines = self.window.lines_of(page / GROUP_LINE_PAGES);
            let offset = page % GROUP_LINE_PAGES * PAGE_SIZE;
            (lines.wrapping_add(offset), taken)
        })
    }
}

// SAFETY: all that changes in an arena and its tables is atomic or guarded by a
// lock, and nothing in it is bound to one thread.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}
