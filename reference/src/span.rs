//! A span: 256 KiB of pages for blocks, and the record that describes them.
//!
//! The record lies in the arena's table, never in the span itself. So a page of
//! blocks holds nothing but blocks, an overrun cannot damage the heap's own
//! data, and a page without a live block can always go back to the system.

use crate::bits::{ones, run};
use crate::shared::{Shared8, Shared16, Shared32, Shared64};
use crate::size_class;
use core::ops::{BitOr, Deref};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// Bytes in a span: 256 KiB. `reference/variants/narrow` has half as many, to
/// give the conformance suite a heap of another shape.
pub(crate) const SPAN_SIZE: usize = if cfg!(narrow_spans) { 128 } else { 256 } * 1024;

/// Bytes in a page of the heap. If the system's pages are larger, only whole
/// pages of the system go back to it ([`crate::os::whole_pages`]).
pub(crate) const PAGE_SIZE: usize = 4096;

/// Number of pages in a span.
pub(crate) const SPAN_PAGES: usize = SPAN_SIZE / PAGE_SIZE;

/// One bit for each page of a span.
pub(crate) type PageMask = u64;
/// All pages of a span.
pub(crate) const ALL_PAGES: PageMask = run(0, SPAN_PAGES);

/// Number of words of bitmap that fit in the record itself: for 256 slots.
const WORDS_INSIDE: usize = 4;
/// Number of live slots that a record can list instead of a bitmap.
const MOST_LISTED: usize = WORDS_INSIDE * 4;

/// `owner`: none. The span is free, or inside a large block.
pub(crate) const NO_OWNER: u8 = 0;
/// `owner`: the space, for large blocks.
pub(crate) const SPACE: u8 = 1;
/// `owner`: the first shard; the others follow.
pub(crate) const FIRST_SHARD: u8 = 2;

/// `kind`: large blocks ([`crate::large`]). Numbers below [`size_class::COUNT`]
/// are size classes.
pub(crate) const LARGE: u8 = 255;

/// No span: the end of a list.
pub(crate) const NO_SPAN: u32 = u32::MAX;

/// The record of a span. All zeros: the span was never used.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Span {
    /// The owner, whose lock guards the other fields. It does not change while
    /// the span has a live block.
    pub owner: Shared8,
    /// What kind of blocks the span is for.
    pub kind: Shared8,
    /// Which of its owner's lists the span is on, counted from 1; 0 for none.
    pub list: Shared8,
    /// Not 0 if the next `_heapmin` must visit the span.
    pub touched: Shared8,
    /// The next span on that list.
    pub next: Shared32,
    /// The previous span on that list.
    pub prev: Shared32,
    /// Number of live blocks, if they are small.
    pub used: Shared16,
    /// No word of the bitmap before this one has a free slot.
    pub hint: Shared8,
    /// Number of words of the bitmap after the first. The bitmap grows as the
    /// span fills.
    more_words: Shared8,
    /// Pages that may be resident: used since they were last given back.
    pub resident: Shared64,
    /// The bitmap: one bit for each slot, set while the slot is free. It lies in
    /// `body` or in the arena's lines. Null while `body` lists the live slots.
    bitmap: AtomicPtr<Shared64>,
    /// The bitmap itself, or the list of live slots, or the words of `large`.
    pub body: [Shared64; WORDS_INSIDE],
}

/// A span: its number, its record and its address.
#[derive(Clone, Copy)]
pub(crate) struct SpanRef {
    /// Its number.
    pub index: u32,
    /// Its record.
    pub record: &'static Span,
    /// Its first byte.
    pub base: *mut u8,
}

impl Deref for SpanRef {
    type Target = Span;
    #[inline]
    fn deref(&self) -> &Span {
        self.record
    }
}

/// The slots of a word of a span's bitmap.
#[derive(Clone, Copy)]
pub(crate) struct Slots {
    /// The word, which stays where it is until the span gets another bitmap.
    word: &'static Shared64,
    span: &'static Span,
    /// The first byte of the first slot.
    pub base: *mut u8,
}

impl SpanRef {
    /// The slots of a word of the bitmap.
    pub(crate) fn slots(self, word: usize) -> Option<Slots> {
        let size = size_class::size(self.kind.get() as usize);
        Some(Slots {
            word: self.record.words().get(word)?,
            span: self.record,
            base: self.base.wrapping_add(word * 64 * size),
        })
    }
}

impl Slots {
    /// Takes the lowest free slot, and returns its number among these.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<usize> {
        let free = self.word.get();
        if free == 0 {
            return None;
        }
        self.word.set(free & (free - 1));
        self.span.used.set(self.span.used.get() + 1);
        Some(free.trailing_zeros() as usize)
    }
}

/// The memory of a bitmap: its first word, and its number of words.
pub(crate) type Words = (*mut Shared64, usize);

impl Span {
    /// Makes a free span one for blocks of a size class. Its first bitmap lies
    /// in its record.
    pub(crate) fn start_small(&self, class: usize) {
        self.kind.set(class as u8);
        self.used.set(0);
        self.bitmap.store(ptr::null_mut(), Relaxed);
        let inside = self.body.as_ptr().cast_mut();
        self.set_bitmap((inside, WORDS_INSIDE.min(self.all_words())));
    }

    /// Removes the owner and the bitmap.
    pub(crate) fn end(&self) {
        self.owner.set(NO_OWNER);
        self.bitmap.store(ptr::null_mut(), Relaxed);
    }

    /// Number of slots, also of those without a bit in the bitmap yet. Only for
    /// spans of small blocks, as everything below.
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
        let count = self.more_words.get() as usize + 1;
        // SAFETY: `set_bitmap` got this many words, which stay until the next bitmap.
        unsafe { core::slice::from_raw_parts(words, count) }
    }

    /// The bitmap, if it lies in the lines of the arena.
    pub(crate) fn lines(&self) -> Option<Words> {
        let words = self.words();
        (words.len() > WORDS_INSIDE).then(|| (words.as_ptr().cast_mut(), words.len()))
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
        self.more_words.set((count - 1) as u8);
        self.bitmap.store(words, Relaxed);
        self.hint.set(0);
        for slot in listed {
            let word = &new[slot / 64];
            word.set(word.get() & !(1 << (slot % 64)));
        }
    }

    /// Lists the live slots in the record, if they are few and the bitmap lies
    /// in the arena's lines. Returns the bitmap, which is unused then.
    pub(crate) fn list_live(&self) -> Option<Words> {
        let lines = self.lines()?;
        if self.used.get() as usize > MOST_LISTED {
            return None;
        }
        for (at, slot) in self.live_slots().enumerate() {
            self.set_listed(at, slot);
        }
        self.bitmap.store(ptr::null_mut(), Relaxed);
        Some(lines)
    }

    /// The first word of the bitmap with a free slot.
    pub(crate) fn free_word(&self) -> Option<usize> {
        let from = self.hint.get() as usize;
        let rest = self.words().get(from..)?;
        let word = from + rest.iter().position(|word| word.get() != 0)?;
        self.hint.set(word as u8);
        Some(word)
    }

    /// Frees a slot. Returns false if it is not live.
    #[inline(always)]
    pub(crate) fn give(&self, slot: usize) -> bool {
        let Some(word) = self.words().get(slot / 64) else {
            return self.give_listed(slot);
        };
        let (bits, bit) = (word.get(), 1 << (slot % 64));
        if bits & bit != 0 {
            return false;
        }
        word.set(bits | bit);
        self.hint.set(self.hint.get().min((slot / 64) as u8));
        self.used.set(self.used.get() - 1);
        true
    }

    #[cold]
    fn give_listed(&self, slot: usize) -> bool {
        let Some(place) = self.listed().position(|listed| listed == slot) else {
            return false;
        };
        let last = self.used.get() as usize - 1;
        self.set_listed(place, self.listed_at(last));
        self.used.set(last as u16);
        true
    }

    /// Whether a slot holds a live block.
    pub(crate) fn is_live(&self, slot: usize) -> bool {
        match self.words().get(slot / 64) {
            Some(word) => slot < self.capacity() && word.get() >> (slot % 64) & 1 == 0,
            None => self.listed().any(|listed| listed == slot),
        }
    }

    /// The slots that hold a live block.
    pub(crate) fn live_slots(&self) -> impl Iterator<Item = usize> {
        let capacity = self.capacity();
        let of_word = move |(index, word): (usize, &Shared64)| {
            let all = run(0, (capacity - index * 64).min(64));
            ones(all & !word.get()).map(move |bit| index * 64 + bit)
        };
        let words = self.words().iter().enumerate();
        words.flat_map(of_word).chain(self.listed())
    }

    /// The pages that contain the slots of a word of the bitmap.
    pub(crate) fn pages_of_word(&self, word: usize) -> PageMask {
        let size = size_class::size(self.kind.get() as usize);
        let (first, end) = (word * 64, self.capacity().min(word * 64 + 64));
        pages_of(first * size, end.saturating_sub(first) * size)
    }

    /// The pages that hold at least one byte of a live block.
    pub(crate) fn live_pages(&self) -> PageMask {
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
            true => self.used.get() as usize,
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

/// The pages that contain `len` bytes from an offset into a span.
#[inline]
pub(crate) fn pages_of(offset: usize, len: usize) -> PageMask {
    if len == 0 {
        return 0;
    }
    let (first, last) = (offset / PAGE_SIZE, (offset + len - 1) / PAGE_SIZE);
    run(first, last - first + 1)
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
        SpanRef {
            index: 0,
            record,
            base: ptr::null_mut(),
        }
    }

    /// Takes the lowest free slot of a word of the bitmap.
    fn take_in(span: SpanRef, word: usize) -> Option<usize> {
        Some(word * 64 + span.slots(word)?.take()?)
    }

    fn words(count: usize) -> Words {
        let words: Vec<Shared64> = (0..count).map(|_| Shared64::default()).collect();
        (words.leak().as_mut_ptr(), count)
    }

    /// Takes the next free slot, with a larger bitmap if necessary.
    fn take_one(span: SpanRef) -> Option<usize> {
        let slot = loop {
            match (span.free_word(), span.next_size()) {
                (Some(word), _) => break take_in(span, word).unwrap(),
                (None, Some(count)) => span.set_bitmap(words(count)),
                (None, None) => return None,
            }
        };
        assert!(span.is_live(slot));
        Some(slot)
    }

    #[rstest]
    fn every_slot_is_taken_once(#[values(16, 48, 64, 1000, 8192)] size: usize) {
        let span = small_span(size);
        let slots = core::iter::from_fn(|| take_one(span)).count();
        assert_eq!(slots, span.capacity());
        assert_eq!(span.used.get() as usize, slots);
        assert!(span.live_slots().eq(0..slots));
    }

    #[test]
    fn a_freed_slot_is_taken_again() {
        let span = small_span(64);
        while take_one(span).is_some() {}
        for slot in [3, 700, 4000] {
            assert!(span.give(slot) && !span.give(slot));
            assert_eq!(take_one(span), Some(slot));
        }
    }

    #[test]
    fn few_live_slots_become_a_list_and_later_a_bitmap_again() {
        let span = small_span(16);
        while take_one(span).is_some() {}
        assert!(span.list_live().is_none(), "too many to list");
        let kept = [0, 1, 63, 64, 999, 16_000, span.capacity() - 1];
        for slot in (0..span.capacity()).filter(|slot| !kept.contains(slot)) {
            assert!(span.give(slot));
        }
        assert_eq!(span.list_live().unwrap().1, 256);
        assert!(span.words().is_empty() && span.lines().is_none());
        assert!(span.live_slots().eq(kept));
        assert!(span.is_live(999) && !span.is_live(998));
        assert!(span.give(63) && !span.give(64 * 200));
        assert!(span.give(span.capacity() - 1));
        assert_eq!(span.live_pages(), 1 | 1 << 3 | 1 << 62);
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
        assert_eq!(span.live_pages(), 0);
        while !span.is_live(slot) {
            take_in(span, slot / 64);
        }
        (0..slot).for_each(|before| assert!(!span.is_live(before) || span.give(before)));
        assert_eq!(span.live_pages(), pages);
    }

    #[rstest]
    #[case(0, 1, 0b1)]
    #[case(0, 4096, 0b1)]
    #[case(0, 4097, 0b11)]
    #[case(4095, 2, 0b11)]
    #[case(61440, 4096, 0x8000)]
    #[case(0, 65536, 0xFFFF)]
    #[case(0, 0, 0)]
    #[case(0, 262_144, !0)]
    fn pages_of_a_range_are_those_with_a_byte_of_it(
        #[case] offset: usize,
        #[case] len: usize,
        #[case] pages: PageMask,
    ) {
        assert_eq!(pages_of(offset, len), pages);
    }
}
