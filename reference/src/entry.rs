//! What stands at a place of the heap: a live block, or a run of free slots.
//!
//! Everybody who has an address and wants its block asks here, and so does
//! `_heapwalk`, which goes from one entry to the next.

use crate::arena::{Arena, CHUNK_SIZE, CHUNK_SPANS};
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
/// `_FREEENTRY`: a run of free slots.
pub const FREE: c_int = 0;

/// Where an entry lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// In a slot, or slots, of a span.
    Small,
    /// In a run of spans.
    Large,
    /// In a run of chunks.
    Huge,
}

/// A place in an arena: a span, and how far behind its first byte.
pub(crate) type Position = (usize, usize);

/// The entry that begins in this span and has, or would have, a byte at this
/// position, and the position behind it.
pub(crate) fn entry_at(arena: &Arena, at: Position) -> Option<(Entry, Tier, Position)> {
    let (span, offset) = at;
    if !arena.is_used(span) {
        return None;
    }
    let entry = |start: usize, size, use_flag| Entry {
        address: arena.address(span).wrapping_add(start),
        size,
        use_flag,
    };
    let chunk = arena.chunk(span / CHUNK_SPANS);
    if chunk.huge_size != 0 && span % CHUNK_SPANS == 0 {
        let spans = chunk.huge_size.div_ceil(CHUNK_SIZE) * CHUNK_SPANS;
        return Some((
            entry(0, chunk.huge_size, USED),
            Tier::Huge,
            (span + spans, 0),
        ));
    }
    if chunk.huge_bytes != 0 {
        return None;
    }
    let record = arena.span(span);
    match record.kind {
        Kind::LargeHead => Some((entry(0, record.size, USED), Tier::Large, (span + 1, 0))),
        Kind::Small if offset < record.capacity() * record.block_size() => {
            let size = record.block_size();
            let slot = offset / size;
            let (end, use_flag) = match record.is_live(slot) {
                true => (slot + 1, USED),
                false => (end_of_free_run(record, slot), FREE),
            };
            let entry = entry(slot * size, (end - slot) * size, use_flag);
            Some((entry, Tier::Small, (span, end * size)))
        }
        _ => None,
    }
}

/// The first live slot from `slot` on, or the capacity.
fn end_of_free_run(span: &Span, slot: usize) -> usize {
    let live = (slot..span.capacity()).find(|&slot| span.is_live(slot));
    live.unwrap_or(span.capacity())
}
