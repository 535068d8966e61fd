//! `_heapchk`: whether the heap's records agree with each other.

use crate::arena::Arena;
use crate::heap::{Heap, Whole};
use crate::size_class;
use crate::span::{FIRST_SHARD, HUGE, NOBODY, PAGED, SPACE, SPAN_SIZE, Span};
use core::sync::atomic::Ordering;
use std::sync::OnceLock;

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
        self.lock_all().check()
    }
}

impl Whole<'_> {
    /// See [`Heap::check`].
    pub(crate) fn check(&self) -> Condition {
        let misused = self.heap.misused.load(Ordering::Relaxed);
        let mut arenas = self.heap.arenas.iter().map_while(OnceLock::get);
        if misused || !arenas.all(is_sound) {
            return Condition::BadNode;
        }
        match self.heap.arenas[0].get() {
            None => Condition::Empty,
            Some(_) => Condition::Sound,
        }
    }
}

fn is_sound(arena: &Arena) -> bool {
    // How many spans more belong to the block that began before.
    let mut tails = 0;
    (0..arena.top()).all(|index| {
        let (record, is_tail) = (arena.record(index), tails > 0);
        tails -= usize::from(is_tail);
        match (arena.is_used(index), record.owner.get()) {
            (is_used, NOBODY) => is_used == is_tail,
            (true, SPACE) if !is_tail => {
                let size = record.body[0].get() as usize;
                tails = size.div_ceil(SPAN_SIZE).saturating_sub(1);
                record.kind.get() == HUGE && size > 0
            }
            (true, FIRST_SHARD..) if !is_tail => match record.kind.get() {
                PAGED => record.has_sound_pages(),
                _ => has_sound_slots(record),
            },
            _ => false,
        }
    }) && tails == 0
}

fn has_sound_slots(span: &Span) -> bool {
    (span.kind.get() as usize) < size_class::COUNT
        && span.live_slots().count() == span.used.get() as usize
        && span.live_slots().all(|slot| slot < span.capacity())
        && span.live_pages() & !span.resident.get() == 0
}
