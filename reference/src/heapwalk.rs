//! `_heapwalk`: names the heap's entries one after another, in address order.
//!
//! An entry is a live block or a run of free slots between live blocks. Spans
//! in which nothing lives are the heap's own store and are not named. An
//! aligned block is named by its place, which begins at or before it.

use crate::arena::CHUNK_SPANS;
use crate::entry::{Entry, Position, entry_at};
use crate::heap::Heap;

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
        let start = match address.is_null() {
            true => Some((0, (0, 0))),
            false => self.position_after(address),
        };
        let Some((arena, mut position)) = start else {
            return Next::BadPointer;
        };
        if self.arenas[0].is_none() {
            return Next::Empty;
        }
        for arena in self.arenas[arena..].iter().flatten() {
            while position.0 < arena.top * CHUNK_SPANS {
                if let Some((entry, ..)) = entry_at(arena, position) {
                    return Next::Entry(entry);
                }
                position = (position.0 + 1, 0);
            }
            position = (0, 0);
        }
        Next::End
    }

    /// The arena and the position behind the entry at an address, if there is one.
    fn position_after(&self, address: *const u8) -> Option<(usize, Position)> {
        let (index, span, offset) = self.find(address)?;
        let (entry, _, behind) = entry_at(self.arenas[index].as_ref()?, (span, offset))?;
        (entry.address.cast_const() == address).then_some((index, behind))
    }
}
