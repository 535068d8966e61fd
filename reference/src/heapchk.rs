//! `_heapchk`: whether the heap's records agree with each other.

use crate::arena::Arena;
use crate::bits::run;
use crate::heap::{Heap, Whole};
use crate::size_class;
use crate::span::{ALL_PAGES, FIRST_SHARD, LARGE, NOBODY, SPACE, SPAN_PAGES, SpanRef};

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
        match &self.arena {
            _ if self.misused => Condition::BadNode,
            None => Condition::Empty,
            Some((arena, _)) if is_sound(arena) => Condition::Sound,
            Some(_) => Condition::BadNode,
        }
    }
}

fn is_sound(arena: &Arena) -> bool {
    // So many pages more belong to the block that began before.
    let mut rest = 0;
    (0..arena.top() as u32)
        .filter_map(|index| arena.get(index))
        .all(|span| {
            let before = rest.min(SPAN_PAGES);
            rest -= before;
            let is_inner = before == SPAN_PAGES;
            match (arena.is_used(span.index), span.owner.get()) {
                (false, NOBODY) => before == 0,
                (true, NOBODY) => is_inner,
                (true, SPACE) => {
                    rest += span.beyond().get() as usize;
                    span.kind.get() == LARGE && has_sound_pages(span, before, rest > 0)
                }
                (true, FIRST_SHARD..) => before == 0 && has_sound_slots(span),
                _ => false,
            }
        })
        && rest == 0
}

/// Whether the words for large blocks make sense, where the first pages belong
/// to a block that began `before`, and one may go on behind the span.
fn has_sound_pages(span: SpanRef, before: usize, goes_on: bool) -> bool {
    let (live, starts) = (span.live().get(), span.starts().get());
    let begun = run(0, before);
    // Every other live page begins a block, or the one before it lives.
    let own = live & !begun;
    let orphans = own & !starts & !(own << 1);
    let last = run(SPAN_PAGES - 1, 1);
    starts & !own == 0
        && begun & !live == 0
        && orphans == 0
        && (!goes_on || live & last != 0)
        && live & !(span.resident.get() & ALL_PAGES) == 0
}

fn has_sound_slots(span: SpanRef) -> bool {
    (span.kind.get() as usize) < size_class::COUNT
        && span.live_slots().count() == span.used.get() as usize
        && span.live_slots().all(|slot| slot < span.capacity())
        && span.live_pages() & !span.resident.get() == 0
}
