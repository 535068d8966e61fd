//! `_heapchk`: checks that the heap's records agree with each other.

use crate::arena::Arena;
use crate::bits::run;
use crate::heap::Heap;
use crate::layout::SPAN_PAGES;
use crate::size_class;
use crate::span::{FIRST_SHARD, LARGE, NO_OWNER, PAGES, SPACE, SpanRef, TAIL};
use crate::whole::Whole;
use core::ops::Range;

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
        match self.space.window.is_open() {
            _ if self.misused => Condition::BadNode,
            false => Condition::Empty,
            true if is_sound(self.space.arena) => Condition::Sound,
            true => Condition::BadNode,
        }
    }
}

fn is_sound(arena: &Arena) -> bool {
    // Number of pages from here on that belong to a large block.
    let mut rest = 0;
    arena
        .numbers(0)
        .filter_map(|index| arena.get(index))
        .all(|span| {
            let here = rest.min(SPAN_PAGES);
            rest -= here;
            match (arena.is_used(span.index), span.owner.get(), span.kind.get()) {
                (false, NO_OWNER, _) => here == 0,
                (true, NO_OWNER, _) => here == SPAN_PAGES,
                (true, SPACE, TAIL) => has_pages(span, 0..here),
                (true, SPACE, LARGE) if here == 0 => {
                    let pages = span.large_block();
                    rest = pages.end.saturating_sub(SPAN_PAGES);
                    has_pages(span, pages.start..pages.end.min(SPAN_PAGES))
                }
                (true, SPACE, PAGES) => here == 0 && has_sound_runs(span),
                (true, FIRST_SHARD.., _) => here == 0 && has_sound_slots(span),
                _ => false,
            }
        })
        && rest == 0
}

/// Whether these pages of a span are live, and no others.
fn has_pages(span: SpanRef, pages: Range<usize>) -> bool {
    !pages.is_empty() && span.live().get() == run(pages.start, pages.len()) && is_resident(span)
}

/// Whether the words for runs of pages agree with each other.
fn has_sound_runs(span: SpanRef) -> bool {
    let (live, starts) = (span.live().get(), span.starts().get());
    // Each live page begins a block or follows a live page.
    let orphans = live & !starts & !(live << 1);
    live != 0 && starts & !live == 0 && orphans == 0 && is_resident(span)
}

fn has_sound_slots(span: SpanRef) -> bool {
    (span.kind.get() as usize) < size_class::COUNT
        && span.live_slots().count() == span.used()
        && span.live_slots().all(|slot| slot < span.capacity())
        && is_resident(span)
}

/// Whether all live pages of a span may be resident.
fn is_resident(span: SpanRef) -> bool {
    span.live_pages() & !span.resident.get() == 0
}
