//! A shard: the spans that some threads allocate from, under one lock.
//!
//! Every thread is told a shard at its first call and stays with it, so
//! threads rarely wait for each other. For each size class a shard has the
//! list of its spans with room, and takes blocks from the first.

use crate::arena::Arena;
use crate::bits::{run, runs};
use crate::list::List;
use crate::os;
use crate::size_class;
use crate::span::{PAGE_SIZE, PageMask, SpanRef};

/// Where memory is used up in order, the system is asked for so many pages at
/// a time, which takes it half the time that single ones do.
const AHEAD: usize = 16;

/// What the threads of a shard share.
pub(crate) struct Shard {
    /// Which one this is, as the records of its spans say.
    pub(crate) owner: u8,
    classes: [Class; size_class::COUNT],
}

/// The spans of a size class.
#[derive(Clone, Copy)]
struct Class {
    /// Those with room. Blocks are taken from the first.
    with_room: List,
    /// The word of its bitmap that they are taken from, or [`NO_WORD`]. All
    /// pages of its slots are usable.
    word: u16,
    /// Whether the class has filled a span since `_heapmin`.
    grows: bool,
}

/// No word: the first span was not looked at yet.
const NO_WORD: u16 = u16::MAX;

// SAFETY: a shard owns its spans; nothing in it belongs to one thread.
unsafe impl Send for Shard {}

impl Shard {
    /// A shard without spans.
    pub(crate) const fn new(owner: u8) -> Shard {
        let class = Class {
            with_room: List::EMPTY,
            word: NO_WORD,
            grows: false,
        };
        Shard {
            owner,
            classes: [class; size_class::COUNT],
        }
    }

    /// A block of a size class. `None` if there is no memory.
    #[inline(always)]
    pub(crate) fn allocate(&mut self, arena: &Arena, class: usize) -> Option<*mut u8> {
        let now = &self.classes[class];
        if let Some(span) = now.with_room.first(arena)
            && let Some(slot) = span.take_in(now.word as usize)
        {
            return Some(span.base.wrapping_add(slot * size_class::size(class)));
        }
        self.allocate_slowly(arena, class)
    }

    /// The same where something has to be found or asked for first: the next
    /// word of the bitmap, a larger bitmap, another span, or a new one.
    #[cold]
    fn allocate_slowly(&mut self, arena: &Arena, class: usize) -> Option<*mut u8> {
        let mine = &mut self.classes[class];
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
                mine.word = word as u16;
                let slot = span.take_in(word)?;
                return Some(span.base.wrapping_add(slot * size_class::size(class)));
            }
            match span.next_size() {
                Some(words) => enlarge_bitmap(arena, span, words)?,
                None => {
                    mine.with_room.remove(arena, span);
                    span.touched.set(0); // so that the next `free` puts it back
                    mine.word = NO_WORD;
                    mine.grows = true;
                }
            }
        }
    }

    /// Takes back a small block of one of this shard's spans by the offset of
    /// its first byte. Returns false if no live block begins there.
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

    /// Something was freed in a span that was untouched or full, or is empty now.
    #[cold]
    fn settle(&mut self, arena: &Arena, index: u32) -> Option<()> {
        let span = arena.get(index)?;
        let mine = self.classes.get_mut(span.kind.get() as usize)?;
        arena.touch(span);
        if span.list.get() == 0 {
            mine.with_room.push(arena, span, 1);
        }
        // The first span stays: the next block may be only a moment away.
        if span.used.get() == 0 && !mine.with_room.begins_with(span) {
            mine.with_room.remove(arena, span);
            arena.give_span(&mut arena.space(), span);
        }
        Some(())
    }

    /// No word is in use any more, so that every span may change its bitmap or go.
    pub(crate) fn forget_words(&mut self) {
        for class in &mut self.classes {
            (class.word, class.grows) = (NO_WORD, false);
        }
    }

    /// Takes a span with room off its list.
    pub(crate) fn unlist(&mut self, arena: &Arena, span: SpanRef) {
        let class = self.classes.get_mut(span.kind.get() as usize);
        if let Some(class) = class.filter(|_| span.list.get() != 0) {
            class.with_room.remove(arena, span);
        }
    }
}

/// A span for blocks of a class.
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

/// Makes pages of a span usable; with those around them if more of the same is
/// to come. `None` if the system refuses.
pub(crate) fn make_resident(span: SpanRef, pages: PageMask, ahead: bool) -> Option<()> {
    let first = pages.trailing_zeros() as usize / AHEAD * AHEAD;
    let around = if ahead { run(first, AHEAD) } else { 0 };
    let missing = (pages | around) & !span.resident.get();
    for (first, count) in runs(missing) {
        let (base, len) = (span.base.wrapping_add(first * PAGE_SIZE), count * PAGE_SIZE);
        // SAFETY: whole pages of a span of ours.
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
