//! The arena: a window of address space. It holds the spans and the tables that
//! describe them.
//!
//! ```text
//! | groups          | span records  | lines of bitmap  | spans
//!   280 bytes for     64 bytes each   2 KiB per span,    256 KiB
//!   64 spans                          most never used    each
//! ```
//!
//! The heap takes address space in the window by need, each of the four parts from
//! its start. This leaves room under a limit (`ulimit -v`), and keeps core files
//! small. The system can refuse a block that is larger than its memory. Nothing else is mapped in the window: it lies where
//! the system maps nothing on its own. Where there is no such place, the arena
//! reserves its window, which is smaller then.
//!
//! No page of it is resident before its first use. Only this file turns a
//! number into a reference, and it checks the number against the arena's bounds.

use crate::bits::{BITS, run};
use crate::lock::{Guard, Lock};
use crate::os;
use crate::shared::Shared64;
use crate::space::Space;
use crate::span::{PAGE_SIZE, SPAN_PAGES, SPAN_SIZE, Span, SpanRef};
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

/// A window and its tables.
pub(crate) struct Arena {
    window: *mut u8,
    window_len: usize,
    /// Whether the whole window is reserved.
    pub is_reserved: bool,
    groups: *const Group,
    /// The first record.
    pub records: *const Span,
    /// The first line.
    pub lines: *mut u8,
    blocks: *mut u8,
    /// Number of spans that fit, a multiple of 64.
    pub len: usize,
    /// Number of groups with address space for their part of each table. The space's
    /// lock guards it, as `top`.
    described: [Shared64; TABLES],
    /// Spans from this number on have no address space.
    top: AtomicUsize,
    /// Whether the next `_heapmin` must visit any span.
    pub touched: AtomicBool,
    /// Which spans and lines are taken, and which spans have free pages for
    /// large blocks.
    space: Lock<Space>,
}

/// Number of tables: groups, records, lines.
const TABLES: usize = 3;
/// Bytes that a group has in each.
const OF_GROUP: [usize; TABLES] = [
    size_of::<Group>(),
    GROUP_SPANS * size_of::<Span>(),
    GROUP_LINE_PAGES * PAGE_SIZE,
];
/// The most spans that are added at once without need.
const MOST_ADDED: usize = (1 << 30) / SPAN_SIZE;

impl Arena {
    /// Finds a window that is free, or reserves one. Returns `None` if both fail.
    pub(crate) fn new() -> Option<Arena> {
        os::places()
            .map(|place| Arena::at(place, os::WINDOW, false))
            .find(Arena::is_free)
            .or_else(|| {
                os::RESERVATIONS.into_iter().find_map(|size| {
                    let window = os::reserve(Arena::window_len(size / SPAN_SIZE))?;
                    Some(Arena::at(window, size, true))
                })
            })
    }

    /// Bytes of address space of an arena with `len` spans.
    fn window_len(len: usize) -> usize {
        // One span more, because the first is aligned to its size.
        let tables = OF_GROUP.map(|size| Arena::table_len(len, size));
        tables.iter().sum::<usize>() + (len + 1) * SPAN_SIZE
    }

    fn table_len(len: usize, of_group: usize) -> usize {
        (len / GROUP_SPANS * of_group).next_multiple_of(os::page_size())
    }

    /// An arena at an address, of which nothing is mapped yet.
    fn at(window: *mut u8, size: usize, is_reserved: bool) -> Arena {
        let len = size / SPAN_SIZE;
        let [groups, records, lines] = OF_GROUP.map(|size| Arena::table_len(len, size));
        let end = window.wrapping_add(groups + records + lines);
        Arena {
            window,
            window_len: Arena::window_len(len),
            is_reserved,
            groups: window.cast(),
            records: window.wrapping_add(groups).cast(),
            lines: window.wrapping_add(groups + records),
            blocks: end.wrapping_add((end as usize).wrapping_neg() % SPAN_SIZE),
            len,
            described: Default::default(),
            top: AtomicUsize::new(0),
            touched: AtomicBool::new(false),
            space: Lock::new(Space::NEW),
        }
    }

    /// Whether the first span and its tables are free. They are the arena's then.
    fn is_free(&self) -> bool {
        self.raise_top(1).is_some()
    }

    /// Takes the space's lock. Its holder may take and free spans and lines.
    pub(crate) fn space(&self) -> Guard<'_, Space> {
        self.space.lock()
    }

    /// Whether a thread sleeps until the space's lock is free.
    pub(crate) fn has_sleepers(&self) -> bool {
        self.space.has_sleepers()
    }

    /// Takes the space's lock if it is free.
    #[cfg(unix)]
    pub(crate) fn try_space(&self) -> Option<Guard<'_, Space>> {
        self.space.try_lock()
    }

    /// The number of the first span without address space. No later span has any.
    #[inline]
    pub(crate) fn top(&self) -> usize {
        self.top.load(Ordering::Acquire)
    }

    /// Takes address space for all spans below `needed`, and perhaps some more, so
    /// that a heap that grows asks the system rarely. The caller holds the space's
    /// lock. Returns `None` if the system refuses.
    pub(crate) fn raise_top(&self, needed: usize) -> Option<()> {
        let old = self.top();
        if needed <= old {
            return Some(());
        }
        if needed > self.len {
            return None;
        }
        let more = (old / 8).clamp(GROUP_SPANS, MOST_ADDED);
        let wished = needed.max(old + more).next_multiple_of(GROUP_SPANS);
        let top = [wished.min(self.len), needed].into_iter().find(|&top| {
            let (base, len) = (self.page(old * SPAN_PAGES), (top - old) * SPAN_SIZE);
            // SAFETY: a part of the window that is not used yet.
            let extended = unsafe { os::extend(base, len, self.is_reserved) };
            if extended && self.describe(top).is_none() {
                // SAFETY: the part that was just taken.
                unsafe { os::withdraw(base, len, self.is_reserved) };
                return false;
            }
            extended
        })?;
        self.top.store(top, Ordering::Release);
        Some(())
    }

    /// Makes the tables usable for all spans below `top`. Returns `None` if the
    /// system refuses.
    fn describe(&self, top: usize) -> Option<()> {
        let page = os::page_size();
        let new = top.div_ceil(GROUP_SPANS);
        for ((table, size), described) in self.tables().zip(OF_GROUP).zip(&self.described) {
            let old = described.get() as usize;
            let start = (old * size).next_multiple_of(page);
            let end = (new * size).next_multiple_of(page);
            if new <= old {
                continue;
            }
            if start < end {
                let (base, len) = (table.wrapping_add(start).cast_mut(), end - start);
                // SAFETY: a part of the window that is not used yet.
                let done = unsafe {
                    os::extend(base, len, self.is_reserved)
                        // `take_lines` commits lines.
                        && (table == self.lines.cast_const() || os::commit(base, len))
                };
                done.then_some(())?;
            }
            described.set(new as u64);
        }
        Some(())
    }

    /// The first byte of each table, in the order of [`OF_GROUP`].
    fn tables(&self) -> core::array::IntoIter<*const u8, TABLES> {
        let tables: [*const u8; TABLES] = [
            self.groups.cast(),
            self.records.cast(),
            self.lines.cast_const(),
        ];
        tables.into_iter()
    }

    /// Gives back the address space after the last group with a span in use. All
    /// locks are held.
    pub(crate) fn lower_top(&self) {
        let groups = self.top().div_ceil(GROUP_SPANS);
        let is_idle = |group: &Group| {
            group.used.get() | group.whole.get() | group.touched.load(Ordering::Relaxed) == 0
        };
        let kept = (1..groups).rev().find(|&index| !is_idle(self.group(index)));
        self.lower_top_to((kept.unwrap_or(0) + 1) * GROUP_SPANS);
    }

    fn lower_top_to(&self, top: usize) {
        let (old, base) = (self.top(), self.page(top * SPAN_PAGES));
        // SAFETY: no span from there on is in use.
        if top < old && unsafe { os::withdraw(base, (old - top) * SPAN_SIZE, self.is_reserved) } {
            self.top.store(top, Ordering::Release);
        }
    }

    /// Gives back all address space, if no span is in use and the window is not
    /// reserved. The arena is then like a new one. All locks are held.
    #[cfg(unix)]
    pub(crate) fn withdraw(&self, space: &mut Space) {
        let groups = self.top().div_ceil(GROUP_SPANS);
        if self.is_reserved || (0..groups).any(|index| self.group(index).used.get() != 0) {
            return;
        }
        self.lower_top_to(0);
        if self.top() == 0 {
            *space = Space::NEW;
            self.withdraw_tables();
        }
    }

    fn withdraw_tables(&self) {
        // Groups last: `line_page` reads them as long as there are lines.
        for ((table, size), described) in self.tables().zip(OF_GROUP).zip(&self.described).rev() {
            let len = (described.get() as usize * size).next_multiple_of(os::page_size());
            // SAFETY: no span is in use, so no record and no line is.
            if len > 0 && unsafe { os::withdraw(table.cast_mut(), len, self.is_reserved) } {
                described.set(0);
            }
        }
    }

    /// The span with this number, or `None` if it has no address space.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<SpanRef> {
        self.span(index as usize)
    }

    #[inline(always)]
    fn span(&self, number: usize) -> Option<SpanRef> {
        (number < self.top()).then(|| SpanRef {
            index: number as u32,
            // SAFETY: records below the top are in bounds and committed, and all
            // zeros is a valid record. The record stays until the heap ends or the
            // library is unloaded, and no user of the heap keeps a reference longer.
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
        assert!(index < self.described[0].get() as usize);
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
        let is_used = || {
            let (group, bit) = self.group_of(index);
            group.used.get() & bit != 0
        };
        (index as usize) < self.top() && is_used()
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

    /// Makes the tables usable that have this page of lines. The caller holds the
    /// space's lock. Returns `None` if there is no such page or the system refuses.
    pub(crate) fn describe_lines(&self, page: usize) -> Option<()> {
        let top = (page / GROUP_LINE_PAGES + 1) * GROUP_SPANS;
        (top <= self.len).then(|| self.describe(top))?
    }

    /// A page of lines: its first byte, and a bit for each of its 64 lines that
    /// is taken. `None` if there is no such page.
    pub(crate) fn line_page(&self, page: usize) -> Option<(*mut u8, &Shared64)> {
        (page < self.described[2].get() as usize * GROUP_LINE_PAGES).then(|| {
            let taken = &self.group(page / GROUP_LINE_PAGES).lines[page % GROUP_LINE_PAGES];
            (self.lines.wrapping_add(page * PAGE_SIZE), taken)
        })
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        if self.is_reserved {
            // SAFETY: this arena made the reservation, and its owner gives up all blocks in it.
            unsafe { os::unreserve(self.window, self.window_len) };
        } else {
            self.lower_top_to(0);
            self.withdraw_tables();
        }
    }
}

// SAFETY: all that changes in an arena and its tables is atomic or guarded by a
// lock, and nothing in it is bound to one thread.
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

// The layout above states this size.
const _: () = assert!(size_of::<Span>() == 64);
