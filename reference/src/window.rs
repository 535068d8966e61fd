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
//! On 32-bit systems the window is the whole address space. Only its tables are reserved;
//! spans and lines lie wherever the system has room ([`crate::scattered`]).
//!
//! No page of it is resident before its first use.

use crate::arena::{GROUP_LINE_PAGES, GROUP_SPANS, Group};
use crate::layout::{PAGE_SIZE, SCATTERED, SPAN_SIZE};
use crate::misuse;
use crate::os;
use crate::scattered::Scattered;
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
    /// Which spans have addresses, on 32-bit systems.
    pub(crate) scattered: Scattered,
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
    if SCATTERED { 0 } else { LINES_OF_GROUP },
];
/// Bytes of the lines of a group.
const LINES_OF_GROUP: usize = GROUP_LINE_PAGES * PAGE_SIZE;
/// The fewest spans that are added at once: a mebibyte, so that a small program can lock
/// its memory.
pub(crate) const LEAST_ADDED: usize = (1 << 20) / SPAN_SIZE;
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
            scattered: Scattered::new(),
        }
    }

    /// Whether the heap has a window.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Finds a window that is free, or reserves one. Returns `None`, and changes nothing,
    /// if both fail.
    pub(crate) fn open(&self) -> Option<()> {
        let at_place = |place| self.open_at(place, os::WINDOW / SPAN_SIZE, false);
        let reserved = |size: usize| {
            let spans = size.div_ceil(SPAN_SIZE);
            let len = window_len(spans);
            let window = os::reserve(len)?;
            let opened = self.open_at(window, spans, true);
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

    /// Opens a window for `len` spans at an address, if address space for the first span is
    /// free there.
    fn open_at(&self, window: *mut u8, len: usize, is_reserved: bool) -> Option<()> {
        let mut at = window;
        for (part, of_group) in self.parts.iter().zip(OF_GROUP) {
            part.store(at, Ordering::Relaxed);
            at = at.wrapping_add(table_len(len, of_group));
        }
        let spans = match SCATTERED {
            true => ptr::null_mut(),
            false => at.wrapping_add((at as usize).wrapping_neg() % SPAN_SIZE),
        };
        self.parts[SPANS].store(spans, Ordering::Relaxed);
        self.is_reserved.store(is_reserved, Ordering::Relaxed);
        self.len.store(len, Ordering::Relaxed);
        let all = || {
            self.describe(len)?;
            self.top.store(len, Ordering::Release);
            Some(())
        };
        let opened = if SCATTERED { all() } else { self.raise_top(1) };
        if opened.is_none() {
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

    /// The first line of a group.
    pub(crate) fn lines_of(&self, group: usize) -> *mut u8 {
        match self.scattered.lines.get(group) {
            Some(lines) => lines.load(Ordering::Relaxed),
            None => self.part(LINES).wrapping_add(group * LINES_OF_GROUP),
        }
    }

    /// The group that has a line, and the offset of the line in those of the group.
    pub(crate) fn group_of_line(&self, line: *const u8) -> Option<(usize, usize)> {
        let offset = |group| (line as usize).wrapping_sub(self.lines_of(group) as usize);
        let group = match SCATTERED {
            true => (0..self.groups_with_lines()).find(|&group| offset(group) < LINES_OF_GROUP)?,
            false => offset(0) / LINES_OF_GROUP,
        };
        Some((group, offset(group)))
    }

    /// Makes room for the lines of one group more. Returns `None` if the system refuses.
    pub(crate) fn add_lines(&self) -> Option<()> {
        let groups = self.groups_with_lines();
        let Some(lines) = self.scattered.lines.get(groups) else {
            let top = (groups + 1) * GROUP_SPANS;
            return (top <= self.len()).then(|| self.describe(top))?;
        };
        let base = os::reserve(LINES_OF_GROUP)?;
        // SAFETY: the reservation was just made.
        if !unsafe { os::extend(base, LINES_OF_GROUP, true) } {
            // SAFETY: as above.
            unsafe { os::unreserve(base, LINES_OF_GROUP) };
            return None;
        }
        lines.store(base, Ordering::Relaxed);
        self.described[LINES].set(groups as u64 + 1);
        Some(())
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
    fn describe(&self, top: usize) -> Option<()> {
        let page = os::page_size();
        let new = top.div_ceil(GROUP_SPANS);
        for (table, size) in OF_GROUP.into_iter().enumerate() {
            let old = self.described[table].get() as usize;
            let start = (old * size).next_multiple_of(page);
            let end = (new * size).next_multiple_of(page);
            if new <= old || size == 0 {
                continue; // lines of size 0 are scattered: see `add_lines`
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

    /// Gives back a window that is reserved, with the spans and lines that are scattered. No
    /// block is live.
    pub(crate) fn close(&self) {
        if self.top() == 0 {
            return; // it is closed
        }
        self.top.store(0, Ordering::Release);
        self.scattered.withdraw_all();
        for lines in self.scattered.lines.iter().take(self.groups_with_lines()) {
            // SAFETY: `add_lines` made the reservation, and no line is in use.
            unsafe { os::unreserve(lines.load(Ordering::Relaxed), LINES_OF_GROUP) };
        }
        self.described.iter().for_each(|groups| groups.set(0));
        // SAFETY: this window made the reservation, and its owner gives up all blocks in it.
        unsafe { os::unreserve(self.part(GROUPS), window_len(self.len())) };
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

/// Bytes to reserve for a window with `len` spans.
fn window_len(len: usize) -> usize {
    // One span more, because the first is aligned to its size.
    let spans = if SCATTERED { 0 } else { len + 1 };
    let tables = OF_GROUP.map(|size| table_len(len, size));
    tables.iter().sum::<usize>() + spans * SPAN_SIZE
}

fn table_len(len: usize, of_group: usize) -> usize {
    (len / GROUP_SPANS * of_group).next_multiple_of(os::page_size())
}

impl Drop for Window {
    fn drop(&mut self) {
        if self.is_open() && self.is_reserved() {
            self.close();
        } else if self.is_open() {
            self.lower_top(0);
            self.withdraw_tables();
        }
    }
}
