//! `void *_aligned_realloc(void *memblock, size_t size, size_t alignment)`:
//! changes the size of an aligned block.

use super::super::histories::{self, Subject};
use super::super::sizes::NOT_A_POWER_OF_TWO;
use super::{
    BLOCKS, CHANGED, LEAST_ALIGNMENT, MISALIGNED, NO_OFFSET, NewBytes, REALLOC, SIZES, need,
    resize_all, too_large,
};
use crate::clause::Section::{Introduction, Parameters, Remarks, ReturnValue};
use crate::clause::check::{ANY, BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::origins::CALLS_HANDLER;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_REALLOC: Routine = Routine {
    name: "_aligned_realloc",
    page: &pages::ALIGNED_REALLOC,
};

pub(crate) static CLAUSES: &[Clause] = &[
    exported(
        ALIGNED_REALLOC,
        "aligned-realloc.exported",
        "the library exports _aligned_realloc",
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.alignment",
        "_aligned_realloc returns an address that is a multiple of the alignment, for alignments from 1 byte to 1 MiB",
        derived(
            ReturnValue,
            "the alignment of a block must stay the same when it is resized",
        ),
        &[&RESIZE, &HISTORIES],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.large-alignment",
        "_aligned_realloc returns an address that is a multiple of the alignment, for alignments from 2 MiB to 64 MiB",
        derived(
            Parameters,
            "an alignment may be any power of two, and the page names no greatest one",
        ),
        &[&LARGE_ALIGNMENTS],
        &[none_of(MISALIGNED, BLOCKS), none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.keeps-contents",
        "_aligned_realloc keeps the contents of the block up to the smaller of the old and the new size",
        derived(
            Introduction,
            "the routine changes the size of a block, which keeps the contents in realloc",
        )
        .and(&pages::REALLOC, Remarks),
        &[&RESIZE, &HISTORIES],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.null-acts-as-aligned-malloc",
        "_aligned_realloc allocates a block when it is given NULL, and leaves errno and _doserrno unchanged",
        derived(
            ReturnValue,
            "size 0 gives NULL only with a block, and _aligned_offset_realloc allocates when it is given NULL",
        )
        .and(&pages::ALIGNED_OFFSET_REALLOC, Remarks),
        &[&WITHOUT_BLOCK],
        &[every_call(BLOCK.keeps_errno())],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.zero-size-gives-null",
        "_aligned_realloc frees the block and returns NULL for size 0, and leaves errno and _doserrno unchanged",
        derived(
            ReturnValue,
            "size 0 frees the block and gives NULL, and only an error sets errno",
        )
        .and(&pages::ERRNO, Remarks),
        &[&ZERO_SIZE],
        &[every_call(NULL.keeps_errno())],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.no-memory",
        "_aligned_realloc returns NULL and sets errno to ENOMEM for a size over _HEAP_MAXREQ, and for a size that the system has no memory for",
        stated(Remarks).and(&pages::ALIGNED_REALLOC, ReturnValue),
        &[&TOO_LARGE],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.failure-keeps-block",
        "_aligned_realloc leaves the block unchanged when there is not enough memory",
        stated(ReturnValue),
        &[&TOO_LARGE],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.not-a-power-of-two",
        "_aligned_realloc returns NULL and sets errno to EINVAL for an alignment that is not a power of two, 0 included",
        stated(Remarks),
        &[&WRONG_ALIGNMENT],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_REALLOC,
        "aligned-realloc.not-a-power-of-two-calls-handler",
        "_aligned_realloc calls the invalid parameter handler for an alignment that is not a power of two",
        CALLS_HANDLER,
        &[&WRONG_ALIGNMENT],
        &[every_call(ANY.calls_the_handler())],
    ),
];

static RESIZE: Case = Case::new(
    "aligned-realloc-resize",
    "resizes a block of each alignment from 1 byte to 1 MiB through eight sizes and back",
    |probe| {
        resize_all(
            probe,
            NO_OFFSET,
            NewBytes::Anything,
            |crt, block, size, alignment, _| crt.aligned_realloc(block, size, alignment),
        )
    },
);

static HISTORIES: Case = Case::new(
    "aligned-realloc-histories",
    "shrinks and grows blocks as large as their alignment, its multiples and their neighbours, up to 64 MiB, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::aligned(probe, &SUBJECT, NO_OFFSET, BLOCKS),
);

static LARGE_ALIGNMENTS: Case = Case::new(
    "aligned-realloc-large-alignments",
    "shrinks and grows blocks of several sizes in each alignment from 2 MiB to 64 MiB",
    |probe| histories::with_large_alignments(probe, &SUBJECT, NO_OFFSET, BLOCKS),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, rule| {
        Ok(crt
            .aligned_realloc(Block::null(), size, rule.alignment)?
            .ok())
    },
    resize: Some(REALLOC.1),
    others: &[REALLOC],
    free: |crt, block| crt.aligned_free(block),
    zeroes: false,
    may_refuse: false,
};

static WITHOUT_BLOCK: Case = Case::new(
    "aligned-realloc-null",
    "calls _aligned_realloc with NULL and several sizes",
    |probe| {
        for size in SIZES {
            let arguments = format!("NULL, {size}, 64");
            if let Ok(mut block) = resize(probe, &arguments, Block::null(), size, 64)? {
                block.fill(1);
                probe.crt.aligned_free(block)?;
            }
        }
        Ok(())
    },
);

static ZERO_SIZE: Case = Case::new(
    "aligned-realloc-zero-size",
    "resizes aligned blocks to 0 bytes",
    |probe| {
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
    },
);

static TOO_LARGE: Case = Case::new(
    "aligned-realloc-no-memory",
    "resizes an aligned block to more than _HEAP_MAXREQ, and to more than any system has",
    |probe| {
        let mut block = need(probe, 3000, 64)?;
        block.fill(1);
        let mut changed = 0;
        for size in too_large() {
            let arguments = format!("block, {size:#x}, 64");
            let given = resize(probe, &arguments, block, size, 64)?;
            block = given.unwrap_or_else(|block| block).with_size(3000);
            changed += block.lost_bytes(1);
        }
        probe.crt.aligned_free(block)?;
        probe.fact(CHANGED, changed as i64)?;
        probe.fact(BLOCKS, 1)
    },
);

static WRONG_ALIGNMENT: Case = Case::new(
    "aligned-realloc-not-a-power-of-two",
    "sets an invalid parameter handler that returns, and resizes a block with the alignments 0, 3, 24, 48, 4097 and SIZE_MAX",
    |probe| {
        let mut block = need(probe, 100, LEAST_ALIGNMENT)?;
        probe.expect_invalid_parameters()?;
        for alignment in NOT_A_POWER_OF_TWO {
            let arguments = format!("block, 200, {alignment:#x}");
            let given = resize(probe, &arguments, block, 200, alignment)?;
            block = given.unwrap_or_else(|block| block);
        }
        probe.crt.aligned_free(block)
    },
);

/// Calls `_aligned_realloc` in a step that names the arguments.
fn resize(
    probe: &mut Probe,
    arguments: &str,
    block: Block,
    size: usize,
    alignment: usize,
) -> Result<Result<Block, Block>, Stop> {
    probe.step(&format!("_aligned_realloc({arguments})"))?;
    probe.observe("_aligned_realloc", arguments, |crt| {
        crt.aligned_realloc(block, size, alignment)
    })
}
