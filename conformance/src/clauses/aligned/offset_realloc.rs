//! `void *_aligned_offset_realloc(void *memblock, size_t size, size_t
//! alignment, size_t offset)`: a block that is aligned at an offset, in its
//! new size.

use super::super::sizes::{NOT_A_POWER_OF_TWO, OVER_MAXREQ, UNAVAILABLE};
use super::{BLOCKS, CHANGED, MISALIGNED, NewBytes, Offsets, resize_all};
use crate::clause::Section::Remarks;
use crate::clause::check::{BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_OFFSET_REALLOC: Routine = Routine {
    name: "_aligned_offset_realloc",
    page: &pages::ALIGNED_OFFSET_REALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _aligned_offset_realloc
    // EXPECTED: the loader finds a routine named _aligned_offset_realloc
    exported(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.exported",
        "the library exports _aligned_offset_realloc",
    ),
    // PAGE: _aligned_offset_realloc
    // EXPECTED: no block misaligned, for alignments from 1 to 1 MiB
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.alignment",
        "the resized block is aligned at the offset as it was",
        stated(Remarks),
        &[&RESIZE],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    // PAGE: _aligned_offset_realloc
    // EXPECTED: every byte as written
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.keeps-contents",
        "the contents are unchanged up to the shorter of the new and old sizes",
        stated(Remarks),
        &[&RESIZE],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _aligned_offset_realloc
    // EXPECTED: a block, errno kept
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.null-acts-as-aligned-offset-malloc",
        "without a block it calls _aligned_offset_malloc",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(BLOCK.keeps_errno())],
    ),
    // PAGE: _aligned_offset_realloc
    // EXPECTED: NULL, errno kept
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.zero-size-gives-null",
        "size 0 frees the block and gives NULL, which is no failure",
        stated(Remarks),
        &[&ZERO],
        &[every_call(NULL.keeps_errno())],
    ),
    // PAGE: _aligned_offset_realloc, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.no-memory",
        "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
        stated(Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: _aligned_offset_realloc
    // EXPECTED: every byte as written, after each kind of failure
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.failure-keeps-block",
        "when it fails, the original block is unchanged",
        stated(Remarks),
        &[&TOO_MUCH, &ODD, &FAR],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _aligned_offset_realloc
    // EXPECTED: the handler called, NULL, errno EINVAL
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.not-a-power-of-two",
        "an alignment that is not a power of two, 0 included, calls the invalid parameter handler and gives NULL and EINVAL",
        stated(Remarks),
        &[&ODD],
        &[every_call(NULL.calls_the_handler().sets_errno("EINVAL"))],
    ),
    // PAGE: _aligned_offset_realloc
    // EXPECTED: the handler called, NULL, errno EINVAL
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.offset-too-large",
        "an offset that is not 0 and not below the new size calls the invalid parameter handler and gives NULL and EINVAL",
        stated(Remarks),
        &[&FAR],
        &[every_call(NULL.calls_the_handler().sets_errno("EINVAL"))],
    ),
];

static RESIZE: Case = Case::new(
    "aligned-offset-realloc-resize",
    "resizes blocks of each alignment from 1 to 1 MiB, at three offsets, through eight sizes and back",
    |probe| {
        resize_all(
            probe,
            Offsets::Some,
            NewBytes::Anything,
            |crt, block, size, alignment, offset| {
                crt.aligned_offset_realloc(block, size, alignment, offset)
            },
        )
    },
);

static OF_NULL: Case = Case::new(
    "aligned-offset-realloc-null",
    "calls _aligned_offset_realloc without a block",
    |probe| {
        let given = probe.observe("_aligned_offset_realloc", "NULL, 1000, 64, 8", |crt| {
            crt.aligned_offset_realloc(Block::null(), 1000, 64, 8)
        })?;
        given.map_or(Ok(()), |block| probe.crt.aligned_free(block))
    },
);

static ZERO: Case = Case::new(
    "aligned-offset-realloc-zero-size",
    "resizes a block that is aligned at an offset to 0",
    |probe| {
        let block = need(probe, 64)?;
        let given = probe.observe("_aligned_offset_realloc", "block, 0, 64, 0", |crt| {
            crt.aligned_offset_realloc(block, 0, 64, 0)
        })?;
        given.map_or(Ok(()), |block| probe.crt.aligned_free(block))
    },
);

static TOO_MUCH: Case = Case::new(
    "aligned-offset-realloc-no-memory",
    "resizes a block to more than _HEAP_MAXREQ, and to more than any system has",
    |probe| {
        let sizes = OVER_MAXREQ.into_iter().chain(UNAVAILABLE);
        refused(
            probe,
            64,
            &sizes.map(|size| (size, 64, 8)).collect::<Vec<_>>(),
        )
    },
);

static ODD: Case = Case::new(
    "aligned-offset-realloc-not-a-power-of-two",
    "sets an invalid parameter handler that goes on, and resizes a block with alignments that are not powers of two",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(
            probe,
            LEAST,
            &NOT_A_POWER_OF_TWO.map(|alignment| (2000, alignment, 8)),
        )
    },
);

static FAR: Case = Case::new(
    "aligned-offset-realloc-offset-too-large",
    "sets an invalid parameter handler that goes on, and resizes a block with offsets at its end and behind it",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(
            probe,
            64,
            &[(100, 64, 100), (100, 64, 101), (100, 64, usize::MAX)],
        )
    },
);

const SIZE: usize = 1000;
/// With a greater alignment it is chance whether a library that takes 0 for
/// one finds the block where it expects it.
const LEAST: usize = 8;

/// Makes requests that must fail, of one block: size, alignment, offset.
fn refused(
    probe: &mut Probe,
    aligned_to: usize,
    requests: &[(usize, usize, usize)],
) -> Result<(), Stop> {
    let mut block = need(probe, aligned_to)?;
    block.fill(1);
    let mut changed = 0;
    for &(size, alignment, offset) in requests {
        let arguments = format!("block, {size:#x}, {alignment:#x}, {offset:#x}");
        probe.step(&format!("_aligned_offset_realloc({arguments})"))?;
        let given = probe.observe("_aligned_offset_realloc", &arguments, |crt| {
            crt.aligned_offset_realloc(block, size, alignment, offset)
        })?;
        // A block that should not have come has what fits of the old one.
        let still = SIZE.min(size);
        block = given.unwrap_or_else(|block| block.with_size(SIZE));
        changed += block.lost_bytes_of(1, still);
    }
    probe.crt.aligned_free(block)?;
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(BLOCKS, 1)
}

fn need(probe: &Probe, alignment: usize) -> Result<Block, Stop> {
    let block = probe.crt.aligned_offset_malloc(SIZE, alignment, 8)?;
    block.ok_or(Stop::OutOfMemory(SIZE))
}
