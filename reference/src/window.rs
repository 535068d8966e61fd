//! The window: the address space of a heap, with the spans and the tables that describe
//! them.
//!
//! ```text
//! | groups          | span records  | lines of bitmap  | spans
//!   280 bytes for     64 bytes each   2 KiB per span,    256 KiB
//!   64 spans                          most never used    each
//! ```
//!
//! The heap takes address space in the window by need, each of the four parts from
//! its start. This leaves room under a limit (`ulimit -v`), and keeps core files
//! small. The system can refuse a block that is larger than its memory. Nothing else is
//! mapped in the window: it lies where the system maps nothing on its own. Where there is
//! no such place, the heap reserves its window, which is smaller then.
//!
//! No page of it is resident before its first use.

use crate::arena::{GROUP_LINE_PAGES, GROUP_SPANS, Group};
use crate::layout::{PAGE_SIZE, SPAN_SIZE};
use crate::misuse;
use crate::os;
use crate::shared::Shared64;
use crate::span::Span;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// A window. The space's lock guards it once it is open, the first shard's before. Any
/// thread may read it.
pub(crate) struct Window {
    /// Spans from this number on have no address space. It is stored after all else.
    top: AtomicUsize,
    /// The first byte of each part, in the order above.
    parts: [AtomicPtr<u8>; PARTS],
    /// Number of groups with address space for their part of each table.
    described: [Shared64; TABLES],
    /// Number of spans that fit, a multiple of 64.
    len: AtomicUsize,
    /// Whether the heap has a window. Stored after all that a window is.
    is_open: AtomicBool,
    /// Whether the whole window is reserved.
    is_reserved: AtomicBool,
}

/// Number of parts, of which all but the last are tables.
const PARTS: usize = TABLES + 1;
const TABLES: usize = 3;
/// The numbers of the parts.
const GROUPS: usize = 0;
const RECORDS: usize = 1;
const LINES: usize = 2;
const SPANS: usize = 3;
/// Bytes that a group has in each table.
const OF_GROUP: [usize; TABLES] = [
    size_of::<Group>(),
    GROUP_SPANS * size_of::<Span>(),
    GROUP_LINE_PAGES * PAGE_SIZE,
];
/// The fewest spans that are added at once: a mebibyte, so that a small program can lock
/// its memory.
const LEAST_ADDED: usize = (1 << 20) / SPAN_SIZE;
/// The most spans that are added at once without need.
const MOST_ADDED: usize = (1 << 30) / SPAN_SIZE;

impl Window {
    /// No window yet.
    pub(crate) const fn new() -> Window {
        Window {
            top: AtomicUsize::new(0),
            parts: [const { AtomicPtr::new(ptr::null_mut()) }; PARTS],
            described: [const { Shared64::new(0) }; TABLES],
            len: AtomicUsize::new(0),
            is_open: AtomicBool::new(false),
            is_reserved: AtomicBool::new(false),
        }
    }

    /// Whether the heap has a window.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Finds a window that is free, or reserves one. Returns `None`, and changes nothing,
    /// if both fail.
    pub(crate) fn open(&self) -> Option<()> {
        let at_place = |place| self.open_at(place, os::WINDOW, false);
        let reserved = |size: usize| {
            let len = window_len(size / SPAN_SIZE);
            let window = os::reserve(len)?;
            let opened = self.open_at(window, size, true);
            if opened.is_none() {
                // SAFETY: the reservation was just made.
                unsafe { os::unreserve(window, len) };
            }
            opened
        };
        os::places()
            .find_map(at_place)
            .or_else(|| os::RESERVATIONS.into_iter().find_map(reserved))
    }

    /// Opens a window at an address, if address space for the first span is free there.
    fn open_at(&self, window: *mut u8, size: usize, is_reserved: bool) -> Option<()> {
        let len = size / SPAN_SIZE;
        let mut at = window;
        for (part, of_group) in self.parts.iter().zip(OF_GROUP) {
            part.store(at, Ordering::Relaxed);
            at = at.wrapping_add(table_len(len, of_group));
        }
        let spans = at.wrapping_add((at as usize).wrapping_neg() % SPAN_SIZE);
        self.parts[SPANS].store(spans, Ordering::Relaxed);
        self.is_reserved.store(is_reserved, Ordering::Relaxed);
        self.len.store(len, Ordering::Relaxed);
        if self.raise_top(1).is_none() {
            self.withdraw_tables();
            return None;
        }
        self.is_open.store(true, Ordering::Release);
        Some(())
    }

    /// The number of the first span without address space. No later span has any.
    #[inline(always)]
    pub(crate) fn top(&self) -> usize {
        self.top.load(Ordering::Acquire)
    }

    /// Number of spans that fit.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether the whole window is reserved.
    pub(crate) fn is_reserved(&self) -> bool {
        self.is_reserved.load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn part(&self, part: usize) -> *mut u8 {
        self.parts[part].load(Ordering::Relaxed)
    }

    /// The first group.
    pub(crate) fn groups(&self) -> *const Group {
        self.part(GROUPS).cast()
    }

    /// The first record.
    #[inline(always)]
    pub(crate) fn records(&self) -> *const Span {
        self.part(RECORDS).cast()
    }

    /// The first line.
    pub(crate) fn lines(&self) -> *mut u8 {
        self.part(LINES)
    }

    /// The first byte of the first span.
    #[inline(always)]
    pub(crate) fn spans(&self) -> *mut u8 {
        self.part(SPANS)
    }

    /// Number of groups with address space for their lines; each has one for its other
    /// tables too.
    pub(crate) fn groups_with_lines(&self) -> usize {
        self.described[LINES].get() as usize
    }

    /// Number of groups with address space.
    pub(crate) fn groups_described(&self) -> usize {
        self.described[GROUPS].get() as usize
    }

    /// Takes address space for all spans below `needed`, and perhaps some more, so
    /// that a heap that grows asks the system rarely. Returns `None` if the system refuses.
    pub(crate) fn raise_top(&self, needed: usize) -> Option<()> {
        let old = self.top();
        if needed <= old {
            return Some(());
        }
        if needed > self.len() {
            return None;
        }
        let more = (old / 8).clamp(LEAST_ADDED, MOST_ADDED);
        let wished = match misuse::is_on() {
            true => needed, // a write far past the last span then finds no memory
            false => needed.max(old + more),
        };
        let top = [wished.min(self.len()), needed].into_iter().find(|&top| {
            let (base, len) = (self.span_at(old), (top - old) * SPAN_SIZE);
            // SAFETY: a part of the window that is not used yet.
            let extended = unsafe { os::extend(base, len, self.is_reserved()) };
            if extended && self.describe(top).is_none() {
                // SAFETY: the part that was just taken.
                unsafe { os::withdraw(base, len, self.is_reserved()) };
                return false;
            }
            extended
        })?;
        self.top.store(top, Ordering::Release);
        Some(())
    }

    fn span_at(&self, number: usize) -> *mut u8 {
        self.spans().wrapping_add(number * SPAN_SIZE)
    }

    /// Makes the tables usable for all spans below `top`. Returns `None` if the
    /// system refuses.
    pub(crate) fn describe(&self, top: usize) -> Option<()> {
        let page = os::page_size();
        let new = top.div_ceil(GROUP_SPANS);
        for (table, size) in OF_GROUP.into_iter().enumerate() {
            let old = self.described[table].get() as usize;
            let start = (old * size).next_multiple_of(page);
            let end = (new * size).next_multiple_of(page);
            if new <= old {
                continue;
            }
            if start < end {
                let (base, len) = (self.part(table).wrapping_add(start), end - start);
                // SAFETY: a part of the window that is not used yet.
                let done = unsafe {
                    os::extend(base, len, self.is_reserved())
                        // `Space::take_lines` commits lines.
                        && (table == LINES || os::commit(base, len))
                };
                done.then_some(())?;
            }
            self.described[table].set(new as u64);
        }
        Some(())
    }

    /// Gives back the address space of the spans from `top` on, of which none is in use.
    pub(crate) fn lower_top(&self, top: usize) {
        let (old, base) = (self.top(), self.span_at(top));
        // SAFETY: no span from there on is in use.
        if top < old && unsafe { os::withdraw(base, (old - top) * SPAN_SIZE, self.is_reserved()) } {
            self.top.store(top, Ordering::Release);
        }
    }

    /// Gives back the address space of the tables. No span has any.
    pub(crate) fn withdraw_tables(&self) {
        // Groups last: `Arena::line_page` reads them as long as there are lines.
        for (table, size) in OF_GROUP.into_iter().enumerate().rev() {
            let len =
                (self.described[table].get() as usize * size).next_multiple_of(os::page_size());
            if len > 0 {
                // SAFETY: no span is in use, so no record and no line is.
                unsafe { os::withdraw(self.part(table), len, self.is_reserved()) };
                self.described[table].set(0);
            }
        }
    }
}

/// Bytes of address space of a window with `len` spans.
fn window_len(len: usize) -> usize {
    // One span more, because the first is aligned to its size.
    let tables = OF_GROUP.map(|size| table_len(len, size));
    tables.iter().sum::<usize>() + (len + 1) * SPAN_SIZE
}

fn table_len(len: usize, of_group: usize) -> usize {
    (len / GROUP_SPANS * of_group).next_multiple_of(os::page_size())
}

impl Drop for Window {
    fn drop(&mut self) {
        if self.is_open() && self.is_reserved() {
            let len = window_len(self.len());
            // SAFETY: this window made the reservation, and its owner gives up all blocks in it.
            unsafe { os::unreserve(self.part(GROUPS), len) };
        } else if self.is_open() {
            self.lower_top(0);
            self.withdraw_tables();
        }
    }
}
