//! `_heapchk`: checks that the heap's records agree with each other.

use crate::arena::Arena;
use crate::bits::run;
use crate::heap::{Heap, Whole};
use crate::size_class;
use crate::span::{ALL_PAGES, FIRST_SHARD, LARGE, NO_OWNER, SPACE, SPAN_PAGES, SpanRef};

/// The result of a check of the whole heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Every record agrees with every other.
    Sound,
    /// Nothing was ever allocated.
    Empty,
    /// A record is wrong, or a caller freed what was not a live block.
    BadNode,
}

impl Heap {
    /// Checks every record of the heap.
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
    // Number of pages from here on that belong to a block of an earlier span.
    let mut rest = 0;
    (0..arena.top() as u32)
        .filter_map(|index| arena.get(index))
        .all(|span| {
            let before = rest.min(SPAN_PAGES);
            rest -= before;
            let is_inner = before == SPAN_PAGES;
            match (arena.is_used(span.index), span.owner.get()) {
                (false, NO_OWNER) => before == 0,
                (true, NO_OWNER) => is_inner,
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

/// Whether the words for large blocks agree with each other. The first `before`
/// pages belong to a block of an earlier span. If `goes_on`, the last block
/// continues in the next span.
fn has_sound_pages(span: SpanRef, before: usize, goes_on: bool) -> bool {
    let (live, starts) = (span.live().get(), span.starts().get());
    let begun = run(0, before);
    // Each other live page begins a block or follows a live page.
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
