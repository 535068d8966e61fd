//! The bytes of a script's block: written and checked whole, or in parts if the block is
//! large.

use crate::probe::crt::Block;
use std::ops::Range;

/// The size up to which every byte is written and checked, in bytes.
const WHOLE: usize = 8 << 20;
/// Of a larger block: the bytes at its beginning and at its end that are used.
const EDGE: usize = 256 << 10;
/// Of a larger block: one page in this many bytes between them is used.
const STRIDE: usize = 64 << 10;
const PAGE: usize = 4096;

/// The parts of a block of this size that are written and checked.
///
/// They begin at multiples of the length of a pattern, so the pattern of a part is that of
/// the whole block.
fn parts(size: usize) -> impl Iterator<Item = Range<usize>> {
    let (first, last) = match size {
        0..=WHOLE => (0, 0),
        _ => (EDGE, (size - EDGE) / PAGE * PAGE),
    };
    let between = (first..last).step_by(STRIDE);
    let between = between.map(move |start| start..last.min(start + PAGE));
    let (start, end) = (0..first, last..size);
    std::iter::once(start)
        .chain(between)
        .chain(std::iter::once(end))
}

fn part(block: &Block, part: Range<usize>) -> Block {
    Block::at(block.address() + part.start, part.len())
}

/// Writes a pattern to the first `extent` bytes of a block.
pub(super) fn write(block: &Block, extent: usize, seed: u64) {
    for range in parts(extent) {
        part(block, range).fill(seed);
    }
}

/// The number of bytes among the first `count` that differ from the pattern that [`write`]
/// wrote to the first `extent` bytes.
pub(super) fn lost(block: &Block, extent: usize, seed: u64, count: usize) -> u64 {
    let kept = parts(extent).map(|range| range.start.min(count)..range.end.min(count));
    let lost = kept.map(|range| part(block, range).lost_bytes(seed) as u64);
    lost.sum()
}

/// The number of bytes from index `from` to the end of a block that are not zero.
pub(super) fn not_zero(block: &Block, from: usize) -> u64 {
    let new = parts(block.size().saturating_sub(from));
    let new = new.map(|range| part(block, from + range.start..from + range.end));
    new.map(|part| part.bytes_other_than(0, 0) as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0)]
    #[case(1, 1)]
    #[case(WHOLE, WHOLE)]
    // Two edges and a page for each stride between them.
    #[case(64 << 20, 2 * EDGE + (64 * 16 - 8) * PAGE)]
    #[case((64 << 20) + 1, 2 * EDGE + (64 * 16 - 8) * PAGE + 1)]
    fn parts_cover_a_block_whole_or_in_samples(#[case] size: usize, #[case] covered: usize) {
        assert_eq!(parts(size).map(|part| part.len()).sum::<usize>(), covered);
        let mut end = 0;
        for part in parts(size) {
            assert!(end <= part.start && part.start % 64 == 0, "{part:?}");
            end = part.end;
        }
        assert_eq!(end, size);
    }

    #[rstest]
    #[case(100)]
    #[case(WHOLE + 77)]
    fn the_bytes_of_a_block_are_as_written_until_one_changes(#[case] size: usize) {
        let mut memory = vec![0u8; size];
        let block = Block::at(memory.as_mut_ptr() as usize, size);
        assert_eq!(not_zero(&block, 0), 0);
        write(&block, size, 5);
        assert_eq!(lost(&block, size, 5, size), 0);
        assert!(lost(&block, size, 6, size) > 0);
        memory[size - 1] = 0;
        memory[3] = 0;
        assert_eq!(lost(&block, size, 5, size), 2);
        assert_eq!(lost(&block, size, 5, size - 1), 1);
        assert_eq!(lost(&block, size, 5, 3), 0);
        memory.fill(0);
        memory[size - 1] = 1;
        memory[50] = 1;
        assert_eq!(not_zero(&block, 50), 2);
        assert_eq!(not_zero(&block, 51), 1);
        assert_eq!(not_zero(&block, size + 5), 0);
    }
}
