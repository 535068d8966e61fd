//! `_heapmin`: gives every page without a live block back to the system.
//!
//! Five rules make it exact and cheap:
//!
//! * It visits only spans that are marked: those in which a block was freed, and those in
//!   which pages may be resident without a block.
//! * A page goes exactly when no live block has a byte in it. The record of the
//!   span alone decides that; other spans do not matter.
//! * If few blocks of a span are live, a list in the record replaces the bitmap.
//! * If no span of a group of 64 has a live block, their records go too.
//! * The addresses after the last span in use go too; on 32-bit systems those of all free
//!   spans.
//!
//! If the system refuses a page, its span stays marked and the next call tries
//! again. No block is affected.

use crate::arena::GROUP_SPANS;
use crate::bits::{ones, run, runs};
use crate::heap::Heap;
use crate::layout::{ALL_PAGES, PAGE_SIZE, SPAN_SIZE};
use crate::lock::Guard;
use crate::os;
use crate::shard::Shard;
use crate::space::Space;
use crate::span::{FIRST_SHARD, NO_OWNER, SpanRef};
use crate::whole::Whole;
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
        let space = &mut self.space;
        if !space.dirty.load(Relaxed) {
            return true;
        }
        for shard in self.shards.iter_mut().flatten() {
            shard.start_again();
        }
        let mut all = true;
        for group in space.arena.groups() {
            for bit in ones(space.group(group).dirty.load(Relaxed)) {
                if let Some(span) = space.get((group * GROUP_SPANS + bit) as u32) {
                    tidy(space, &mut self.shards, span);
                }
            }
            all &= release_group(space, group);
        }
        all &= space.release_lines();
        space.give_addresses();
        space.dirty.store(!all, Relaxed);
        all
    }
}

/// Frees what a span of small blocks does not need: the whole span if it has no
/// live block, or the bitmap if the record has room to list the live blocks.
fn tidy(space: &mut Space, shards: &mut [Option<Guard<Shard>>], span: SpanRef) {
    let Some(shard) = span.owner.get().checked_sub(FIRST_SHARD) else {
        return;
    };
    span.set_unsettled(true); // so that the next `free` marks it
    if span.used() == 0 {
        if let Some(Some(shard)) = shards.get_mut(shard as usize) {
            shard.unlist(space.arena, span);
        }
        space.give_span(span);
    } else if let Some(lines) = span.list_live() {
        space.give_lines(lines);
    }
}

/// Gives back the idle pages of a group of spans, and its records if no span is
/// in use. Returns false if the system refused any.
fn release_group(space: &Space, index: usize) -> bool {
    let group = space.group(index);
    if group.dirty.load(Relaxed) == 0 {
        return true;
    }
    let number = |bit| (index * GROUP_SPANS + bit) as u32;
    // Neighbouring free spans of which every page may be resident go in one call.
    for bit in ones(group.dirty.load(Relaxed) & !group.used.get()) {
        let span = space.get(number(bit));
        if let Some(span) = span.filter(|span| span.resident.get() == ALL_PAGES) {
            group.resident.set(group.resident.get() | run(bit, 1));
            span.resident.set(0);
        }
    }
    for (bit, count) in runs(group.resident.get()) {
        for first in (bit..bit + count).step_by(os::SPANS_AT_ONCE) {
            let count = os::SPANS_AT_ONCE.min(bit + count - first);
            if release(space.page_in(number(first), 0), count * SPAN_SIZE) {
                let done = run(first, count);
                group.resident.set(group.resident.get() & !done);
                group.dirty.fetch_and(!done, Relaxed);
            }
        }
    }
    for bit in ones(group.dirty.load(Relaxed) & !group.resident.get()) {
        if space.get(number(bit)).is_some_and(release_idle) {
            group.dirty.fetch_and(!run(bit, 1), Relaxed);
        }
    }
    let mut all = group.dirty.load(Relaxed) == 0;
    if all && group.used.get() == 0 && !space.release_records(index) {
        space.mark_dirty(number(0)); // the next call tries again
        all = false;
    }
    all
}

/// Gives back the pages of a span that may be resident and hold no live block.
/// Returns false if the system refused any.
fn release_idle(span: SpanRef) -> bool {
    let idle = match (span.owner.get(), span.resident.get()) {
        (_, 0) => 0,
        (NO_OWNER, _) => ALL_PAGES,
        (_, resident) => os::idle_pages(resident, span.live_pages()),
    };
    let mut all = true;
    for (page, count) in runs(idle) {
        if release(span.base.wrapping_add(page * PAGE_SIZE), count * PAGE_SIZE) {
            span.resident.set(span.resident.get() & !run(page, count));
        } else {
            all = false;
        }
    }
    all
}

fn release(base: *mut u8, len: usize) -> bool {
    // SAFETY: the callers pass whole pages of spans, without a live block.
    unsafe { os::release(base, len) }
}
