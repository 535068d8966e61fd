//! `_heapwalk`: names the heap's entries one after another, in address order.
//!
//! An entry is a live block or a run of free slots between live blocks. Spans
//! in which nothing lives are the heap's own store and are not named. An
//! aligned block is named by its place, which begins at or before it.

use crate::entry::{Entry, entry_in};
use crate::heap::{Heap, Whole, span_ref, split};
use crate::span::SPAN_SIZE;
use std::sync::OnceLock;

/// What comes after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another entry.
    Entry(Entry),
    /// There are no more.
    End,
    /// Nothing was ever allocated.
    Empty,
    /// The address given is not that of an entry.
    BadPointer,
}

impl Heap {
    /// The entry after the one at `address`; the first one for null.
    pub fn entry_after(&self, address: *const u8) -> Next {
        self.lock_all().entry_after(address)
    }
}

impl Whole<'_> {
    /// See [`Heap::entry_after`].
    pub(crate) fn entry_after(&self, address: *const u8) -> Next {
        if !address.is_null() {
            return self.behind(address).unwrap_or(Next::BadPointer);
        }
        match self.heap.arenas[0].get() {
            Some(_) => self.entry_from(0, 0, 0),
            None => Next::Empty,
        }
    }

    /// What comes after the entry at an address, if there is one.
    fn behind(&self, address: *const u8) -> Option<Next> {
        let (span, offset) = self.heap.find(address)?;
        let entry = entry_in(span, offset).filter(|entry| entry.address.cast_const() == address)?;
        let (arena, index) = split(span.number);
        let behind = offset + entry.size;
        Some(self.entry_from(arena, index + behind / SPAN_SIZE, behind % SPAN_SIZE))
    }

    /// The first entry from an offset into a span on.
    fn entry_from(&self, arena_index: usize, index: usize, offset: usize) -> Next {
        let arenas = self.heap.arenas.iter().map_while(OnceLock::get).enumerate();
        let (mut from, mut offset) = (index, offset);
        for (arena_index, arena) in arenas.skip(arena_index) {
            for index in (from..arena.top()).filter(|&index| arena.is_used(index)) {
                let here = if index == from { offset } else { 0 };
                if let Some(entry) = entry_in(span_ref(arena_index, arena, index), here) {
                    return Next::Entry(entry);
                }
            }
            (from, offset) = (0, 0);
        }
        Next::End
    }
}
