//! `_heapchk`: whether the heap's records agree with each other.

use crate::arena::{Arena, CHUNK_SPANS};
use crate::heap::Heap;
use crate::span::{Kind, SPAN_SIZE};

/// What a look at the whole heap shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Every record agrees with every other.
    Sound,
    /// Nothing was ever allocated.
    Empty,
    /// A record is wrong, or something was freed that was not a live block.
    BadNode,
}

impl Heap {
    /// Looks at every record of the heap.
    pub fn check(&self) -> Condition {
        if self.misused || !self.arenas.iter().flatten().all(arena_is_sound) {
            return Condition::BadNode;
        }
        match self.arenas[0] {
            None => Condition::Empty,
            Some(_) => Condition::Sound,
        }
    }
}

fn arena_is_sound(arena: &Arena) -> bool {
    let mut large_left = 0;
    (0..arena.top * CHUNK_SPANS).all(|span| {
        let chunk = arena.chunk(span / CHUNK_SPANS);
        if chunk.huge_bytes != 0 {
            return chunk.used == !0 && large_left == 0;
        }
        if !arena.is_used(span) {
            return large_left == 0;
        }
        let record = arena.span(span);
        match record.kind {
            Kind::Free => false,
            Kind::Small => {
                large_left == 0
                    && record.used > 0
                    && record.count_live() == record.used as usize
                    && record.live_pages(arena.page) & !record.resident == 0
            }
            Kind::LargeHead => {
                let fresh = large_left == 0;
                large_left = record.size.div_ceil(SPAN_SIZE) - 1;
                fresh
            }
            Kind::LargeTail => {
                let continues = large_left > 0;
                large_left = large_left.saturating_sub(1);
                continues
            }
        }
    })
}
