//! `void *_aligned_offset_realloc(void *memblock, size_t size, size_t
//! alignment, size_t offset)`: changes the size of a block that is aligned at
//! an offset into it.

use super::super::histories::{self, Subject};
use super::super::sizes::NOT_A_POWER_OF_TWO;
use super::{
    BLOCKS, CHANGED, LEAST_ALIGNMENT, MISALIGNED, NewBytes, OFFSET_REALLOC, THREE_OFFSETS, need_at,
    resize_all, too_large,
};
use crate::clause::Section::{Introduction, Parameters, Remarks, ReturnValue};
use crate::clause::check::{BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_OFFSET_REALLOC: Routine = Routine {
    name: "_aligned_offset_realloc",
    page: &pages::ALIGNED_OFFSET_REALLOC,
};

pub(crate) static CLAUSES: &[Clause] = &[
    exported(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.exported",
        "the library exports _aligned_offset_realloc",
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.alignment",
        "_aligned_offset_realloc returns a block whose address plus the offset is a multiple of the alignment, for alignments from 1 byte to 1 MiB",
        stated(Remarks),
        &[&RESIZE, &HISTORIES],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.large-alignment",
        "_aligned_offset_realloc returns a block whose address plus the offset is a multiple of the alignment, for alignments from 2 MiB to 64 MiB",
        derived(
            Parameters,
            "an alignment may be any power of two, and the page names no greatest one",
        ),
        &[&LARGE_ALIGNMENTS],
        &[none_of(MISALIGNED, BLOCKS), none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.keeps-contents",
        "_aligned_offset_realloc keeps the contents of the block up to the smaller of the old and the new size",
        derived(
            Introduction,
            "the routine changes the size of a block, which keeps the contents in realloc",
        )
        .and(&pages::REALLOC, Remarks),
        &[&RESIZE, &HISTORIES],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.null-acts-as-aligned-offset-malloc",
        "_aligned_offset_realloc allocates a block when it is given NULL, and leaves errno and _doserrno unchanged",
        derived(
            Remarks,
            "the routine calls _aligned_offset_malloc when it is given NULL, and a call that succeeds does not clear errno",
        )
        .and(&pages::ERRNO, Remarks),
        &[&WITHOUT_BLOCK],
        &[every_call(BLOCK.keeps_errno())],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.zero-size-gives-null",
        "_aligned_offset_realloc frees the block and returns NULL for size 0, and leaves errno and _doserrno unchanged",
        derived(
            ReturnValue,
            "size 0 frees the block and gives NULL, and only an error sets errno",
        )
        .and(&pages::ERRNO, Remarks),
        &[&ZERO_SIZE],
        &[every_call(NULL.keeps_errno())],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.no-memory",
        "_aligned_offset_realloc returns NULL and sets errno to ENOMEM for a size over _HEAP_MAXREQ, and for a size that the system has no memory for",
        stated(Remarks).and(&pages::ALIGNED_OFFSET_REALLOC, ReturnValue),
        &[&TOO_LARGE],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.failure-keeps-block",
        "_aligned_offset_realloc leaves the block unchanged when it fails",
        derived(
            ReturnValue,
            "the block is unchanged when there is not enough memory, and the page names no change to it for an invalid argument",
        )
        .and(&pages::ALIGNED_OFFSET_REALLOC, Remarks),
        &[&TOO_LARGE, &WRONG_ALIGNMENT, &WRONG_OFFSET],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.not-a-power-of-two",
        "_aligned_offset_realloc calls the invalid parameter handler, returns NULL and sets errno to EINVAL for an alignment that is not a power of two, 0 included",
        stated(Remarks),
        &[&WRONG_ALIGNMENT],
        &[every_call(NULL.calls_the_handler().sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_OFFSET_REALLOC,
        "aligned-offset-realloc.offset-too-large",
        "_aligned_offset_realloc calls the invalid parameter handler, returns NULL and sets errno to EINVAL for an offset that is not 0 and not below the new size",
        stated(Remarks),
        &[&WRONG_OFFSET],
        &[every_call(NULL.calls_the_handler().sets_errno("EINVAL"))],
    ),
];

static RESIZE: Case = Case::new(
    "aligned-offset-realloc-resize",
    "resizes blocks of each alignment from 1 byte to 1 MiB, at three offsets, through eight sizes and back",
    |probe| {
        resize_all(
            probe,
            THREE_OFFSETS,
            NewBytes::Anything,
            |crt, block, size, alignment, offset| {
                crt.aligned_offset_realloc(block, size, alignment, offset)
            },
        )
    },
);

static HISTORIES: Case = Case::new(
    "aligned-offset-realloc-histories",
    "shrinks and grows blocks as large as their alignment, its multiples and their neighbours, up to 64 MiB, at three offsets, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::aligned(probe, &SUBJECT, THREE_OFFSETS, BLOCKS),
);

static LARGE_ALIGNMENTS: Case = Case::new(
    "aligned-offset-realloc-large-alignments",
    "shrinks and grows blocks of several sizes in each alignment from 2 MiB to 64 MiB, at three offsets",
    |probe| histories::with_large_alignments(probe, &SUBJECT, THREE_OFFSETS, BLOCKS),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, rule| {
        Ok(crt
            .aligned_offset_realloc(Block::null(), size, rule.alignment, rule.offset)?
            .ok())
    },
    resize: Some(OFFSET_REALLOC.1),
    others: &[OFFSET_REALLOC],
    free: |crt, block| crt.aligned_free(block),
    zeroes: false,
    may_refuse: false,
};

static WITHOUT_BLOCK: Case = Case::new(
    "aligned-offset-realloc-null",
    "calls _aligned_offset_realloc with NULL",
    |probe| {
        let given = probe.observe("_aligned_offset_realloc", "NULL, 1000, 64, 8", |crt| {
            crt.aligned_offset_realloc(Block::null(), SIZE, 64, OFFSET)
        })?;
        given.map_or(Ok(()), |block| probe.crt.aligned_free(block))
    },
);

static ZERO_SIZE: Case = Case::new(
    "aligned-offset-realloc-zero-size",
    "resizes a block that is aligned at an offset to 0 bytes",
    |probe| {
        let block = need_at(probe, SIZE, 64, OFFSET)?;
        let given = probe.observe("_aligned_offset_realloc", "block, 0, 64, 0", |crt| {
            crt.aligned_offset_realloc(block, 0, 64, 0)
        })?;
        given.map_or(Ok(()), |block| probe.crt.aligned_free(block))
    },
);

static TOO_LARGE: Case = Case::new(
    "aligned-offset-realloc-no-memory",
    "resizes a block to more than _HEAP_MAXREQ, and to more than any system has",
    |probe| refused(probe, 64, too_large().map(|size| (size, 64, OFFSET))),
);

static WRONG_ALIGNMENT: Case = Case::new(
    "aligned-offset-realloc-not-a-power-of-two",
    "sets an invalid parameter handler that returns, and resizes a block with the alignments 0, 3, 24, 48, 4097 and SIZE_MAX",
    |probe| {
        probe.expect_invalid_parameters()?;
        let requests = NOT_A_POWER_OF_TWO.map(|alignment| (2000, alignment, OFFSET));
        refused(probe, LEAST_ALIGNMENT, requests)
    },
);

static WRONG_OFFSET: Case = Case::new(
    "aligned-offset-realloc-offset-too-large",
    "sets an invalid parameter handler that returns, and resizes a block with offsets equal to the new size and greater",
    |probe| {
        probe.expect_invalid_parameters()?;
        let requests = [100, 101, usize::MAX].map(|offset| (100, 64, offset));
        refused(probe, 64, requests)
    },
);

const SIZE: usize = 1000;
const OFFSET: usize = 8;

/// Makes requests that must fail, with one block of this alignment: size,
/// alignment, offset.
fn refused(
    probe: &mut Probe,
    aligned_to: usize,
    requests: impl IntoIterator<Item = (usize, usize, usize)>,
) -> Result<(), Stop> {
    let mut block = need_at(probe, SIZE, aligned_to, OFFSET)?;
    block.fill(1);
    let mut changed = 0;
    for (size, alignment, offset) in requests {
        let arguments = format!("block, {size:#x}, {alignment:#x}, {offset:#x}");
        probe.step(&format!("_aligned_offset_realloc({arguments})"))?;
        let given = probe.observe("_aligned_offset_realloc", &arguments, |crt| {
            crt.aligned_offset_realloc(block, size, alignment, offset)
        })?;
        // If the request wrongly succeeds, the new block may be smaller.
        let still = SIZE.min(size);
        block = given.unwrap_or_else(|block| block.with_size(SIZE));
        changed += block.lost_bytes_of(1, still);
    }
    probe.crt.aligned_free(block)?;
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(BLOCKS, 1)
}
