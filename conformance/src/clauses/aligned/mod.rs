//! The `_aligned_*` family: blocks at addresses that are multiples of an
//! alignment, or are so at an offset into the block. A file for each routine.

pub mod free;
pub mod malloc;
pub mod msize;
pub mod offset_malloc;
pub mod offset_realloc;
pub mod offset_recalloc;
pub mod realloc;
pub mod recalloc;

use super::sizes::ALIGNMENTS;
use heapmin_harness::probe::crt::{Block, Crt};
use heapmin_harness::probe::{Probe, Stop};

const MISALIGNED: &str = "misaligned blocks";
const CHANGED: &str = "bytes changed";
const NOT_ZERO: &str = "bytes other than 0";
const BLOCKS: &str = "blocks";

/// Sizes that blocks of each alignment have in these cases.
const SIZES: [usize; 8] = [1, 8, 24, 100, 1000, 5000, 70_000, 1_100_000];

/// Whether a block is a multiple of the alignment at an offset.
fn is_aligned(block: &Block, alignment: usize, offset: usize) -> bool {
    (block.address() + offset) % alignment == 0
}

/// Offsets into a block of this size.
fn offsets(size: usize) -> impl Iterator<Item = usize> {
    let some = [0, 1, 4, 8, 20, size / 2, size - 1];
    some.into_iter().filter(move |offset| *offset < size)
}

/// Gives each block a pattern of its own, then looks whether all of them are
/// whole, reports that, and frees them.
fn fill_check_and_free(probe: &mut Probe, mut blocks: Vec<Block>) -> Result<(), Stop> {
    probe.step("fill all of them, read all of them, free all of them")?;
    for (index, block) in blocks.iter_mut().enumerate() {
        block.fill(index as u64);
    }
    let changed = blocks
        .iter()
        .enumerate()
        .map(|(index, block)| block.lost_bytes(index as u64));
    probe.fact(CHANGED, changed.sum::<usize>() as i64)?;
    probe.fact(BLOCKS, blocks.len() as i64)?;
    let crt = &probe.crt;
    blocks
        .into_iter()
        .try_for_each(|block| crt.aligned_free(block))
}

/// Whether a routine aligns at an offset.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Offsets {
    None,
    Some,
}

/// Whether a routine promises anything about bytes that are new.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NewBytes {
    Anything,
    Zero,
}

/// Resizes blocks of every alignment through several sizes, and reports what
/// was misaligned and what was lost. `resize` has the routine: block, size,
/// alignment, offset.
fn resize_all(
    probe: &mut Probe,
    offsets: Offsets,
    new_bytes: NewBytes,
    resize: impl Fn(&Crt, Block, usize, usize, usize) -> Result<Result<Block, Block>, Stop>,
) -> Result<(), Stop> {
    let (mut misaligned, mut changed, mut not_zero, mut count) = (0, 0, 0, 0);
    for alignment in ALIGNMENTS {
        probe.step(&format!("resize blocks aligned to {alignment}"))?;
        for offset in [0, 8, 20]
            .into_iter()
            .take(if offsets == Offsets::Some { 3 } else { 1 })
        {
            let sizes = SIZES.into_iter().chain(SIZES.into_iter().rev());
            let mut sizes = sizes.filter(|size| *size > offset);
            let first = sizes.next().unwrap_or(100);
            let given = resize(&probe.crt, Block::null(), first, alignment, offset)?;
            let mut block = given.map_err(|_| Stop::OutOfMemory(first))?;
            block.fill(0);
            for (step, size) in sizes.enumerate() {
                let old = block.size();
                let given = resize(&probe.crt, block, size, alignment, offset)?;
                block = given.map_err(|_| Stop::OutOfMemory(size))?;
                misaligned += i64::from(!is_aligned(&block, alignment, offset));
                changed += block.lost_bytes_of(step as u64, old.min(size));
                not_zero += block.bytes_other_than(0, old) as i64;
                count += 1;
                block.fill(step as u64 + 1);
            }
            probe.crt.aligned_free(block)?;
        }
    }
    probe.fact(MISALIGNED, misaligned)?;
    probe.fact(CHANGED, changed as i64)?;
    if new_bytes == NewBytes::Zero {
        probe.fact(NOT_ZERO, not_zero)?;
    }
    probe.fact(BLOCKS, count)
}
