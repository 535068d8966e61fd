//! Small blocks: the slots of a span, and which of them are live.
//!
//! A bitmap has one bit for each slot, set while the slot is free. It lies in the record
//! of the span at first, and moves to the arena's lines as the span fills. When few slots
//! are live after `_heapmin`, a list in the record replaces it.

use crate::bits::{ones, run};
use crate::layout::{PAGE_SIZE, PageMask, SPAN_PAGES, pages_of};
use crate::shared::Shared64;
use crate::size_class;
use crate::span::{BODY, NO_OWNER, Span, SpanRef};
use core::hint::select_unpredictable;
use core::ops::BitOr;
use core::ptr;
use core::sync::atomic::Ordering::Relaxed;

/// Number of live slots that a record can list instead of a bitmap.
const MOST_LISTED: usize = BODY * 4;

/// Set in `count` if the next `free` must settle the span
/// ([`crate::shard::Shard::settle`]).
const UNSETTLED: u16 = 1 << 15;

/// The memory of a bitmap: its first word, and its number of words.
pub(crate) type Words = (*mut Shared64, usize);

/// What is left to do after [`Span::give`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Given {
    /// Nothing.
    Done,
    /// To settle the span: it was unsettled, or has no taken slot now.
    Settle,
}

impl Span {
    /// Makes a free span one for blocks of a size class. Its first bitmap lies
    /// in its record.
    pub(crate) fn start_small(&self, class: usize) {
        self.kind.set(class as u8);
        self.count.set(UNSETTLED);
        self.list_none();
        let inside = self.body.as_ptr().cast_mut();
        self.set_bitmap((inside, BODY.min(self.all_words())));
    }

    /// Removes the owner and the bitmap.
    pub(crate) fn end(&self) {
        self.owner.set(NO_OWNER);
        self.list_none();
    }

    fn list_none(&self) {
        self.slots.set(0);
        self.bitmap.store(ptr::null_mut(), Relaxed);
    }

    /// Number of slots that are taken: live or spare.
    pub(crate) fn used(&self) -> usize {
        (self.count.get() & !UNSETTLED) as usize
    }

    /// Whether the next `free` must settle the span.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.count.get() & UNSETTLED != 0
    }

    /// Says whether the next `free` must settle the span.
    pub(crate) fn set_unsettled(&self, unsettled: bool) {
        let flag = if unsettled { UNSETTLED } else { 0 };
        self.count.set(self.used() as u16 | flag);
    }

    /// Number of slots, also of those without a bit in the bitmap yet.
    pub(crate) fn capacity(&self) -> usize {
        let class = size_class::get(self.kind.get() as usize);
        class.map_or(0, |class| class.capacity as usize)
    }

    /// The words of the bitmap; empty while the record lists the live slots.
    #[inline]
    pub(crate) fn words(&self) -> &[Shared64] {
        let words = self.bitmap.load(Relaxed);
        if words.is_null() {
            return &[];
        }
        let count = (self.slots.get() as usize).div_ceil(64);
        // SAFETY: `set_bitmap` got this many words, which stay until the next bitmap.
        unsafe { core::slice::from_raw_parts(words, count) }
    }

    /// The word of the bitmap for a slot, if the slot has a bit.
    #[inline(always)]
    fn word_of(&self, slot: usize) -> Option<&Shared64> {
        // SAFETY: as above: the bitmap has a word for each of `slots` bits.
        (slot < self.slots.get() as usize)
            .then(|| unsafe { &*self.bitmap.load(Relaxed).add(slot / 64) })
    }

    /// The bitmap, if it lies in the lines of the arena.
    pub(crate) fn lines(&self) -> Option<Words> {
        let words = self.words();
        (words.len() > BODY).then(|| (words.as_ptr().cast_mut(), words.len()))
    }

    /// Number of words of the next larger bitmap; `None` if every slot has a bit.
    pub(crate) fn next_size(&self) -> Option<usize> {
        let (now, all) = (self.words().len(), self.all_words());
        let next = if now == 0 { all } else { (2 * now).min(all) };
        (next > now).then_some(next)
    }

    fn all_words(&self) -> usize {
        self.capacity().div_ceil(64)
    }

    /// Moves to a larger bitmap, with the state of all slots. The old bitmap is
    /// unused then.
    pub(crate) fn set_bitmap(&self, (words, count): Words) {
        let (old, capacity) = (self.words(), self.capacity());
        // SAFETY: the caller passes `count` words that nothing else uses.
        let new = unsafe { core::slice::from_raw_parts(words, count) };
        for (index, word) in new.iter().enumerate() {
            let all_free = || run(0, capacity.saturating_sub(index * 64).min(64));
            word.set(old.get(index).map_or_else(all_free, Shared64::get));
        }
        let listed = self.listed();
        self.slots.set(capacity.min(count * 64) as u16);
        self.bitmap.store(words, Relaxed);
        for slot in listed {
            let word = &new[slot / 64];
            word.set(word.get() & !(1 << (slot % 64)));
        }
    }

    /// Lists the live slots in the record, if they are few and the bitmap lies
    /// in the arena's lines. Returns the bitmap, which is unused then.
    pub(crate) fn list_live(&self) -> Option<Words> {
        let lines = self.lines()?;
        if self.used() > MOST_LISTED {
            return None;
        }
        for (at, slot) in self.live_slots().enumerate() {
            self.set_listed(at, slot);
        }
        self.list_none();
        Some(lines)
    }

    /// The first word of the bitmap with a free slot, from a word on.
    pub(crate) fn free_word(&self, from: usize) -> Option<usize> {
        let rest = self.words().get(from..)?;
        Some(from + rest.iter().position(|word| word.get() != 0)?)
    }

    /// The first free slots of a word of the bitmap, as bits of the word: at most a sixteenth
    /// of the span, so that a class with few blocks uses few pages.
    #[inline(always)]
    pub(crate) fn next_free(&self, word: usize) -> u64 {
        let free = self.words().get(word).map_or(0, Shared64::get);
        let most = (self.capacity() / 16).clamp(1, 64);
        free & run(0, most) << (free.trailing_zeros() & 63)
    }

    /// Frees a slot that is live and none of `spare`. `None`, with nothing changed, if it
    /// is not, or if the record lists the live slots.
    #[inline(always)]
    pub(crate) fn give(&self, slot: usize, spare: &Spare) -> Option<Given> {
        if slot >= self.slots.get() as usize {
            return None;
        }
        // SAFETY: as above.
        let word = unsafe { &*self.bitmap.load(Relaxed).add(slot / 64) };
        let (bits, bit) = (word.get(), 1 << (slot % 64));
        if (bits | spare.of_word(word)) & bit != 0 {
            return None;
        }
        word.set(bits | bit);
        Some(self.count_given())
    }

    /// Frees a slot, if the record lists it.
    pub(crate) fn give_listed(&self, slot: usize) -> Option<Given> {
        let place = self.listed().position(|listed| listed == slot)?;
        self.set_listed(place, self.listed_at(self.used() - 1));
        Some(self.count_given())
    }

    #[inline(always)]
    fn count_given(&self) -> Given {
        let count = self.count.get().wrapping_sub(1);
        self.count.set(count);
        // One comparison for both: the flag is the sign.
        match count as i16 {
            ..=0 => Given::Settle,
            _ => Given::Done,
        }
    }

    /// Whether a slot is taken: whether it holds a live block, or is spare.
    pub(crate) fn is_taken(&self, slot: usize) -> bool {
        match self.word_of(slot) {
            Some(word) => word.get() >> (slot % 64) & 1 == 0,
            None => self.listed().any(|listed| listed == slot),
        }
    }

    /// The slots that hold a live block, if none is spare.
    pub(crate) fn live_slots(&self) -> impl Iterator<Item = usize> {
        let capacity = self.capacity();
        let of_word = move |(index, word): (usize, &Shared64)| {
            let all = run(0, (capacity - index * 64).min(64));
            ones(all & !word.get()).map(move |bit| index * 64 + bit)
        };
        let words = self.words().iter().enumerate();
        words.flat_map(of_word).chain(self.listed())
    }

    /// The pages that contain some slots of a word of the bitmap, from the first to the last.
    #[inline(always)]
    pub(crate) fn pages_of(&self, word: usize, slots: u64) -> PageMask {
        let size = size_class::size(self.kind.get() as usize);
        let first = word * 64 + slots.trailing_zeros() as usize;
        let end = word * 64 + 64 - slots.leading_zeros() as usize;
        pages_of(first * size, (end - first) * size)
    }

    /// Whether the pages of the next free slots of a word of the bitmap were used before.
    pub(crate) fn is_resident(&self, word: usize) -> bool {
        self.pages_of(word, self.next_free(word)) & !self.resident.get() == 0
    }

    /// The pages that hold at least one byte of a live block.
    pub(crate) fn pages_of_slots(&self) -> PageMask {
        let Some(class) = size_class::get(self.kind.get() as usize) else {
            return 0;
        };
        let size = class.size as usize;
        let of_slot = |slot| pages_of(slot * size, size);
        if self.words().is_empty() {
            return self.listed().map(of_slot).fold(0, PageMask::bitor);
        }
        let end = class.capacity as usize - 1;
        let is_live = |page: &usize| {
            let (first, last) = (page * PAGE_SIZE, (page + 1) * PAGE_SIZE - 1);
            self.any_live(class.slot_of(first), class.slot_of(last).min(end))
        };
        let pages = (0..SPAN_PAGES).filter(is_live);
        pages.map(|page| run(page, 1)).fold(0, PageMask::bitor)
    }

    /// Whether any slot from `first` to `last` holds a live block.
    fn any_live(&self, first: usize, last: usize) -> bool {
        let words = self.words().iter().enumerate().take(last / 64 + 1);
        words.skip(first / 64).any(|(index, word)| {
            let (from, to) = (first.max(index * 64), last.min(index * 64 + 63));
            !word.get() & run(from % 64, to + 1 - from) != 0
        })
    }

    fn listed(&self) -> impl Iterator<Item = usize> {
        let count = match self.bitmap.load(Relaxed).is_null() {
            true => self.used(),
            false => 0,
        };
        (0..count.min(MOST_LISTED)).map(|at| self.listed_at(at))
    }

    fn listed_at(&self, at: usize) -> usize {
        (self.body[at / 4].get() >> (at % 4 * 16)) as usize & 0xFFFF
    }

    fn set_listed(&self, at: usize, slot: usize) {
        let (word, shift) = (&self.body[at / 4], at % 4 * 16);
        word.set(word.get() & !(0xFFFF << shift) | (slot as u64) << shift);
    }
}

/// The free slots that the next blocks of a class get. They were taken out of one word of
/// a bitmap, which says that they are taken.
pub(crate) struct Spare {
    /// The slots, as bits of that word.
    free: u64,
    /// The word, which stays where it is as long as slots are left.
    word: *const Shared64,
    /// The first byte of the word's first slot.
    base: *mut u8,
    /// The block of the class that was freed last, or null. Slots beside it are likely to
    /// be free too, and their memory to be in the cache.
    pub recent: *mut u8,
}

impl Spare {
    pub(crate) const NONE: Spare = Spare {
        free: 0,
        word: ptr::null(),
        base: ptr::null_mut(),
        recent: ptr::null_mut(),
    };

    /// Takes free slots of a word of a span's bitmap. No slot is left of those before.
    #[inline(always)]
    pub(crate) fn refill(&mut self, span: SpanRef, index: usize, slots: u64) {
        let size = size_class::size(span.kind.get() as usize);
        debug_assert!(self.free == 0);
        if let Some(word) = span.words().get(index) {
            word.set(word.get() & !slots);
            let count = span.count.get() + slots.count_ones() as u16;
            span.count.set(count);
            self.free = slots;
            self.word = word;
            self.base = span.base.wrapping_add(index * 64 * size);
        }
    }

    /// Takes the lowest slot. Returns its first byte.
    #[inline(always)]
    pub(crate) fn take(&mut self, size: usize) -> Option<*mut u8> {
        if self.free == 0 {
            return None;
        }
        let slot = self.free.trailing_zeros() as usize;
        self.free &= self.free - 1;
        Some(self.base.wrapping_add(slot * size))
    }

    /// Those of a word of a bitmap.
    #[inline(always)]
    fn of_word(&self, word: &Shared64) -> u64 {
        select_unpredictable(ptr::eq(self.word, word), self.free, 0)
    }

    /// Whether a slot of a span is one of these.
    pub(crate) fn has(&self, span: SpanRef, slot: usize) -> bool {
        let word = span.word_of(slot);
        word.is_some_and(|word| self.of_word(word) >> (slot % 64) & 1 != 0)
    }

    /// The first byte of the word's first slot, if any slot is left.
    pub(crate) fn place(&self) -> Option<*mut u8> {
        (self.free != 0).then_some(self.base)
    }

    /// Whether there is nothing to put back. A class that was never used is not written, so
    /// that its page takes no memory.
    pub(crate) fn is_empty(&self) -> bool {
        self.free == 0 && self.recent.is_null()
    }

    /// Puts the slots back into the bitmap of their span, and forgets the recent block.
    pub(crate) fn put_back(&mut self, span: Option<(SpanRef, usize)>) {
        if let Some((span, _)) = span {
            let words = span.words();
            if let Some(word) = words.iter().find(|word| ptr::eq(self.word, *word)) {
                word.set(word.get() | self.free);
                let count = span.count.get() - self.free.count_ones() as u16;
                span.count.set(count);
            }
        }
        *self = Spare::NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// A span for small blocks, without pages. Its record is leaked, because it must
    /// not move while its bitmap lies in it.
    fn small_span(size: usize) -> SpanRef {
        // SAFETY: all zeros is a valid record, as `Span` says.
        let record: &Span = Box::leak(Box::new(unsafe { core::mem::zeroed() }));
        record.start_small(size_class::of(size));
        // SAFETY: the record stays.
        unsafe { SpanRef::new(0, record, ptr::null_mut()) }
    }

    /// Takes the lowest free slot of a word of the bitmap.
    fn take_in(span: SpanRef, index: usize) -> Option<usize> {
        let size = size_class::size(span.kind.get() as usize);
        let mut spare = Spare::NONE;
        spare.refill(span, index, span.next_free(index));
        let slot = spare.take(size)? as usize / size;
        assert!(span.is_taken(slot) && !spare.has(span, slot));
        spare.put_back(Some((span, 0)));
        Some(slot)
    }

    fn give(span: SpanRef, slot: usize) -> bool {
        let given = span.give(slot, &Spare::NONE);
        given.or_else(|| span.give_listed(slot)).is_some()
    }

    fn words(count: usize) -> Words {
        let words: Vec<Shared64> = (0..count).map(|_| Shared64::default()).collect();
        (words.leak().as_mut_ptr(), count)
    }

    /// Takes the next free slot, with a larger bitmap if necessary.
    fn take_one(span: SpanRef) -> Option<usize> {
        let slot = loop {
            match (span.free_word(0), span.next_size()) {
                (Some(word), _) => break take_in(span, word).unwrap(),
                (None, Some(count)) => span.set_bitmap(words(count)),
                (None, None) => return None,
            }
        };
        assert!(span.is_taken(slot));
        Some(slot)
    }

    #[rstest]
    fn every_slot_is_taken_once(#[values(16, 48, 64, 1000, 8192, 20_480)] size: usize) {
        let span = small_span(size);
        let slots = core::iter::from_fn(|| take_one(span)).count();
        assert_eq!(slots, span.capacity());
        assert_eq!(span.used(), slots);
        assert!(span.live_slots().eq(0..slots));
    }

    #[test]
    fn a_freed_slot_is_taken_again() {
        let span = small_span(64);
        while take_one(span).is_some() {}
        for slot in [3, 700, 4000] {
            assert!(give(span, slot) && !give(span, slot));
            assert_eq!(take_one(span), Some(slot));
        }
    }

    #[test]
    fn a_spare_slot_is_not_given_twice() {
        let span = small_span(64);
        let mut spare = Spare::NONE;
        spare.refill(span, 1, span.next_free(1));
        let slot = spare.take(64).unwrap() as usize / 64;
        assert!(span.give(slot + 1, &spare).is_none(), "spare");
        assert!(span.give(slot, &spare).is_some());
        assert!(span.give(slot, &spare).is_none(), "free");
        spare.put_back(Some((span, 0)));
        assert_eq!(span.used(), 0);
        assert!(span.give(slot + 1, &spare).is_none(), "put back");
    }

    #[test]
    fn a_free_settles_a_span_at_first_and_when_it_is_empty() {
        let span = small_span(64);
        for _ in 0..3 {
            take_one(span);
        }
        assert_eq!(span.give(0, &Spare::NONE), Some(Given::Settle));
        span.set_unsettled(false);
        assert_eq!(span.give(1, &Spare::NONE), Some(Given::Done));
        assert_eq!(span.give(2, &Spare::NONE), Some(Given::Settle));
    }

    #[test]
    fn few_live_slots_become_a_list_and_later_a_bitmap_again() {
        let span = small_span(16);
        while take_one(span).is_some() {}
        assert!(span.list_live().is_none(), "too many to list");
        let kept = [0, 1, 63, 64, 999, 16_000, span.capacity() - 1];
        for slot in (0..span.capacity()).filter(|slot| !kept.contains(slot)) {
            assert!(give(span, slot));
        }
        assert_eq!(span.list_live().unwrap().1, 256);
        assert!(span.words().is_empty() && span.lines().is_none());
        assert!(span.live_slots().eq(kept));
        assert!(span.is_taken(999) && !span.is_taken(998));
        assert!(give(span, 63) && !give(span, 64 * 200));
        assert!(give(span, span.capacity() - 1));
        assert_eq!(span.pages_of_slots(), 1 | 1 << 3 | 1 << 62);
        assert_eq!(take_one(span), Some(2));
        let mut live: Vec<_> = span.live_slots().collect();
        live.sort_unstable();
        assert_eq!(live, [0, 1, 2, 64, 999, 16_000]);
    }

    #[rstest]
    #[case(64, 0, 0b1)]
    #[case(64, 63, 0b1)]
    #[case(64, 64, 0b10)]
    #[case(48, 85, 0b11)] // bytes 4080 to 4127 lie in both pages
    #[case(8192, 1, 0b1100)]
    #[case(7680, 1, 0b1110)]
    fn live_pages_are_those_with_a_byte_of_a_live_block(
        #[case] size: usize,
        #[case] slot: usize,
        #[case] pages: PageMask,
    ) {
        let span = small_span(size);
        assert_eq!(span.pages_of_slots(), 0);
        while !span.is_taken(slot) {
            take_in(span, slot / 64);
        }
        (0..slot).for_each(|before| assert!(!span.is_taken(before) || give(span, before)));
        assert_eq!(span.pages_of_slots(), pages);
    }
}
