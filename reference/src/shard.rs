//! A shard: the spans of small blocks that some threads allocate from, under one lock.
//!
//! A thread keeps the shard that it gets at its first call, so threads rarely wait for
//! each other. For each size class a shard has a list of its spans with room for more
//! blocks, and allocates from the first.

use crate::arena::Arena;
use crate::bits::{run, runs};
use crate::layout::{PAGE_SIZE, PageMask};
use crate::list::List;
use crate::os;
use crate::size_class;
use crate::slots::{Given, Spare};
use crate::span::SpanRef;
use core::ptr;

/// Number of pages to make resident at once for a class that fills its spans.
/// This takes the system half as long as single pages do.
const AHEAD: usize = 16;

/// The spans that the threads of a shard share.
#[repr(C)] // what the large classes need lies together, in the first page
pub(crate) struct Shard {
    /// The number of this shard in the records of its spans.
    owner: u8,
    classes: [Class; size_class::COUNT],
    /// For each class, the slots that its next blocks get, from the last class to the first.
    spare: [Spare; size_class::COUNT],
}

/// The spans of a size class.
#[derive(Clone, Copy)]
struct Class {
    /// The spans with room for more blocks.
    with_room: List,
    /// The word of the first span's bitmap at which the search for a free slot goes on.
    next_word: u8,
    /// Whether the class has filled a span since the last `_heapmin`.
    grows: bool,
}

/// The place of a class in `spare`; past its end if there is no such class.
#[inline(always)]
fn place(class: usize) -> usize {
    (size_class::COUNT - 1).wrapping_sub(class)
}

// SAFETY: a shard owns its spans, and nothing in it is bound to one thread.
unsafe impl Send for Shard {}

impl Shard {
    /// Creates a shard without spans.
    pub(crate) const fn new(owner: u8) -> Shard {
        let class = Class {
            with_room: List::EMPTY,
            next_word: 0,
            grows: false,
        };
        Shard {
            owner,
            spare: [const { Spare::NONE }; size_class::COUNT],
            classes: [class; size_class::COUNT],
        }
    }

    /// Takes a spare slot of a size class, if there is one.
    #[inline(always)]
    pub(crate) fn take(&mut self, class: usize) -> Option<*mut u8> {
        self.spare
            .get_mut(place(class))?
            .take(size_class::size(class))
    }

    /// Allocates a block of a size class. Returns `None` if there is no memory.
    #[inline(always)]
    pub(crate) fn allocate(&mut self, arena: &Arena, class: usize) -> Option<*mut u8> {
        // Another thread of this shard may have got some since `take` found none.
        if let Some(address) = self.take(class) {
            return Some(address);
        }
        if let Some((span, offset)) = arena.find(self.spare.get(place(class))?.recent) {
            let word = size_class::get(class)?.slot_of(offset) / 64;
            if let Some(address) = self.allocate_in(arena, span, word) {
                return Some(address);
            }
        }
        self.allocate_from_list(arena, class)
    }

    /// Makes the free slots of a word of a span's bitmap spare, and takes the first. `None`
    /// if there are none, or no memory for them.
    #[inline(always)]
    fn allocate_in(&mut self, arena: &Arena, span: SpanRef, word: usize) -> Option<*mut u8> {
        let (class, slots) = (span.kind.get() as usize, span.next_free(word));
        if slots == 0 {
            return None;
        }
        make_resident(
            arena,
            span,
            span.pages_of(word, slots),
            self.classes.get(class)?.grows,
        )?;
        let spare = self.spare.get_mut(place(class))?;
        spare.refill(span, word, slots);
        spare.take(size_class::size(class))
    }

    /// The slow path of `allocate`: goes on with the next word of the bitmap, makes the bitmap
    /// larger, or goes to the next span or a new one.
    #[cold]
    fn allocate_from_list(&mut self, arena: &Arena, class: usize) -> Option<*mut u8> {
        loop {
            let mine = &mut self.classes[class];
            let span = match mine.with_room.first(arena) {
                Some(span) => span,
                None => {
                    let span = new_span(arena, self.owner, class)?;
                    mine.with_room.push(arena, span, 1);
                    span
                }
            };
            let mut word = span.free_word(mine.next_word as usize);
            // Used pages first, from the start of the span on.
            if mine.next_word > 0 && !word.is_some_and(|word| span.is_resident(word)) {
                word = span.free_word(0);
            }
            if let Some(word) = word {
                mine.next_word = word as u8;
                return self.allocate_in(arena, span, word);
            }
            match span.next_size() {
                Some(words) => enlarge_bitmap(arena, span, words)?,
                None => {
                    mine.with_room.remove(arena, span);
                    span.set_unsettled(true); // so that the next `free` puts it back
                    (mine.next_word, mine.grows) = (0, true);
                }
            }
        }
    }

    /// Frees the block that begins at `address`, an offset into a span of this shard.
    /// `None`, with nothing changed, if no live block begins there, or if the record lists
    /// the live slots.
    #[inline(always)]
    pub(crate) fn free(&mut self, span: SpanRef, offset: usize, address: *mut u8) -> Option<Given> {
        let kind = span.kind.get() as usize;
        let (class, spare) = (size_class::get(kind)?, self.spare.get_mut(place(kind))?);
        let given = span.give(class.slot_at(offset)?, spare)?;
        spare.recent = address;
        Some(given)
    }

    /// Frees the block that begins at `address`, also if the record lists the live slots.
    /// The block must be live.
    pub(crate) fn free_slowly(&mut self, arena: &Arena, span: SpanRef, offset: usize) {
        let slot = size_class::get(span.kind.get() as usize).map(|class| class.slot_of(offset));
        let listed = || slot.and_then(|slot| span.give_listed(slot));
        let address = span.base.wrapping_add(offset);
        if self.free(span, offset, address).or_else(listed) == Some(Given::Settle) {
            self.settle(arena, span);
        }
    }

    /// What a `free` leaves to do in a span that was unsettled, or that has no taken slot
    /// now. A span is unsettled if it is not marked for `_heapmin`, or on no list.
    #[cold]
    pub(crate) fn settle(&mut self, arena: &Arena, span: SpanRef) {
        let kind = span.kind.get() as usize;
        let Some(mine) = self.classes.get_mut(kind) else {
            return;
        };
        if span.is_unsettled() {
            span.set_unsettled(false);
            arena.mark_dirty(span.index);
            if span.list.get() == 0 {
                mine.with_room.push(arena, span, 1);
            }
        }
        // The first span stays, because the next allocation may need it soon.
        if span.used() == 0 && !mine.with_room.begins_with(span) {
            mine.with_room.remove(arena, span);
            self.spare[place(kind)].recent = ptr::null_mut();
            arena.space().give_span(span);
        }
    }

    /// The live block at an offset into a span of this shard: where it begins, and its
    /// size.
    pub(crate) fn block_at(&self, span: SpanRef, offset: usize) -> Option<(usize, usize)> {
        let kind = span.kind.get() as usize;
        let class = size_class::get(kind)?;
        let (slot, size) = (class.slot_of(offset), class.size as usize);
        let is_live = slot < span.capacity()
            && span.is_taken(slot)
            && !self.spare.get(place(kind))?.has(span, slot);
        is_live.then_some((slot * size, size))
    }

    /// Puts all spare slots back, so that the bitmaps say which slots are live.
    pub(crate) fn put_spare_back(&mut self, arena: &Arena) {
        for spare in self.spare.iter_mut().filter(|spare| !spare.is_empty()) {
            spare.put_back(spare.place().and_then(|place| arena.find(place)));
        }
    }

    /// Lets every class begin at its first span's first slot, and take pages one by one.
    pub(crate) fn start_again(&mut self) {
        // A class that was never used is not written, so that its page takes no memory.
        let is_new = |class: &&mut Class| class.next_word == 0 && !class.grows;
        for class in self.classes.iter_mut().filter(|class| !is_new(class)) {
            (class.next_word, class.grows) = (0, false);
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
    let index = space.find_spans(1)?;
    let span = space.take_span(index)?;
    span.start_small(class);
    span.owner.set(owner);
    Some(span)
}

fn enlarge_bitmap(arena: &Arena, span: SpanRef, words: usize) -> Option<()> {
    let mut space = arena.space();
    let old = span.lines();
    span.set_bitmap(space.take_lines(words)?);
    if let Some(lines) = old {
        space.give_lines(lines);
    }
    Some(())
}

/// Makes pages of a span usable. With `ahead`, also the pages around them, which
/// the class will need soon. Returns `None` if the system refuses.
#[inline(always)]
pub(crate) fn make_resident(
    arena: &Arena,
    span: SpanRef,
    pages: PageMask,
    ahead: bool,
) -> Option<()> {
    match pages & !span.resident.get() {
        0 => Some(()),
        _ => make_more_resident(arena, span, pages, ahead),
    }
}

#[cold]
fn make_more_resident(arena: &Arena, span: SpanRef, pages: PageMask, ahead: bool) -> Option<()> {
    let first = pages.trailing_zeros() as usize / AHEAD * AHEAD;
    let around = if ahead { run(first, AHEAD) } else { 0 };
    if ahead || cfg!(windows) {
        arena.mark_dirty(span.index); // pages that get no block are resident, or committed
    }
    for (first, count) in runs((pages | around) & !span.resident.get()) {
        let (base, len) = (span.base.wrapping_add(first * PAGE_SIZE), count * PAGE_SIZE);
        // SAFETY: whole pages of a span of the arena.
        if !unsafe { os::commit(base, len) } {
            break;
        }
        span.resident.set(span.resident.get() | run(first, count));
        if ahead {
            // SAFETY: as above.
            unsafe { os::populate(base, len) };
        }
    }
    (pages & !span.resident.get() == 0).then_some(())
}
