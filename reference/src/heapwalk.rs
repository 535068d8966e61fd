//! `_heapwalk`: lists the heap's entries one by one, in address order.
//!
//! An entry is a live block, or a run of free slots or pages. Spans without a
//! live block are not listed. The entry of an aligned block begins at the slot
//! or page that contains it, which may be before the block's own address.

use crate::arena::Arena;
use crate::entry::{Entry, USED, entry_in};
use crate::heap::Heap;
use crate::layout::SPAN_SIZE;
use crate::whole::Whole;

/// What follows an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another entry.
    Entry(Entry),
    /// There are no more entries.
    End,
    /// Nothing was ever allocated.
    Empty,
    /// The given address is not that of an entry.
    BadPointer,
}

impl Heap {
    /// The entry after the one at `address`, or the first entry for null.
    pub fn entry_after(&self, address: *const u8) -> Next {
        self.lock_all().entry_after(address)
    }
}

impl Whole<'_> {
    /// See [`Heap::entry_after`].
    pub(crate) fn entry_after(&self, address: *const u8) -> Next {
        let arena = self.space.arena;
        if address.is_null() {
            return match arena.window.is_open() {
                true => entry_from(arena, 0, 0),
                false => Next::Empty,
            };
        }
        let entry = arena.find(address).and_then(|(span, offset)| {
            let entry = entry_in(span, offset)?;
            let end = entry.address as usize - span.base as usize + entry.size;
            let next = (span.index + (end / SPAN_SIZE) as u32, end % SPAN_SIZE);
            (entry.address.cast_const() == address).then_some(next)
        });
        entry.map_or(Next::BadPointer, |(index, offset)| {
            entry_from(arena, index, offset)
        })
    }
}

/// The first used entry after the one at an address. `next` gives the entry after one.
/// `None` after the last.
pub(crate) fn used_after(mut at: *const u8, next: impl Fn(*const u8) -> Next) -> Option<Entry> {
    while let Next::Entry(entry) = next(at) {
        at = entry.address;
        if entry.use_flag == USED {
            return Some(entry);
        }
    }
    None
}

/// The first entry at or after an offset into a span.
fn entry_from(arena: &Arena, from: u32, offset: usize) -> Next {
    let used = arena.numbers(from).filter(|&index| arena.is_used(index));
    let entry_of = |index| entry_in(arena.get(index)?, if index == from { offset } else { 0 });
    used.filter_map(entry_of)
        .next()
        .map_or(Next::End, Next::Entry)
}
