//! A span: 64 KiB of block pages, and the record that says what lives there.
//!
//! The record stands in the arena's table, never in the span itself. So a
//! page of blocks holds nothing but blocks, an overrun cannot damage the
//! heap's own data, and a page with no live block is free to go.

use crate::size_class;

/// Bytes in a span: 64 KiB, or twice as many for the conformance suite, which
/// has a heap of another shape to judge then (`reference/wide/`).
pub const SPAN_SIZE: usize = if cfg!(wide_spans) { 128 } else { 64 } * 1024;

/// One bit for each smallest block that fits.
const WORDS: usize = SPAN_SIZE / 16 / 64;

/// One bit for each page of a span; a span has at most 32 pages of 4 KiB.
pub type PageMask = u32;

/// What a span is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Nothing lives here. Zero, so that a fresh record reads as free.
    Free = 0,
    /// Blocks of one size class.
    Small = 1,
    /// The first span of a large block.
    LargeHead = 2,
    /// A further span of a large block.
    LargeTail = 3,
}

/// The record of a span. All zeros is the record of a span never used.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Span {
    /// The next span of this class with room ([`crate::heap::NO_SPAN`]: none).
    pub next: u32,
    /// The one before.
    pub prev: u32,
    /// Pages that hold memory of the system: written since they were last given back.
    pub resident: PageMask,
    /// Live blocks (small spans).
    pub used: u16,
    /// No word of the bitmap before this one has a free slot.
    hint: u16,
    /// What the span is used for.
    pub kind: Kind,
    /// The size class of its blocks (small spans).
    pub class: u8,
    /// Bytes of this span that belong to the large block (large spans).
    pub live_bytes: u32,
    /// Bytes of the whole large block (its first span).
    pub size: usize,
    /// One bit a slot, set while the block is live (small spans). Bits past
    /// the capacity are set as well, so that nobody takes them.
    bitmap: [u64; WORDS],
}

impl Span {
    /// Makes a free span into one for blocks of `class`.
    pub fn start_small(&mut self, class: usize) {
        self.kind = Kind::Small;
        self.class = class as u8;
        self.used = 0;
        self.hint = 0;
        let capacity = size_class::capacity(class);
        for (word, bits) in self.bitmap.iter_mut().enumerate() {
            let first = word * 64;
            *bits = match capacity.saturating_sub(first) {
                0 => !0,
                free @ 1..64 => !0 << free,
                _ => 0,
            };
        }
    }

    /// Makes a free span into a part of a large block, `live_bytes` of it used.
    pub fn start_large(&mut self, kind: Kind, size: usize, live_bytes: usize) {
        self.kind = kind;
        self.size = size;
        self.live_bytes = live_bytes as u32;
    }

    /// Bytes in a block of this small span.
    pub fn block_size(&self) -> usize {
        size_class::SIZES[self.class as usize] as usize
    }

    /// Slots in this small span.
    pub fn capacity(&self) -> usize {
        size_class::capacity(self.class as usize)
    }

    /// Whether every slot holds a live block.
    pub fn is_full(&self) -> bool {
        self.used as usize == self.capacity()
    }

    /// The lowest slot without a live block.
    pub fn free_slot(&mut self) -> Option<usize> {
        let start = self.hint as usize;
        let word = (start..WORDS).find(|&word| self.bitmap[word] != !0)?;
        self.hint = word as u16;
        Some(word * 64 + self.bitmap[word].trailing_ones() as usize)
    }

    /// Marks a free slot as live.
    pub fn take(&mut self, slot: usize) {
        self.bitmap[slot / 64] |= 1 << (slot % 64);
        self.used += 1;
    }

    /// Marks a live slot as free.
    pub fn give(&mut self, slot: usize) {
        self.bitmap[slot / 64] &= !(1 << (slot % 64));
        self.used -= 1;
        self.hint = self.hint.min((slot / 64) as u16);
    }

    /// Whether a slot below the capacity holds a live block.
    pub fn is_live(&self, slot: usize) -> bool {
        self.bitmap[slot / 64] >> (slot % 64) & 1 == 1
    }

    /// Counts the set bits of slots, for `_heapchk`; wrong counts mean damage.
    pub fn count_live(&self) -> usize {
        let set: u32 = self.bitmap.iter().map(|bits| bits.count_ones()).sum();
        (set as usize).wrapping_sub(WORDS * 64 - self.capacity())
    }

    /// The pages that hold at least one byte of a live block.
    pub fn live_pages(&self, page: usize) -> PageMask {
        match self.kind {
            Kind::Free => 0,
            Kind::LargeHead | Kind::LargeTail => pages_of(0, self.live_bytes as usize, page),
            Kind::Small => {
                let size = self.block_size();
                let live = (0..self.capacity()).filter(|&slot| self.is_live(slot));
                live.fold(0, |mask, slot| mask | pages_of(slot * size, size, page))
            }
        }
    }
}

/// The pages of a span that the bytes from `offset` on, `len` of them, lie in.
pub fn pages_of(offset: usize, len: usize, page: usize) -> PageMask {
    if len == 0 {
        return 0;
    }
    let (first, last) = (offset / page, (offset + len - 1) / page);
    let upto_last = PageMask::MAX >> (PageMask::BITS as usize - 1 - last);
    upto_last & PageMask::MAX << first
}

/// The runs of neighbouring pages in a mask: first page and number of pages.
pub fn page_runs(mut mask: PageMask) -> impl Iterator<Item = (usize, usize)> {
    core::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let first = mask.trailing_zeros() as usize;
        let count = (mask >> first).trailing_ones() as usize;
        mask &= !pages_of(first, count, 1);
        Some((first, count))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn small_span(size: usize) -> Span {
        // SAFETY: all zeros is a valid record; it says so above.
        let mut span: Span = unsafe { core::mem::zeroed() };
        span.start_small(size_class::of(size));
        span
    }

    #[rstest]
    fn every_slot_is_handed_out_once(#[values(16, 48, 64, 1000, 32768)] size: usize) {
        let mut span = small_span(size);
        let mut slots = 0;
        while let Some(slot) = span.free_slot() {
            assert!(!span.is_live(slot));
            span.take(slot);
            slots += 1;
        }
        assert_eq!(slots, span.capacity());
        assert!(span.is_full());
        assert_eq!(span.count_live(), slots);
    }

    #[test]
    fn a_freed_slot_is_found_again() {
        let mut span = small_span(64);
        for slot in 0..span.capacity() {
            span.take(slot);
        }
        span.give(3);
        assert_eq!(span.free_slot(), Some(3));
    }

    #[rstest]
    #[case(64, 0, 0b1)]
    #[case(64, 63, 0b1)]
    #[case(64, 64, 0b10)]
    #[case(48, 85, 0b11)] // bytes 4080 to 4127 lie across the first page's end
    #[case(32768, 1, 0xFF00)]
    fn live_pages_are_those_a_block_touches(
        #[case] size: usize,
        #[case] slot: usize,
        #[case] pages: PageMask,
    ) {
        let mut span = small_span(size);
        assert_eq!(span.live_pages(4096), 0);
        span.take(slot);
        assert_eq!(span.live_pages(4096), pages);
    }

    #[rstest]
    #[case(0, 1, 0b1)]
    #[case(0, 4096, 0b1)]
    #[case(0, 4097, 0b11)]
    #[case(4095, 2, 0b11)]
    #[case(61440, 4096, 0x8000)]
    #[case(0, 65536, 0xFFFF)]
    #[case(0, 0, 0)]
    fn a_range_lies_in_these_pages(
        #[case] offset: usize,
        #[case] len: usize,
        #[case] pages: PageMask,
    ) {
        assert_eq!(pages_of(offset, len, 4096), pages);
    }

    #[test]
    fn runs_of_pages_are_as_long_as_they_can_be() {
        let runs: Vec<_> = page_runs(0b1110_0100_0000_1011).collect();
        assert_eq!(runs, [(0, 2), (3, 1), (10, 1), (13, 3)]);
    }
}
