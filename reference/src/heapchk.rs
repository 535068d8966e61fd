//! `_heapchk`: whether the heap's records agree with each other.

use crate::arena::{Arena, CHUNK_SPANS};
use crate::heap::Heap;
use crate::size_class;
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
    let mut tails_due = 0;
    let sound = (0..arena.top * CHUNK_SPANS).all(|span| {
        let chunk = arena.chunk(span / CHUNK_SPANS);
        let has_record = arena.is_used(span) && chunk.huge_bytes == 0;
        let record = has_record.then(|| arena.span(span));
        let is_tail = record.is_some_and(|record| record.kind == Kind::LargeTail);
        if is_tail != (tails_due > 0) {
            return false;
        }
        tails_due -= usize::from(is_tail);
        let Some(record) = record else {
            return chunk.huge_bytes == 0 || chunk.used == !0;
        };
        match record.kind {
            Kind::Free => false,
            Kind::LargeTail => true,
            Kind::LargeHead => {
                tails_due = record.size.div_ceil(SPAN_SIZE).saturating_sub(1);
                record.size > 0
            }
            Kind::Small => {
                (record.class as usize) < size_class::COUNT
                    && record.used > 0
                    && record.count_live() == record.used as usize
                    && record.live_pages(arena.page) & !record.resident == 0
            }
        }
    });
    sound && tails_due == 0
}
