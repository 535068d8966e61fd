//! `_heapwalk`: names the heap's entries one after another, in address order.
//!
//! An entry is a live block or a run of free slots between live blocks. Spans
//! in which nothing lives are the heap's own store and are not named. An
//! aligned block is named by its place, which begins at or before it.

use crate::arena::{Arena, CHUNK_SIZE, CHUNK_SPANS};
use crate::heap::Heap;
use crate::span::{Kind, Span};
use core::ffi::c_int;

/// One entry of the heap: `_HEAPINFO`, as C programs know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// Its first byte (`_pentry`).
    pub address: *mut u8,
    /// Its bytes; for a live block as `_msize` has it.
    pub size: usize,
    /// [`USED`] or [`FREE`] (`_useflag`).
    pub use_flag: c_int,
}

/// `_USEDENTRY`: a live block.
pub const USED: c_int = 1;
/// `_FREEENTRY`: room for blocks.
pub const FREE: c_int = 0;

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
    let entry = |at: usize, size, use_flag| Entry {
        address: arena.address(span).wrapping_add(at),
        size,
        use_flag,
    };
    if chunk.huge_size != 0 && span % CHUNK_SPANS == 0 {
        let spans = chunk.huge_size.div_ceil(CHUNK_SIZE) * CHUNK_SPANS;
        return Some((entry(0, chunk.huge_size, USED), (span + spans, 0)));
    }
    if chunk.huge_bytes != 0 {
        return None;
    }
    let record = arena.span(span);
    let size = record.block_size();
    match record.kind {
        Kind::LargeHead => Some((entry(0, record.size, USED), (span + 1, 0))),
        Kind::Small if slot < record.capacity() && record.is_live(slot) => {
            Some((entry(slot * size, size, USED), (span, slot + 1)))
        }
        Kind::Small if slot < record.capacity() => {
            let end = end_of_free_run(record, slot);
            Some((entry(slot * size, (end - slot) * size, FREE), (span, end)))
        }
        _ => None,
    }
}

/// The first live slot from `slot` on, or the capacity.
fn end_of_free_run(span: &Span, slot: usize) -> usize {
    (slot..span.capacity())
        .find(|&slot| span.is_live(slot))
        .unwrap_or(span.capacity())
}
