//! The sizes that the whole heap is built from.

use crate::bits::run;

/// Bytes in a span: 256 KiB. `reference/variants/narrow` has half as many, to
/// give the conformance suite a heap of another shape.
pub(crate) const SPAN_SIZE: usize = if cfg!(narrow_spans) { 128 } else { 256 } * 1024;

/// Bytes in a page of the heap. If the system's pages are larger, only whole
/// pages of the system go back to it ([`crate::os::idle_pages`]).
pub(crate) const PAGE_SIZE: usize = 4096;

/// Whether spans lie wherever the system has room ([`crate::scattered`]): on 32-bit
/// systems, whose addresses do not suffice for a window.
pub(crate) const SCATTERED: bool = usize::BITS == 32;

/// Number of pages in a span.
pub(crate) const SPAN_PAGES: usize = SPAN_SIZE / PAGE_SIZE;

/// One bit for each page of a span.
pub(crate) type PageMask = u64;
/// All pages of a span.
pub(crate) const ALL_PAGES: PageMask = run(0, SPAN_PAGES);

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
