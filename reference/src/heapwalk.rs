//! `_heapwalk`: names the heap's entries one after another, in address order.
//!
//! An entry is a live block or a run of free slots between live blocks. Spans
//! in which nothing lives are the heap's own store and are not named.

use crate::arena::{CHUNK_SIZE, CHUNK_SPANS};
use crate::heap::Heap;
use crate::span::Kind;

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
    /// The address given is not that of an entry.
    BadPointer,
}

/// A place in the heap: arena, span and slot.
type Position = (usize, usize, usize);

impl Heap {
    /// The entry after the one at `address`; the first one for null.
    pub fn entry_after(&self, address: *const u8) -> Next {
        let start = if address.is_null() {
            Some((0, 0, 0))
        } else {
            self.position_after(address)
        };
        match start {
            None => Next::BadPointer,
            Some(position) => self.entry_from(position).map_or(Next::End, Next::Entry),
        }
    }

    /// The position behind the entry at an address, if there is one.
    fn position_after(&self, address: *const u8) -> Option<Position> {
        let (index, span, offset) = self.find(address)?;
        let arena = self.arenas[index].as_ref()?;
        if !arena.is_used(span) {
            return None;
        }
        let chunk = arena.chunk(span / CHUNK_SPANS);
        if chunk.huge_bytes != 0 {
            let begins = offset == 0 && span % CHUNK_SPANS == 0 && chunk.huge_size != 0;
            let chunks = chunk.huge_size.div_ceil(CHUNK_SIZE);
            return begins.then_some((index, span + chunks * CHUNK_SPANS, 0));
        }
        let record = arena.span(span);
        match record.kind {
            Kind::LargeHead => (offset == 0).then_some((index, span + 1, 0)),
            Kind::Small => {
                let slot = offset / record.block_size();
                if offset % record.block_size() != 0 || slot >= record.capacity() {
                    return None;
                }
                let next = if record.is_live(slot) {
                    slot + 1
                } else {
                    end_of_free_run(record, slot)
                };
                Some((index, span, next))
            }
            Kind::LargeTail | Kind::Free => None,
        }
    }

    /// The first entry at a position or behind it.
    fn entry_from(&self, (first_arena, mut span, mut slot): Position) -> Option<Entry> {
        for arena in self.arenas[first_arena..].iter().flatten() {
            while span < arena.top * CHUNK_SPANS {
                let chunk = arena.chunk(span / CHUNK_SPANS);
                if chunk.huge_size != 0 {
                    return Some(Entry {
                        address: arena.address(span),
                        size: chunk.huge_size,
                        used: true,
                    });
                }
                if chunk.used == 0 || chunk.huge_bytes != 0 {
                    span = (span / CHUNK_SPANS + 1) * CHUNK_SPANS;
                    slot = 0;
                    continue;
                }
                let record = arena.is_used(span).then(|| arena.span(span));
                match record {
                    Some(record) if record.kind == Kind::LargeHead => {
                        return Some(Entry {
                            address: arena.address(span),
                            size: record.size,
                            used: true,
                        });
                    }
                    Some(record) if record.kind == Kind::Small && slot < record.capacity() => {
                        let used = record.is_live(slot);
                        let end = if used {
                            slot + 1
                        } else {
                            end_of_free_run(record, slot)
                        };
                        return Some(Entry {
                            address: arena.address(span).wrapping_add(slot * record.block_size()),
                            size: (end - slot) * record.block_size(),
                            used,
                        });
                    }
                    _ => {}
                }
                (span, slot) = (span + 1, 0);
            }
            (span, slot) = (0, 0);
        }
        None
    }
}

/// The first live slot from `slot` on, or the capacity.
fn end_of_free_run(span: &crate::span::Span, slot: usize) -> usize {
    (slot..span.capacity())
        .find(|&slot| span.is_live(slot))
        .unwrap_or(span.capacity())
}
