//! Lists of spans, linked through their records.

use crate::arena::Arena;
use crate::span::{NO_SPAN, SpanRef};

/// A list of spans: the number of its first span.
#[derive(Clone, Copy)]
pub(crate) struct List(u32);

impl List {
    /// An empty list.
    pub(crate) const EMPTY: List = List(NO_SPAN);

    /// The first span.
    #[inline]
    pub(crate) fn first(self, arena: &Arena) -> Option<SpanRef> {
        arena.get(self.0)
    }

    /// Whether this is the first span.
    pub(crate) fn begins_with(self, span: SpanRef) -> bool {
        self.0 == span.index
    }

    /// Inserts a span after the first one. In an empty list, it becomes the
    /// first. Its record keeps `tag`, which is not 0.
    pub(crate) fn push(&mut self, arena: &Arena, span: SpanRef, tag: u8) {
        let first = self.first(arena);
        let next = first.map_or(NO_SPAN, |first| first.next.get());
        span.prev.set(self.0);
        span.next.set(next);
        span.list.set(tag);
        match first {
            Some(first) => first.next.set(span.index),
            None => self.0 = span.index,
        }
        if let Some(after) = arena.get(next) {
            after.prev.set(span.index);
        }
    }

    /// Removes a span, which must be on this list.
    pub(crate) fn remove(&mut self, arena: &Arena, span: SpanRef) {
        let (prev, next) = (span.prev.get(), span.next.get());
        match arena.get(prev) {
            Some(before) => before.next.set(next),
            None => self.0 = next,
        }
        if let Some(after) = arena.get(next) {
            after.prev.set(prev);
        }
        span.list.set(0);
    }
}
