//! `_heapwalk`: names the heap's entries one after another, in address order.
//!
//! An entry is a live block or a run of free slots between live blocks. Spans
//! in which nothing lives are the heap's own store and are not named. An
//! aligned block is named by its place, which begins at or before it.

use crate::arena::{Arena, CHUNK_SIZE, CHUNK_SPANS};
use crate::heap::Heap;
use crate::span::{Kind, Span};

/// One entry of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its first byte.
    pub address: *mut u8,
    /// Its bytes; for a live block as `_msize` has it.
    pub size: usize,
    /// Whether it is a live block.
    pub used: bool,
}

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

/// A place in an arena: span and slot.
type Position = (usize, usize);

impl Heap {
    /// The entry after the one at `address`; the first one for null.
    pub fn entry_after(&self, address: *const u8) -> Next {
        let (arena, start) = if address.is_null() {
            (0, (0, 0))
        } else {
            match self.position_after(address) {
                Some(behind) => behind,
                None => return Next::BadPointer,
            }
        };
        if self.arenas[0].is_none() {
            return Next::Empty;
        }
        let mut position = start;
        for arena in self.arenas[arena..].iter().flatten() {
            while position.0 < arena.top * CHUNK_SPANS {
                if let Some((entry, _)) = entry_at(arena, position) {
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
        let arena = self.arenas[index].as_ref()?;
        let is_small = arena.is_used(span)
            && arena.chunk(span / CHUNK_SPANS).huge_bytes == 0
            && arena.span(span).kind == Kind::Small;
        let slot = match is_small {
            true => offset / arena.span(span).block_size(),
            false => 0,
        };
        let (entry, behind) = entry_at(arena, (span, slot))?;
        (entry.address.cast_const() == address).then_some((index, behind))
    }
}

/// The entry that begins at a position, and the position behind it.
fn entry_at(arena: &Arena, (span, slot): Position) -> Option<(Entry, Position)> {
    if !arena.is_used(span) {
        return None;
    }
    let chunk = arena.chunk(span / CHUNK_SPANS);
    let mut address = arena.address(span);
    let (size, used, behind);
    if chunk.huge_bytes != 0 {
        if span % CHUNK_SPANS != 0 || chunk.huge_size == 0 {
            return None;
        }
        let spans = chunk.huge_size.div_ceil(CHUNK_SIZE) * CHUNK_SPANS;
        (size, used, behind) = (chunk.huge_size, true, (span + spans, 0));
    } else {
        let record = arena.span(span);
        match record.kind {
            Kind::LargeHead => (size, used, behind) = (record.size, true, (span + 1, 0)),
            Kind::Small if slot < record.capacity() => {
                used = record.is_live(slot);
                let end = match used {
                    true => slot + 1,
                    false => end_of_free_run(record, slot),
                };
                (size, behind) = ((end - slot) * record.block_size(), (span, end));
                address = address.wrapping_add(slot * record.block_size());
            }
            _ => return None,
        }
    }
    let entry = Entry {
        address,
        size,
        used,
    };
    Some((entry, behind))
}

/// The first live slot from `slot` on, or the capacity.
fn end_of_free_run(span: &Span, slot: usize) -> usize {
    (slot..span.capacity())
        .find(|&slot| span.is_live(slot))
        .unwrap_or(span.capacity())
}
