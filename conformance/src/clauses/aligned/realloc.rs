//! `void *_aligned_realloc(void *memblock, size_t size, size_t alignment)`:
//! an aligned block in its new size.

use super::super::sizes::{NOT_A_POWER_OF_TWO, OVER_MAXREQ, UNAVAILABLE};
use super::{BLOCKS, CHANGED, MISALIGNED, NewBytes, Offsets, SIZES, resize_all};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_REALLOC: Routine = Routine {
    name: "_aligned_realloc",
    page: &pages::ALIGNED_REALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _aligned_realloc
    // EXPECTED: the loader finds a routine named _aligned_realloc
    exported(
        ALIGNED_REALLOC,
        "aligned-realloc.exported",
        "the library exports _aligned_realloc",
    ),
    // PAGE: _aligned_realloc
    // EXPECTED: no block misaligned, for alignments from 1 to 1 MiB
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.alignment",
        "the resized block is aligned as it was",
        stated(Remarks),
        &[&RESIZE],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    // PAGE: _aligned_realloc
    // EXPECTED: every byte as written
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.keeps-contents",
        "the contents are unchanged up to the shorter of the new and old sizes",
        stated(Remarks),
        &[&RESIZE],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _aligned_realloc
    // EXPECTED: a block, errno kept
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.null-acts-as-aligned-malloc",
        "without a block it allocates one",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(BLOCK.keeps_errno())],
    ),
    // PAGE: _aligned_realloc
    // EXPECTED: NULL, errno kept
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.zero-size-gives-null",
        "size 0 frees the block and gives NULL, which is no failure",
        stated(Remarks),
        &[&ZERO],
        &[every_call(NULL.keeps_errno())],
    ),
    // PAGE: _aligned_realloc, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.no-memory",
        "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
        stated(Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: _aligned_realloc
    // EXPECTED: every byte as written
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.failure-keeps-block",
        "when there is not enough memory, the original block is unchanged",
        stated(Remarks),
        &[&TOO_MUCH],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _aligned_realloc
    // EXPECTED: NULL, errno EINVAL
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.not-a-power-of-two",
        "an alignment that is not a power of two, 0 included, gives NULL and EINVAL",
        stated(Remarks),
        &[&ODD],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    // PAGE: _aligned_realloc, Parameter validation
    // EXPECTED: the handler called
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.not-a-power-of-two-calls-handler",
        "an alignment that is not a power of two calls the invalid parameter handler first",
        stated(Remarks),
        &[&ODD],
        &[every_call(ANY.calls_the_handler())],
    ),
];

static RESIZE: Case = Case::new(
    "aligned-realloc-resize",
    "resizes a block of each alignment from 1 to 1 MiB through eight sizes and back",
    |probe| {
        resize_all(
            probe,
            Offsets::None,
            NewBytes::Anything,
            |crt, block, size, alignment, _| crt.aligned_realloc(block, size, alignment),
        )
    },
);

static OF_NULL: Case = Case::new(
    "aligned-realloc-null",
    "calls _aligned_realloc without a block, for several sizes",
    null,
);

static ZERO: Case = Case::new(
    "aligned-realloc-zero-size",
    "resizes aligned blocks to 0",
    zero,
);

static TOO_MUCH: Case = Case::new(
    "aligned-realloc-no-memory",
    "resizes an aligned block to more than _HEAP_MAXREQ, and to more than any system has",
    too_much,
);

static ODD: Case = Case::new(
    "aligned-realloc-not-a-power-of-two",
    "sets an invalid parameter handler that goes on, and resizes a block with alignments that are not powers of two",
    odd,
);

fn null(probe: &mut Probe) -> Result<(), Stop> {
    for size in SIZES {
        let arguments = format!("NULL, {size}, 64");
        probe.step(&format!("_aligned_realloc({arguments})"))?;
        let given = probe.observe("_aligned_realloc", &arguments, |crt| {
            crt.aligned_realloc(Block::null(), size, 64)
        })?;
        if let Ok(mut block) = given {
            block.fill(1);
            probe.crt.aligned_free(block)?;
        }
    }
    Ok(())
}

fn zero(probe: &mut Probe) -> Result<(), Stop> {
    for size in SIZES {
        let block = need(probe, size, 64)?;
        probe.step(&format!("resize {size} bytes to 0"))?;
        let given = probe.observe("_aligned_realloc", "block, 0, 64", |crt| {
            crt.aligned_realloc(block, 0, 64)
        })?;
        if let Ok(block) = given {
            probe.crt.aligned_free(block)?;
        }
    }
    Ok(())
}

fn too_much(probe: &mut Probe) -> Result<(), Stop> {
    let mut block = need(probe, 3000, 64)?;
    block.fill(1);
    let mut changed = 0;
    for size in OVER_MAXREQ.into_iter().chain(UNAVAILABLE) {
        let arguments = format!("block, {size:#x}, 64");
        probe.step(&format!("_aligned_realloc({arguments})"))?;
        let given = probe.observe("_aligned_realloc", &arguments, |crt| {
            crt.aligned_realloc(block, size, 64)
        })?;
        block = given.unwrap_or_else(|block| block).with_size(3000);
        changed += block.lost_bytes(1);
    }
    probe.crt.aligned_free(block)?;
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(BLOCKS, 1)
}

fn odd(probe: &mut Probe) -> Result<(), Stop> {
    // The least alignment: with a greater one it is chance whether a library
    // that takes 0 for an alignment finds the block where it expects it.
    let mut block = need(probe, 100, 8)?;
    probe.expect_invalid_parameters()?;
    for alignment in NOT_A_POWER_OF_TWO {
        let arguments = format!("block, 200, {alignment:#x}");
        probe.step(&format!("_aligned_realloc({arguments})"))?;
        let given = probe.observe("_aligned_realloc", &arguments, |crt| {
            crt.aligned_realloc(block, 200, alignment)
        })?;
        block = given.unwrap_or_else(|block| block);
    }
    probe.crt.aligned_free(block)
}

fn need(probe: &Probe, size: usize, alignment: usize) -> Result<Block, Stop> {
    let block = probe.crt.aligned_malloc(size, alignment)?;
    block.ok_or(Stop::OutOfMemory(size))
}
