//! The `_aligned_*` family: blocks whose address, or the address at an offset
//! into the block, is a multiple of an alignment. One file for each routine.

pub(super) mod free;
pub(super) mod malloc;
pub(super) mod msize;
pub(super) mod offset_malloc;
pub(super) mod offset_realloc;
pub(super) mod offset_recalloc;
pub(super) mod realloc;
pub(super) mod recalloc;

use super::histories::{CHANGED, MISALIGNED, NOT_ZERO, Resize};
use super::sizes::{ALIGNMENTS, OVER_MAXREQ, UNAVAILABLE};
use heapmin_harness::probe::crt::{Block, Crt};
use heapmin_harness::probe::{Probe, Stop};

const BLOCKS: &str = "blocks";

/// Sizes of the blocks that the cases allocate in each alignment.
const SIZES: [usize; 8] = [1, 8, 24, 100, 1000, 5000, 70_000, 1_100_000];

/// Sizes over `_HEAP_MAXREQ`, and sizes that no system has the memory for.
fn too_large() -> impl Iterator<Item = usize> {
    OVER_MAXREQ.into_iter().chain(UNAVAILABLE)
}

/// A block of `_aligned_malloc`.
fn need(probe: &Probe, size: usize, alignment: usize) -> Result<Block, Stop> {
    let block = probe.crt.aligned_malloc(size, alignment)?;
    block.ok_or(Stop::OutOfMemory(size))
}

/// A block of `_aligned_offset_malloc`.
fn need_at(probe: &Probe, size: usize, alignment: usize, offset: usize) -> Result<Block, Stop> {
    let block = probe.crt.aligned_offset_malloc(size, alignment, offset)?;
    block.ok_or(Stop::OutOfMemory(size))
}

/// The alignment of blocks that are resized with a wrong alignment. With a
/// greater one it is chance whether a library that accepts alignment 0 finds the
/// block where it expects it.
const LEAST_ALIGNMENT: usize = 8;

/// Whether the address at the offset into the block is a multiple of the alignment.
fn is_aligned(block: &Block, alignment: usize, offset: usize) -> bool {
    (block.address() + offset) % alignment == 0
}

/// Fills each block with its own pattern, then counts the bytes that changed,
/// records that, and frees the blocks.
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

/// Offsets of routines without that parameter.
const NO_OFFSET: &[usize] = &[0];
const THREE_OFFSETS: &[usize] = &[0, 8, 20];

/// Whether a routine promises that the bytes it adds to a block are 0.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NewBytes {
    Anything,
    Zero,
}

/// `_aligned_realloc` and `_aligned_offset_realloc`, to prepare memory and to make blocks
/// smaller.
const REALLOC: (&str, Resize) = ("_aligned_realloc", |crt, block, size, rule| {
    crt.aligned_realloc(block, size, rule.alignment)
});
const OFFSET_REALLOC: (&str, Resize) = ("_aligned_offset_realloc", |crt, block, size, rule| {
    crt.aligned_offset_realloc(block, size, rule.alignment, rule.offset)
});

/// Resizes one block of each alignment and offset through [`SIZES`] and back,
/// and records how many blocks were misaligned and how many bytes changed.
/// `resize` calls the routine with a block, a size, an alignment and an offset.
fn resize_all(
    probe: &mut Probe,
    offsets: &[usize],
    new_bytes: NewBytes,
    resize: impl Fn(&Crt, Block, usize, usize, usize) -> Result<Result<Block, Block>, Stop>,
) -> Result<(), Stop> {
    let (mut misaligned, mut changed, mut not_zero, mut count) = (0, 0, 0, 0);
    for alignment in ALIGNMENTS {
        probe.step(&format!("resize blocks aligned to {alignment}"))?;
        for &offset in offsets {
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
