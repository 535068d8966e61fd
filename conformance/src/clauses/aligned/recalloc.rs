//! `void *_aligned_recalloc(void *memblock, size_t num, size_t size, size_t
//! alignment)`: `_aligned_realloc` whose new bytes are zero.

use super::super::sizes::{NOT_A_POWER_OF_TWO, OVERFLOWING};
use super::{BLOCKS, CHANGED, MISALIGNED, NOT_ZERO, NewBytes, Offsets, resize_all};
use crate::clause::Section::Remarks;
use crate::clause::check::{NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_RECALLOC: Routine = Routine {
    name: "_aligned_recalloc",
    page: &pages::ALIGNED_RECALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _aligned_recalloc
    // EXPECTED: the loader finds a routine named _aligned_recalloc
    exported(
        ALIGNED_RECALLOC,
        "aligned-recalloc.exported",
        "the library exports _aligned_recalloc",
    ),
    // PAGE: _aligned_recalloc
    // EXPECTED: every byte behind the old size 0, also without an old block
    must(
        ALIGNED_RECALLOC,
        "aligned-recalloc.new-bytes-zero",
        "the elements that are added are initialised to 0",
        stated(Remarks),
        &[&RESIZE],
        &[none_of(NOT_ZERO, BLOCKS)],
    ),
    // PAGE: _aligned_recalloc
    // EXPECTED: no block misaligned, for alignments from 1 to 1 MiB
    must(
        ALIGNED_RECALLOC,
        "aligned-recalloc.alignment",
        "the resized block is aligned as it was",
        stated(Remarks),
        &[&RESIZE],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    // PAGE: _aligned_recalloc
    // EXPECTED: every byte as written
    must(
        ALIGNED_RECALLOC,
        "aligned-recalloc.keeps-contents",
        "the contents are unchanged up to the shorter of the new and old sizes, and all of them if it fails",
        stated(Remarks),
        &[&RESIZE, &OVERFLOWS],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _aligned_recalloc
    // EXPECTED: NULL, errno ENOMEM
    must(
        ALIGNED_RECALLOC,
        "aligned-recalloc.overflow",
        "a product of number and size that overflows gives NULL and ENOMEM, never a smaller block",
        stated(Remarks),
        &[&OVERFLOWS],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: _aligned_recalloc
    // EXPECTED: the handler called, NULL, errno EINVAL
    must(
        ALIGNED_RECALLOC,
        "aligned-recalloc.not-a-power-of-two",
        "an alignment that is not a power of two, 0 included, calls the invalid parameter handler and gives NULL and EINVAL",
        stated(Remarks),
        &[&ODD],
        &[every_call(NULL.calls_the_handler().sets_errno("EINVAL"))],
    ),
];

static RESIZE: Case = Case::new(
    "aligned-recalloc-resize",
    "resizes a block of each alignment from 1 to 1 MiB through eight sizes and back",
    |probe| {
        resize_all(
            probe,
            Offsets::None,
            NewBytes::Zero,
            |crt, block, size, alignment, _| crt.aligned_recalloc(block, size, 1, alignment),
        )
    },
);

static OVERFLOWS: Case = Case::new(
    "aligned-recalloc-overflow",
    "resizes a block to products that overflow",
    |probe| refused(probe, &OVERFLOWING.map(|(number, size)| (number, size, 64))),
);

static ODD: Case = Case::new(
    "aligned-recalloc-not-a-power-of-two",
    "sets an invalid parameter handler that goes on, and resizes a block with alignments that are not powers of two",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(
            probe,
            &NOT_A_POWER_OF_TWO.map(|alignment| (250, 8, alignment)),
        )
    },
);

const SIZE: usize = 1000;

/// Makes requests that must fail, of one block: number, size, alignment.
fn refused(probe: &mut Probe, requests: &[(usize, usize, usize)]) -> Result<(), Stop> {
    let mut changed = 0;
    for &(number, size, alignment) in requests {
        let block = probe.crt.aligned_malloc(SIZE, 64)?;
        let mut block = block.ok_or(Stop::OutOfMemory(SIZE))?;
        block.fill(1);
        let arguments = format!("block, {number:#x}, {size:#x}, {alignment:#x}");
        probe.step(&format!("_aligned_recalloc({arguments})"))?;
        let given: Result<Block, Block> =
            probe.observe("_aligned_recalloc", &arguments, |crt| {
                crt.aligned_recalloc(block, number, size, alignment)
            })?;
        if let Err(kept) = given {
            changed += kept.lost_bytes(1);
            probe.crt.aligned_free(kept)?;
        }
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(BLOCKS, requests.len() as i64)
}
