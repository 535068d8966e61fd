//! An arena: one reservation of address space, cut into chunks of 64 spans.
//!
//! ```text
//! | chunk table | span records, 64 to a chunk | chunk 0 | chunk 1 | chunk 2 ...
//!   64 bytes      36 KiB to a chunk,            4 MiB of block pages each
//!   to a chunk    given back with its chunk
//! ```
//!
//! This is the only file that turns numbers into references; what it hands
//! out is checked against the arena's bounds.

use crate::os;
use crate::span::{Kind, SPAN_SIZE, Span, page_runs, pages_of};

/// Spans in a chunk: one bit each in a word.
pub const CHUNK_SPANS: usize = 64;
/// Bytes of block pages in a chunk.
pub const CHUNK_SIZE: usize = CHUNK_SPANS * SPAN_SIZE;
const RECORDS_SIZE: usize = CHUNK_SPANS * size_of::<Span>();

/// What is known of a chunk. All zeros is a chunk never used.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Chunk {
    /// Spans in use.
    pub used: u64,
    /// Spans in which something was freed since `_heapmin` last looked.
    pub touched: u64,
    /// Whether the records of this chunk are committed.
    pub(crate) has_records: bool,
    /// Whether a huge block has written to these pages, which the spans'
    /// records do not show.
    had_huge: bool,
    /// Bytes of this chunk that belong to a huge block; 0 if none does.
    pub huge_bytes: usize,
    /// Bytes of the whole huge block, in its first chunk; 0 in the others.
    pub huge_size: usize,
}

/// One reservation and its tables.
pub struct Arena {
    reserved_len: usize,
    /// Bytes in a page.
    pub page: usize,
    chunks: *mut Chunk,
    spans: *mut Span,
    blocks: *mut u8,
    chunk_count: usize,
    /// No chunk before this one has a free span.
    first_free: usize,
    /// No chunk from this one on was ever used.
    pub top: usize,
    /// Whether any chunk has something for `_heapmin` to look at.
    pub(crate) touched: bool,
}

impl Arena {
    /// Reserves an arena of `chunk_count` chunks; `None` if the system has no room for it.
    pub fn new(chunk_count: usize) -> Option<Arena> {
        let page = os::page_size();
        let blocks_len = chunk_count.checked_mul(CHUNK_SIZE)?;
        let table = (chunk_count * size_of::<Chunk>()).next_multiple_of(page);
        let records = (chunk_count * RECORDS_SIZE).next_multiple_of(page);
        // Spans are aligned to their size, which costs at most one of them.
        let len = blocks_len.checked_add(table + records + SPAN_SIZE)?;
        let reserved = os::reserve(len)?;
        // SAFETY: the table is the beginning of the reservation just made.
        if !unsafe { os::commit(reserved, table) } {
            // SAFETY: nothing in it is in use.
            unsafe { os::unreserve(reserved, len) };
            return None;
        }
        let spans = reserved.wrapping_add(table);
        let blocks = spans.wrapping_add(records);
        let pad = (blocks as usize).wrapping_neg() % SPAN_SIZE;
        Some(Arena {
            reserved_len: len,
            page,
            chunks: reserved.cast(),
            spans: spans.cast(),
            blocks: blocks.wrapping_add(pad),
            chunk_count,
            first_free: 0,
            top: 0,
            touched: false,
        })
    }

    /// The chunk with this index.
    pub fn chunk(&self, index: usize) -> &Chunk {
        assert!(index < self.chunk_count);
        // SAFETY: the table has `chunk_count` entries, is committed, and zeros are a valid entry.
        unsafe { &*self.chunks.add(index) }
    }

    pub(crate) fn chunk_mut(&mut self, index: usize) -> &mut Chunk {
        assert!(index < self.chunk_count);
        // SAFETY: as in `chunk`; `&mut self` makes the reference the only one.
        unsafe { &mut *self.chunks.add(index) }
    }

    /// The record of a span of a chunk that is in use.
    pub fn span(&self, index: usize) -> &Span {
        assert!(self.chunk(index / CHUNK_SPANS).has_records);
        // SAFETY: the chunk is in bounds and its records are committed; zeros are a valid record.
        unsafe { &*self.spans.add(index) }
    }

    /// The record of a span of a chunk that is in use, to change.
    pub fn span_mut(&mut self, index: usize) -> &mut Span {
        assert!(self.chunk(index / CHUNK_SPANS).has_records);
        // SAFETY: as in `span`; `&mut self` makes the reference the only one.
        unsafe { &mut *self.spans.add(index) }
    }

    /// The address of the first byte of a span.
    pub fn address(&self, span: usize) -> *mut u8 {
        self.blocks.wrapping_add(span * SPAN_SIZE)
    }

    /// Which span an address lies in, and how far from its beginning.
    pub fn find(&self, address: *const u8) -> Option<(usize, usize)> {
        let offset = (address as usize).checked_sub(self.blocks as usize)?;
        let span = offset / SPAN_SIZE;
        (span < self.top * CHUNK_SPANS).then_some((span, offset % SPAN_SIZE))
    }

    /// Whether a span is in use.
    pub fn is_used(&self, span: usize) -> bool {
        self.chunk(span / CHUNK_SPANS).used >> (span % CHUNK_SPANS) & 1 == 1
    }

    /// Takes `count` neighbouring free spans of one chunk, at the lowest
    /// address there is. `None` if no chunk has so many.
    pub fn take_spans(&mut self, count: usize) -> Option<usize> {
        let mut all_full = true;
        for index in self.first_free..self.chunk_count {
            let used = self.chunk(index).used;
            if used == !0 {
                continue;
            }
            if all_full {
                (self.first_free, all_full) = (index, false);
            }
            let Some(first) = find_run(!used, count) else {
                continue;
            };
            if !self.prepare_records(index) {
                return None;
            }
            self.chunk_mut(index).used |= run_mask(first, count);
            self.top = self.top.max(index + 1);
            return Some(index * CHUNK_SPANS + first);
        }
        None
    }

    /// Takes back spans that were taken together. What their pages hold is lost.
    pub fn give_spans(&mut self, first: usize, count: usize) {
        if count == 0 {
            return;
        }
        for span in first..first + count {
            self.span_mut(span).kind = Kind::Free;
        }
        let index = first / CHUNK_SPANS;
        let mask = run_mask(first % CHUNK_SPANS, count);
        let chunk = self.chunk_mut(index);
        chunk.used &= !mask;
        chunk.touched |= mask;
        self.first_free = self.first_free.min(index);
        self.touched = true;
    }

    /// Finds `count` neighbouring chunks in which nothing lives.
    pub fn find_chunks(&self, count: usize) -> Option<usize> {
        let mut run = 0;
        let last = (self.first_free..self.chunk_count).find(|&index| {
            let is_free = self.chunk(index).used == 0;
            run = if is_free { run + 1 } else { 0 };
            run == count
        })?;
        Some(last + 1 - count)
    }

    /// Takes free chunks for a huge block of `size` bytes and makes its pages
    /// usable. Says whether they may hold old bytes; `None` if the system refuses.
    pub fn take_chunks(&mut self, first: usize, size: usize) -> Option<bool> {
        let base = self.address(first * CHUNK_SPANS);
        // SAFETY: these chunks are ours and hold no block.
        if !unsafe { os::commit(base, size.next_multiple_of(self.page)) } {
            return None;
        }
        let chunks = first..first + size.div_ceil(CHUNK_SIZE);
        self.top = self.top.max(chunks.end);
        let mut old_bytes = false;
        for index in chunks {
            old_bytes |= self.chunk(index).had_huge || self.chunk(index).has_records;
            self.forget_resident_pages(index);
            let chunk = self.chunk_mut(index);
            (chunk.used, chunk.had_huge) = (!0, true);
        }
        self.set_huge_size(first, size);
        Some(old_bytes)
    }

    /// Gives a huge block a new size within its chunks, and makes its pages
    /// usable. Returns false, with nothing changed, if it does not fit there.
    pub fn resize_chunks(&mut self, first: usize, size: usize) -> bool {
        let old = self.chunk(first).huge_size;
        let (old_count, count) = (old.div_ceil(CHUNK_SIZE), size.div_ceil(CHUNK_SIZE));
        if count > old_count {
            return false;
        }
        let base = self.address(first * CHUNK_SPANS);
        // SAFETY: the block's own chunks.
        if !unsafe { os::commit(base, size.next_multiple_of(self.page)) } {
            return false;
        }
        self.set_huge_size(first, size);
        self.give_chunks(first + count, old_count - count);
        if size < old {
            self.chunk_mut(first + count - 1).touched = !0;
            self.touched = true;
        }
        true
    }

    fn set_huge_size(&mut self, first: usize, size: usize) {
        for nth in 0..size.div_ceil(CHUNK_SIZE) {
            let chunk = self.chunk_mut(first + nth);
            chunk.huge_bytes = (size - nth * CHUNK_SIZE).min(CHUNK_SIZE);
            chunk.huge_size = 0;
        }
        self.chunk_mut(first).huge_size = size;
    }

    /// Takes back chunks of a huge block.
    pub fn give_chunks(&mut self, first: usize, count: usize) {
        for index in first..first + count {
            let chunk = self.chunk_mut(index);
            (chunk.used, chunk.touched) = (0, !0);
            (chunk.huge_bytes, chunk.huge_size) = (0, 0);
        }
        self.first_free = self.first_free.min(first);
        self.touched = true;
    }

    /// Notes that a block was freed in a span, so that `_heapmin` looks there.
    pub fn touch(&mut self, span: usize) {
        self.chunk_mut(span / CHUNK_SPANS).touched |= 1 << (span % CHUNK_SPANS);
        self.touched = true;
    }

    /// Makes the pages usable in which the bytes from `offset` on lie.
    /// Says whether any of them may hold old bytes; `None` if the system refuses.
    pub fn make_resident(&mut self, span: usize, offset: usize, len: usize) -> Option<bool> {
        let pages = pages_of(offset, len, self.page);
        let missing = pages & !self.span(span).resident;
        if missing != 0 {
            for (first, count) in page_runs(missing) {
                let base = self.address(span).wrapping_add(first * self.page);
                // SAFETY: whole pages of a span of ours.
                if !unsafe { os::commit(base, count * self.page) } {
                    return None;
                }
            }
            self.span_mut(span).resident |= missing;
        }
        Some(missing != pages)
    }

    /// Makes a chunk's records say that none of its pages is resident.
    pub(crate) fn forget_resident_pages(&mut self, index: usize) {
        if self.chunk(index).has_records {
            for span in index * CHUNK_SPANS..(index + 1) * CHUNK_SPANS {
                if self.span(span).resident != 0 {
                    self.span_mut(span).resident = 0;
                }
            }
        }
    }

    /// The whole pages of records that describe this chunk and no other.
    /// Neighbours share a page where pages are larger than 4 KiB.
    pub(crate) fn own_records(&self, index: usize) -> (*mut u8, usize) {
        let start = (index * RECORDS_SIZE).next_multiple_of(self.page);
        let end = (index + 1) * RECORDS_SIZE / self.page * self.page;
        let base = self.spans.cast::<u8>().wrapping_add(start);
        (base, end.saturating_sub(start))
    }

    /// Makes a chunk's records usable, and true.
    fn prepare_records(&mut self, index: usize) -> bool {
        if !self.chunk(index).has_records {
            let start = index * RECORDS_SIZE / self.page * self.page;
            let end = ((index + 1) * RECORDS_SIZE).next_multiple_of(self.page);
            let base = self.spans.cast::<u8>().wrapping_add(start);
            // SAFETY: whole pages inside the table of records; what is committed already keeps its contents.
            if !unsafe { os::commit(base, end - start) } {
                return false;
            }
            self.chunk_mut(index).has_records = true;
        }
        if self.chunk(index).had_huge {
            for span in index * CHUNK_SPANS..(index + 1) * CHUNK_SPANS {
                if self.make_resident(span, 0, SPAN_SIZE).is_none() {
                    return false;
                }
            }
            self.chunk_mut(index).had_huge = false;
        }
        true
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the reservation is ours, and its owner drops it with all its blocks.
        unsafe { os::unreserve(self.chunks.cast(), self.reserved_len) };
    }
}

// SAFETY: an arena owns its reservation; nothing in it belongs to one thread.
unsafe impl Send for Arena {}

/// The bits of `count` spans from `first` on.
fn run_mask(first: usize, count: usize) -> u64 {
    (!0 >> (CHUNK_SPANS - count)) << first
}

/// The lowest place where `count` bits (1 to 64) are set one after another.
fn find_run(bits: u64, count: usize) -> Option<usize> {
    // Bit i of `starts` means: `have` bits are set from i on.
    let (mut starts, mut have) = (bits, 1);
    while have < count && starts != 0 {
        let step = have.min(count - have);
        starts &= starts >> step;
        have += step;
    }
    (starts != 0).then(|| starts.trailing_zeros() as usize)
}

// The sizes that the layout above promises.
const _: () = assert!(size_of::<Chunk>() == 64 && (cfg!(wide_spans) || RECORDS_SIZE == 36 * 1024));

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(!0, 64, Some(0))]
    #[case(!1, 64, None)]
    #[case(!1, 63, Some(1))]
    #[case(0b1011_0111, 3, Some(0))]
    #[case(0b1011_0110, 3, None)]
    #[case(0b1_1110_0110, 3, Some(5))]
    #[case(0, 1, None)]
    fn a_run_is_found_at_the_lowest_place(
        #[case] bits: u64,
        #[case] count: usize,
        #[case] place: Option<usize>,
    ) {
        assert_eq!(find_run(bits, count), place);
    }

    #[test]
    fn spans_do_not_overlap_and_come_back() {
        let mut arena = Arena::new(2).expect("8 MiB of address space");
        let small = arena.take_spans(1).unwrap();
        let large = arena.take_spans(10).unwrap();
        assert_eq!((small, large), (0, 1));
        arena.give_spans(small, 1);
        assert_eq!(arena.take_spans(1), Some(0));
        assert_eq!(arena.take_spans(60), Some(64));
        assert_eq!(arena.take_spans(60), None);
    }

    #[test]
    fn chunks_that_are_taken_are_not_found_again() {
        let mut arena = Arena::new(2).expect("8 MiB of address space");
        assert_eq!(arena.find_chunks(3), None);
        assert_eq!(arena.find_chunks(2), Some(0));
        assert_eq!(arena.take_chunks(0, 2 * CHUNK_SIZE), Some(false));
        assert_eq!(arena.find_chunks(1), None);
    }
}
