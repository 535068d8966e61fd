//! The addresses of spans on 32-bit systems.
//!
//! The heap shares 2 to 4 GiB with a program there, and no large part of them stays free.
//! So the window is the whole address space: the number of a span is its address divided by
//! its size, and the tables have a row for each. Only some spans have addresses, which the
//! heap takes from the system by need:
//!
//! 1. It begins a quarter into a large part that is free. The system maps what the program
//!    requests from an end of such a part, so that both can grow.
//! 2. It grows upwards from there, by a mebibyte at least, while the system has the next
//!    addresses. So its spans are neighbours, free ones serve large blocks, and large blocks
//!    grow in place.
//! 3. Otherwise it takes addresses where the system has room, and grows upwards from there.
//!
//! `_heapmin` gives back the addresses of all free spans.

use crate::arena::GROUP_SPANS;
use crate::bits::{run, runs};
use crate::layout::{SCATTERED, SPAN_SIZE};
use crate::misuse;
use crate::os;
use crate::shared::Shared64;
use crate::space::Space;
use crate::window::LEAST_ADDED;
use core::ptr;
use core::sync::atomic::AtomicPtr;

/// Number of groups in 4 GiB; 0 if spans are not scattered.
const GROUPS: usize = if SCATTERED {
    usize::MAX.div_ceil(SPAN_SIZE) / GROUP_SPANS
} else {
    0
};

/// Which spans have addresses, and where the lines of groups lie. The space's lock guards
/// it; any thread may read it.
pub(crate) struct Scattered {
    /// A bit for each span of a group.
    spans: [Shared64; GROUPS],
    /// The first line of each group that has lines.
    pub(crate) lines: [AtomicPtr<u8>; GROUPS],
}

impl Scattered {
    /// No span has addresses.
    pub(crate) const fn new() -> Scattered {
        Scattered {
            spans: [const { Shared64::new(0) }; GROUPS],
            lines: [const { AtomicPtr::new(ptr::null_mut()) }; GROUPS],
        }
    }

    /// The spans of a group that have addresses. Where spans are not scattered, the top of
    /// the window says which.
    #[inline]
    pub(crate) fn with_addresses(&self, group: usize) -> u64 {
        self.spans.get(group).map_or(!0, Shared64::get)
    }

    /// Whether a span has addresses. Where spans are not scattered, the top of the window
    /// says so.
    #[inline]
    pub(crate) fn has_addresses(&self, index: u32) -> bool {
        let (group, bit) = (index as usize / GROUP_SPANS, index as usize % GROUP_SPANS);
        self.with_addresses(group) & run(bit, 1) != 0
    }

    fn set(&self, from: usize, end: usize, has_addresses: bool) {
        for number in from..end {
            let (group, bit) = (
                &self.spans[number / GROUP_SPANS],
                run(number % GROUP_SPANS, 1),
            );
            group.set(match has_addresses {
                true => group.get() | bit,
                false => group.get() & !bit,
            });
        }
    }

    /// Takes addresses for the spans from `from` to before `end` that have none. Returns
    /// false, with nothing changed, if the system refuses.
    pub(crate) fn take(&self, from: usize, end: usize) -> bool {
        let has_addresses = |&number: &usize| self.has_addresses(number as u32);
        let Some(first) = (from..end).find(|number| !has_addresses(number)) else {
            return true;
        };
        let next = (first..end).find(has_addresses).unwrap_or(end);
        let (base, len) = (base_of(first), (next - first) * SPAN_SIZE);
        // SAFETY: addresses that the heap does not have.
        if !unsafe { os::extend(base, len, false) } {
            return false;
        }
        self.set(first, next, true);
        let is_done = self.take(next, end);
        if !is_done {
            self.give(first, next);
        }
        is_done
    }

    /// Gives the addresses of spans back. Returns false if the system refuses.
    fn give(&self, from: usize, end: usize) -> bool {
        // SAFETY: the callers pass spans that have addresses and no block.
        let done = unsafe { os::withdraw(base_of(from), (end - from) * SPAN_SIZE, false) };
        if done {
            self.set(from, end, false);
        }
        done
    }

    /// Gives all addresses of spans back. No span has a block.
    pub(crate) fn withdraw_all(&self) {
        for (group, spans) in self.spans.iter().enumerate() {
            for (bit, count) in runs(spans.get()) {
                let first = group * GROUP_SPANS + bit;
                self.give(first, first + count);
            }
        }
    }
}

impl Space<'_> {
    /// Takes addresses for `count` neighbouring spans that are free then. Returns the number
    /// of the first, or `None` if the system has no such addresses.
    #[cold]
    pub(crate) fn grow(&mut self, count: usize) -> Option<u32> {
        if self.top() == 0 {
            self.window.open()?; // after all was given back
        }
        if self.taken.next == 0 {
            self.taken.next = start() as u32;
        }
        let next = self.taken.next as usize;
        let is_free = |number: usize| {
            self.window.scattered.has_addresses(number as u32) && !self.is_used(number as u32)
        };
        let before = (1..next).rev().take_while(|&number| is_free(number));
        let from = next - before.count();
        let wished = match misuse::is_on() {
            true => count, // a write far past the last span then finds no memory
            false => count.max(LEAST_ADDED + next - from),
        };
        let (first, end) = self
            .take_free(from, wished)
            .or_else(|| self.find_place(count))?;
        self.taken.next = end as u32;
        self.note_free(first as u32);
        Some(first as u32)
    }

    /// Takes addresses for `count` spans from a number on. Returns the range, or `None` if
    /// one of them is in use or the system refuses.
    fn take_free(&self, from: usize, count: usize) -> Option<(usize, usize)> {
        let end = from
            .checked_add(count)
            .filter(|&end| end < self.window.len())?;
        let is_used = |number: usize| self.is_used(number as u32);
        let is_taken = !(from..end).any(is_used) && self.window.scattered.take(from, end);
        is_taken.then_some((from, end))
    }

    /// Takes addresses for `count` spans anywhere: where the system would map them now, or
    /// else at the first place that has them.
    fn find_place(&self, count: usize) -> Option<(usize, usize)> {
        let size = count.checked_mul(SPAN_SIZE)?;
        let near = hole(size)? as usize / SPAN_SIZE;
        // Span 0 has the null pointer.
        let near = near.max(1)..near + 2;
        near.chain(1..self.window.len())
            .find_map(|number| self.take_free(number, count))
    }

    /// Gives back the addresses of all free spans without resident pages.
    pub(crate) fn give_scattered(&mut self) {
        let mut lowest = self.taken.next as usize;
        for index in self.arena.groups() {
            let group = self.group(index);
            let kept = group.kept();
            let scattered = &self.window.scattered;
            for (bit, count) in runs(scattered.with_addresses(index) & !kept) {
                let first = index * GROUP_SPANS + bit;
                for from in (first..first + count).step_by(os::SPANS_AT_ONCE) {
                    let end = (from + os::SPANS_AT_ONCE).min(first + count);
                    if scattered.give(from, end) {
                        lowest = lowest.min(from);
                    }
                }
            }
        }
        self.taken.next = lowest as u32;
    }
}

fn base_of(number: usize) -> *mut u8 {
    ptr::null_mut::<u8>().wrapping_add(number * SPAN_SIZE)
}

/// A place of `size` bytes that is free. Other threads may take it.
fn hole(size: usize) -> Option<*mut u8> {
    let base = os::reserve(size)?;
    // SAFETY: the reservation was just made.
    unsafe { os::unreserve(base, size) };
    Some(base)
}

/// The number of the span at which a heap begins.
fn start() -> usize {
    let sizes = (24..=30).rev().map(|log2| 1 << log2);
    let quarter = |size: usize| Some((hole(size)? as usize + size / 4).div_ceil(SPAN_SIZE));
    sizes.filter_map(quarter).next().unwrap_or(1)
}
