//! `_heapmin`: gives every page without a live block back to the system.
//!
//! Four rules make it exact and cheap:
//!
//! * Only where something was freed since the last call is looked at: `free`
//!   leaves a bit for the span.
//! * A page goes exactly when no live block has a byte in it. The bitmap of
//!   the span tells; whatever the neighbours do is of no interest.
//! * A bitmap with few live blocks left becomes a list inside the record.
//! * When nothing lives in 64 spans any more, their records go too.
//!
//! A page that the system refuses to take stays marked, so the next call
//! tries it again, and no block is ever the worse for it.

use crate::arena::{Arena, GROUP_SPANS};
use crate::bits::{ones, run, runs};
use crate::heap::{Heap, Whole, span_ref};
use crate::os;
use crate::span::{FIRST_SHARD, PAGE_SIZE, SPAN_SIZE, SpanRef};
use core::sync::atomic::Ordering;
use std::sync::OnceLock;

impl Heap {
    /// Gives every page without a live block back to the system. Returns
    /// false if the system refused any; those are tried again next time.
    pub fn minimise(&self) -> bool {
        self.lock_all().minimise()
    }
}

impl Whole<'_> {
    /// See [`Heap::minimise`].
    pub(crate) fn minimise(&mut self) -> bool {
        if !self.heap.touched.load(Ordering::Relaxed) {
            return true;
        }
        for shard in self.shards.iter_mut().flatten() {
            shard.forget_current();
        }
        let mut all = true;
        for (arena_index, arena) in self.heap.arenas.iter().map_while(OnceLock::get).enumerate() {
            for group in 0..arena.top().div_ceil(GROUP_SPANS) {
                if arena.group(group).touched.load(Ordering::Relaxed) != 0 {
                    all &= self.minimise_group(arena_index, arena, group);
                }
            }
            all &= arena.release_lines(&mut self.space);
        }
        self.heap.touched.store(!all, Ordering::Relaxed);
        all
    }

    /// Gives back what 64 spans have to give.
    fn minimise_group(&mut self, arena_index: usize, arena: &Arena, index: usize) -> bool {
        let (group, first) = (arena.group(index), index * GROUP_SPANS);
        // Free spans that were inside large blocks go together.
        let mut all = true;
        for (bit, count) in runs(group.whole.get() & !group.used.get()) {
            if release(arena.address(first + bit), count * SPAN_SIZE) {
                let done = run(bit, count);
                group.whole.set(group.whole.get() & !done);
                group.touched.fetch_and(!done, Ordering::Relaxed);
            }
        }
        for bit in ones(group.touched.load(Ordering::Relaxed)) {
            let span = span_ref(arena_index, arena, first + bit);
            self.tidy(arena, span);
            if group.whole.get() >> bit & 1 == 0 && release_idle(span) {
                group.touched.fetch_and(!run(bit, 1), Ordering::Relaxed);
                span.touched.set(0);
            } else {
                all = false;
            }
        }
        if all && group.used.get() == 0 && !arena.release_records(index) {
            arena.touch(first); // to try again
            all = false;
        }
        all
    }

    /// Gives up what a span of small blocks has no need of: itself, if nothing
    /// lives there; the bitmap, if the record has room to list what does.
    fn tidy(&mut self, arena: &Arena, span: SpanRef) {
        if span.owner.get() < FIRST_SHARD {
            return;
        }
        if span.used.get() == 0 {
            let heap = self.heap;
            if let Some(shard) = self.owner_of(span) {
                shard.unlink(heap, span);
            }
            self.give_span(span);
        } else if span.class().is_some()
            && let Some(lines) = span.list_live()
        {
            arena.give_lines(&mut self.space, lines);
        }
    }
}

/// Gives back the pages of a span that may be resident and in which nothing
/// lives. Returns false if the system refused any.
fn release_idle(span: SpanRef) -> bool {
    let live = match (span.owner.get(), span.class()) {
        (..FIRST_SHARD, _) => 0, // the resident pages of such are idle ones only
        (_, Some(_)) => span.live_pages(),
        (_, None) => span.paged_live(),
    };
    let mut all = true;
    for (page, count) in runs(os::whole_pages(span.resident.get() & !live)) {
        if release(span.base.wrapping_add(page * PAGE_SIZE), count * PAGE_SIZE) {
            span.resident.set(span.resident.get() & !run(page, count));
        } else {
            all = false;
        }
    }
    all
}

fn release(base: *mut u8, len: usize) -> bool {
    // SAFETY: the callers pass whole pages of spans in which no block lives.
    unsafe { os::release(base, len) }
}
