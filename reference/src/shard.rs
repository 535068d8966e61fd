//! A shard: the spans that some threads allocate from, under one lock.
//!
//! Every thread is assigned a shard at its first call and keeps it, so threads
//! rarely wait for each other. For each size class a shard has a list of its
//! spans with room for more blocks, and allocates from the first.

use crate::arena::Arena;
use crate::bits::{run, runs};
use crate::list::List;
use crate::os;
use crate::size_class;
use crate::span::{PAGE_SIZE, PageMask, Slots, SpanRef};

/// Number of pages to make resident at once for a class that fills its spans.
/// This takes the system half as long as single pages do.
const AHEAD: usize = 16;

/// The spans that the threads of a shard share.
pub(crate) struct Shard {
    /// The number of this shard in the records of its spans.
    pub(crate) owner: u8,
    classes: [Class; size_class::COUNT],
}

/// The spans of a size class.
#[derive(Clone, Copy)]
struct Class {
    /// The slots from which blocks come: those of one word of the bitmap of the
    /// first span below. `None` if no word was chosen yet.
    now: Option<Slots>,
    /// The spans with room for more blocks.
    with_room: List,
    /// Whether the class has filled a span since the last `_heapmin`.
    grows: bool,
}

// SAFETY: a shard owns its spans, and nothing in it is bound to one thread.
unsafe impl Send for Shard {}

impl Shard {
    /// Creates a shard without spans.
    pub(crate) const fn new(owner: u8) -> Shard {
        let class = Class {
            now: None,
            with_room: List::EMPTY,
            grows: false,
        };
        Shard {
            owner,
            classes: [class; size_class::COUNT],
        }
    }

    /// Allocates a block of a size class. Returns `None` if there is no memory.
    #[inline(always)]
    pub(crate) fn allocate(&mut self, arena: &Arena, class: usize) -> Option<*mut u8> {
        if let Some(now) = &self.classes[class].now
            && let Some(slot) = now.take()
        {
            return Some(now.base.wrapping_add(slot * size_class::size(class)));
        }
        self.allocate_slowly(arena, class)
    }

    /// The slow path of `allocate`: finds the next word of the bitmap, makes the
    /// bitmap larger, or goes to the next span or a new one.
    #[cold]
    fn allocate_slowly(&mut self, arena: &Arena, class: usize) -> Option<*mut u8> {
        let mine = &mut self.classes[class];
        mine.now = None;
        loop {
            let span = match mine.with_room.first(arena) {
                Some(span) => span,
                None => {
                    let span = new_span(arena, self.owner, class)?;
                    mine.with_room.push(arena, span, 1);
                    span
                }
            };
            if let Some(word) = span.free_word() {
                make_resident(span, span.pages_of_word(word), mine.grows)?;
                let slots = span.slots(word)?;
                mine.now = Some(slots);
                let slot = slots.take()?;
                return Some(slots.base.wrapping_add(slot * size_class::size(class)));
            }
            match span.next_size() {
                Some(words) => enlarge_bitmap(arena, span, words)?,
                None => {
                    mine.with_room.remove(arena, span);
                    span.touched.set(0); // so that the next `free` puts it back
                    mine.grows = true;
                }
            }
        }
    }

    /// Frees the block that begins at an offset into a span of this shard.
    /// Returns false if no live block begins there.
    #[inline(always)]
    pub(crate) fn free(&mut self, arena: &Arena, span: SpanRef, offset: usize) -> bool {
        let class = size_class::get(span.kind.get() as usize);
        let slot = class.and_then(|class| class.slot_at(offset));
        if !slot.is_some_and(|slot| span.give(slot)) {
            return false;
        }
        if span.touched.get() == 0 || span.used.get() == 0 {
            self.settle(arena, span.index);
        }
        true
    }

    /// The slow path of `free`, for a span that was not marked or was full, or
    /// that is empty now.
    #[cold]
    fn settle(&mut self, arena: &Arena, index: u32) -> Option<()> {
        let span = arena.get(index)?;
        let mine = self.classes.get_mut(span.kind.get() as usize)?;
        arena.touch(span);
        if span.list.get() == 0 {
            mine.with_room.push(arena, span, 1);
        }
        // The first span stays, because the next allocation may need it soon.
        if span.used.get() == 0 && !mine.with_room.begins_with(span) {
            mine.with_room.remove(arena, span);
            arena.give_span(&mut arena.space(), span);
        }
        Some(())
    }

    /// Forgets the chosen slots, so that every span may change its bitmap or go.
    pub(crate) fn forget_slots(&mut self) {
        for class in &mut self.classes {
            (class.now, class.grows) = (None, false);
        }
    }

    /// Takes a span off its list, if it is on one.
    pub(crate) fn unlist(&mut self, arena: &Arena, span: SpanRef) {
        let class = self.classes.get_mut(span.kind.get() as usize);
        if let Some(class) = class.filter(|_| span.list.get() != 0) {
            class.with_room.remove(arena, span);
        }
    }
}

/// Takes a free span and makes it one for blocks of a class.
fn new_span(arena: &Arena, owner: u8, class: usize) -> Option<SpanRef> {
    let mut space = arena.space();
    let index = arena.find_spans(&mut space, 1)?;
    let span = arena.take_span(&mut space, index)?;
    span.start_small(class);
    span.owner.set(owner);
    Some(span)
}

fn enlarge_bitmap(arena: &Arena, span: SpanRef, words: usize) -> Option<()> {
    let mut space = arena.space();
    let old = span.lines();
    span.set_bitmap(arena.take_lines(&mut space, words)?);
    if let Some(lines) = old {
        arena.give_lines(&mut space, lines);
    }
    Some(())
}

/// Makes pages of a span usable. With `ahead`, also the pages around them, which
/// the class will need soon. Returns `None` if the system refuses.
pub(crate) fn make_resident(span: SpanRef, pages: PageMask, ahead: bool) -> Option<()> {
    let first = pages.trailing_zeros() as usize / AHEAD * AHEAD;
    let around = if ahead { run(first, AHEAD) } else { 0 };
    let missing = (pages | around) & !span.resident.get();
    for (first, count) in runs(missing) {
        let (base, len) = (span.base.wrapping_add(first * PAGE_SIZE), count * PAGE_SIZE);
        // SAFETY: whole pages of a span of the arena.
        if !unsafe { os::commit(base, len) } {
            return None;
        }
        if ahead {
            // SAFETY: as above.
            unsafe { os::populate(base, len) };
        }
    }
    span.resident.set(span.resident.get() | missing);
    Some(())
}
