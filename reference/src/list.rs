//! Lists of spans, linked through their records.

use crate::arena::Arena;
use crate::span::{NO_SPAN, SpanRef};

/// A list of spans, by its first.
#[derive(Clone, Copy)]
pub struct List(u32);

impl List {
    /// A list of none.
    pub const EMPTY: List = List(NO_SPAN);

    /// The first span.
    pub fn first(self, arena: &Arena) -> Option<SpanRef> {
        arena.get(self.0)
    }

    /// Puts a span in front. Its record keeps `tag`, which is not 0.
    pub fn push(&mut self, arena: &Arena, span: SpanRef, tag: u8) {
        span.next.set(self.0);
        span.prev.set(NO_SPAN);
        span.list.set(tag);
        if let Some(next) = arena.get(self.0) {
            next.prev.set(span.index);
        }
        self.0 = span.index;
    }

    /// Takes a span off that is on this list.
    pub fn remove(&mut self, arena: &Arena, span: SpanRef) {
        let (prev, next) = (span.prev.get(), span.next.get());
        match arena.get(prev) {
            Some(before) => before.next.set(next),
            None => self.0 = next,
        }
        if let Some(behind) = arena.get(next) {
            behind.prev.set(prev);
        }
        span.list.set(0);
    }
}
