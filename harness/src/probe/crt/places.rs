//! The bytes of a block that a case writes and reads.

use super::block::{Block, LINE};
use std::ops::Range;

/// The bytes that a case writes and reads in a block of any size: all bytes of a small
/// block. Of a large one, those around each size that the block gets, and a line in every
/// seventeenth page, since writing every page of 64 MiB takes too long.
pub struct Places {
    /// Disjoint and sorted. Each begins at a multiple of [`LINE`].
    ranges: Vec<Range<usize>>,
}

/// A block of at most this size is written whole, in bytes.
const WHOLE: usize = 256 << 10;
/// Distance of the lines in a large block, in bytes.
const STRIDE: usize = 17 * 4096;
/// The bytes on each side of a size.
const AROUND: usize = 8 << 10;

impl Places {
    /// The places in a block that gets these sizes, in bytes, one after the other.
    pub fn of(sizes: &[usize]) -> Places {
        let most = sizes.iter().copied().max().unwrap_or(0);
        if most <= WHOLE {
            let ranges = std::iter::once(0..most).collect();
            return Places { ranges };
        }
        let around = |size: usize| {
            let start = size.saturating_sub(AROUND) / LINE * LINE;
            start..size.saturating_add(AROUND).min(most)
        };
        let lines = (0..most).step_by(STRIDE).map(|at| at..at + LINE);
        let edges = [0].iter().chain(sizes).map(|size| around(*size));
        let mut all: Vec<Range<usize>> = lines.chain(edges).collect();
        all.sort_unstable_by_key(|range| range.start);
        let mut ranges: Vec<Range<usize>> = Vec::with_capacity(all.len());
        for range in all {
            match ranges.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => ranges.push(range),
            }
        }
        Places { ranges }
    }

    /// The parts of the places that lie in `inside`.
    fn inside(&self, inside: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let cut = move |it: &Range<usize>| it.start.max(inside.start)..it.end.min(inside.end);
        self.ranges.iter().map(cut).filter(|it| !it.is_empty())
    }
}

impl Block {
    /// Writes the places of the block. Each `seed` has another pattern, the one of
    /// [`Block::fill`].
    pub fn fill_places(&mut self, places: &Places, seed: u64) {
        for range in places.inside(0..self.size()) {
            Block::at(self.address() + range.start, range.len()).fill(seed);
        }
    }

    /// The number of bytes in the places, among the first `count`, that differ from what
    /// [`Block::fill_places`] wrote. Bytes after the block's end do not count.
    pub fn lost_in_places(&self, places: &Places, seed: u64, count: usize) -> usize {
        let parts = places.inside(0..count.min(self.size()));
        parts.map(|it| self.part(it).lost_bytes(seed)).sum()
    }

    /// The number of bytes in the places, from index `start` on, that differ from `value`.
    pub fn other_in_places(&self, places: &Places, value: u8, start: usize) -> usize {
        let parts = places.inside(start..self.size());
        parts
            .map(|it| self.part(it).bytes_other_than(value, 0))
            .sum()
    }

    fn part(&self, range: Range<usize>) -> Block {
        Block::at(self.address() + range.start, range.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_block_is_written_whole() {
        let places = Places::of(&[100, 300, 7]);
        assert!(places.ranges.iter().eq([&(0..300)]));
        let mut bytes = [0u8; 300];
        let mut block = Block::at(bytes.as_mut_ptr() as usize, bytes.len());
        block.fill_places(&places, 3);
        assert_eq!(block.lost_bytes(3), 0);
        block.write_byte(299, 0);
        assert_eq!(block.lost_in_places(&places, 3, 300), 1);
        assert_eq!(block.lost_in_places(&places, 3, 299), 0);
        assert_eq!(block.other_in_places(&places, 0, 290), 9);
    }

    #[test]
    fn a_large_block_is_written_around_its_sizes_and_in_lines() {
        let (less, size) = (700_001, 1_000_000);
        let places = Places::of(&[size, less]);
        let aligned = |range: &Range<usize>| range.start % LINE == 0;
        assert!(places.ranges.iter().all(aligned));
        assert!(
            places
                .ranges
                .windows(2)
                .all(|two| two[0].end < two[1].start)
        );
        let mut bytes = vec![0u8; size];
        let mut block = Block::at(bytes.as_mut_ptr() as usize, size);
        block.fill_places(&places, 5);
        let written = bytes.iter().filter(|byte| **byte != 0).count();
        assert!((32_000..64_000).contains(&written), "{written}");
        for offset in [0, STRIDE, less - 1, less, size - 1] {
            assert_ne!(bytes[offset], 0, "{offset}");
            block.write_byte(offset, 0);
        }
        assert_eq!(block.lost_in_places(&places, 5, size), 5);
        assert_eq!(block.lost_in_places(&places, 5, less), 3);
    }
}
