//! `_heapmin`: gives every page without a live block back to the system.
//!
//! Five rules make it exact and cheap:
//!
//! * It visits only spans in which a block was freed since the last call.
//!   `free` marks them.
//! * A page goes exactly when no live block has a byte in it. The record of the
//!   span alone decides that; other spans do not matter.
//! * If few blocks of a span are live, a list in the record replaces the bitmap.
//! * If no span of a group of 64 has a live block, their records go too.
//! * The addresses after the last span in use go too.
//!
//! If the system refuses a page, the page stays marked and the next call tries
//! again. No block is affected.

use crate::arena::{Arena, GROUP_SPANS};
use crate::bits::{ones, run, runs};
use crate::heap::{Heap, Whole};
use crate::lock::Guard;
use crate::os;
use crate::shard::Shard;
use crate::space::Space;
use crate::span::{ALL_PAGES, FIRST_SHARD, NO_OWNER, PAGE_SIZE, SPACE, SPAN_SIZE, SpanRef};
use core::sync::atomic::Ordering::Relaxed;

impl Heap {
    /// Gives every page without a live block back to the system. Returns false
    /// if the system refused one; the next call tries it again.
    pub fn minimise(&self) -> bool {
        self.lock_all().minimise()
    }
}

impl Whole<'_> {
    /// See [`Heap::minimise`].
    pub(crate) fn minimise(&mut self) -> bool {
        let Some((arena, space)) = &mut self.arena else {
            return true;
        };
        if !arena.touched.load(Relaxed) {
            return true;
        }
        for shard in self.shards.iter_mut().flatten() {
            shard.forget_slots();
        }
        let mut all = true;
        for group in 0..arena.top().div_ceil(GROUP_SPANS) {
            for bit in ones(arena.group(group).touched.load(Relaxed)) {
                if let Some(span) = arena.get((group * GROUP_SPANS + bit) as u32) {
                    tidy(arena, space, &mut self.shards, span);
                }
            }
            all &= release_group(arena, group);
        }
        all &= arena.release_lines(space);
        arena.lower_top();
        arena.touched.store(!all, Relaxed);
        all
    }
}

/// Frees what a span of small blocks does not need: the whole span if it has no
/// live block, or the bitmap if the record has room to list the live blocks.
fn tidy(arena: &Arena, space: &mut Space, shards: &mut [Option<Guard<Shard>>], span: SpanRef) {
    let Some(shard) = span.owner.get().checked_sub(FIRST_SHARD) else {
        return;
    };
    if span.used.get() == 0 {
        if let Some(Some(shard)) = shards.get_mut(shard as usize) {
            shard.unlist(arena, span);
        }
        arena.give_span(space, span);
    } else if let Some(lines) = span.list_live() {
        arena.give_lines(space, lines);
    }
}

/// Gives back the idle pages of a group of spans, and its records if no span is
/// in use. Returns false if the system refused any.
fn release_group(arena: &Arena, index: usize) -> bool {
    let group = arena.group(index);
    if group.touched.load(Relaxed) == 0 {
        return true;
    }
    // Neighbouring free spans of which every page may be resident go in one call.
    for bit in ones(group.touched.load(Relaxed) & !group.used.get()) {
        let span = arena.get((index * GROUP_SPANS + bit) as u32);
        if let Some(span) = span.filter(|span| span.resident.get() == ALL_PAGES) {
            group.whole.set(group.whole.get() | run(bit, 1));
            span.resident.set(0);
            span.touched.set(0);
        }
    }
    let mut all = true;
    for (bit, count) in runs(group.whole.get()) {
        let first = arena.page((index * GROUP_SPANS + bit) * (SPAN_SIZE / PAGE_SIZE));
        if release(first, count * SPAN_SIZE) {
            let done = run(bit, count);
            group.whole.set(group.whole.get() & !done);
            group.touched.fetch_and(!done, Relaxed);
        }
    }
    for bit in ones(group.touched.load(Relaxed)) {
        let span = arena.get((index * GROUP_SPANS + bit) as u32);
        if group.whole.get() >> bit & 1 == 0 && span.is_some_and(release_idle) {
            group.touched.fetch_and(!run(bit, 1), Relaxed);
        } else {
            all = false;
        }
    }
    if all && group.used.get() == 0 && !arena.release_records(index) {
        arena.touch_group((index * GROUP_SPANS) as u32); // the next call tries again
        all = false;
    }
    all
}

/// Gives back the pages of a span that may be resident and hold no live block.
/// Returns false if the system refused any.
fn release_idle(span: SpanRef) -> bool {
    if span.owner.get() == NO_OWNER && span.resident.get() != 0 {
        // A larger page of the system may have pages of the heap that were never used. It
        // goes only as a whole.
        span.resident.set(ALL_PAGES);
    }
    let live = match span.owner.get() {
        FIRST_SHARD.. => span.live_pages(),
        SPACE => span.live().get(),
        _ => 0,
    };
    let mut all = true;
    for (page, count) in runs(os::whole_pages(span.resident.get() & !live)) {
        if release(span.base.wrapping_add(page * PAGE_SIZE), count * PAGE_SIZE) {
            span.resident.set(span.resident.get() & !run(page, count));
        } else {
            all = false;
        }
    }
    span.touched.set(!all as u8);
    all
}

fn release(base: *mut u8, len: usize) -> bool {
    // SAFETY: the callers pass whole pages of spans, without a live block.
    unsafe { os::release(base, len) }
}
