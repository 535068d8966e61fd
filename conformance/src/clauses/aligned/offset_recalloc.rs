//! `void *_aligned_offset_recalloc(void *memblock, size_t num, size_t size,
//! size_t alignment, size_t offset)`: changes the size of a block that is
//! aligned at an offset into it; the new bytes are 0.

use super::super::histories::{self, Subject};
use super::super::sizes::{NOT_A_POWER_OF_TWO, OVERFLOWING};
use super::{
    BLOCKS, CHANGED, MISALIGNED, NOT_ZERO, NewBytes, OFFSET_REALLOC, THREE_OFFSETS, need_at,
    resize_all,
};
use crate::clause::Section::{Introduction, Parameters, Remarks};
use crate::clause::check::{NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_OFFSET_RECALLOC: Routine = Routine {
    name: "_aligned_offset_recalloc",
    page: &pages::ALIGNED_OFFSET_RECALLOC,
};

pub(crate) static CLAUSES: &[Clause] = &[
    exported(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.exported",
        "the library exports _aligned_offset_recalloc",
    ),
    must(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.new-bytes-zero",
        "_aligned_offset_recalloc sets the bytes that it adds to a block to 0",
        derived(
            Introduction,
            "the routine initialises the memory to 0, which this suite reads as the added bytes only",
        ),
        &[&RESIZE, &HISTORIES],
        &[none_of(NOT_ZERO, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.alignment",
        "_aligned_offset_recalloc returns a block whose address plus the offset is a multiple of the alignment, for alignments from 1 byte to 1 MiB",
        stated(Remarks),
        &[&RESIZE, &HISTORIES],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.large-alignment",
        "_aligned_offset_recalloc returns a block whose address plus the offset is a multiple of the alignment, for alignments from 2 MiB to 64 MiB",
        derived(
            Parameters,
            "an alignment may be any power of two, and the page names no greatest one",
        ),
        &[&LARGE_ALIGNMENTS],
        &[none_of(MISALIGNED, BLOCKS), none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.keeps-contents",
        "_aligned_offset_recalloc keeps the contents of the block up to the smaller of the old and the new size, and all of them when it fails",
        derived(
            Introduction,
            "the routine changes the size of a block, which keeps the contents in realloc",
        )
        .and(&pages::REALLOC, Remarks),
        &[&RESIZE, &OVERFLOWS, &HISTORIES],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.overflow",
        "_aligned_offset_recalloc returns NULL and sets errno to ENOMEM when the product of number and size overflows, and never returns a smaller block",
        derived(
            Remarks,
            "a product that overflows is a request over _HEAP_MAXREQ",
        ),
        &[&OVERFLOWS],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.not-a-power-of-two",
        "_aligned_offset_recalloc calls the invalid parameter handler, returns NULL and sets errno to EINVAL for an alignment that is not a power of two, 0 included",
        stated(Remarks),
        &[&WRONG_ALIGNMENT],
        &[every_call(NULL.calls_the_handler().sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_OFFSET_RECALLOC,
        "aligned-offset-recalloc.offset-too-large",
        "_aligned_offset_recalloc calls the invalid parameter handler, returns NULL and sets errno to EINVAL for an offset that is not 0 and not below the new size",
        stated(Remarks),
        &[&WRONG_OFFSET],
        &[every_call(NULL.calls_the_handler().sets_errno("EINVAL"))],
    ),
];

static RESIZE: Case = Case::new(
    "aligned-offset-recalloc-resize",
    "resizes blocks of each alignment from 1 byte to 1 MiB, at three offsets, through eight sizes and back",
    |probe| {
        resize_all(
            probe,
            THREE_OFFSETS,
            NewBytes::Zero,
            |crt, block, size, alignment, offset| {
                crt.aligned_offset_recalloc(block, size, 1, alignment, offset)
            },
        )
    },
);

static HISTORIES: Case = Case::new(
    "aligned-offset-recalloc-histories",
    "shrinks and grows blocks as large as their alignment, its multiples and their neighbours, up to 64 MiB, at three offsets, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::aligned(probe, &SUBJECT, THREE_OFFSETS, BLOCKS),
);

static LARGE_ALIGNMENTS: Case = Case::new(
    "aligned-offset-recalloc-large-alignments",
    "shrinks and grows blocks of several sizes in each alignment from 2 MiB to 64 MiB, at three offsets",
    |probe| histories::with_large_alignments(probe, &SUBJECT, THREE_OFFSETS, BLOCKS),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, rule| {
        Ok(crt
            .aligned_offset_recalloc(Block::null(), size, 1, rule.alignment, rule.offset)?
            .ok())
    },
    resize: Some(|crt, block, size, rule| {
        crt.aligned_offset_recalloc(block, size, 1, rule.alignment, rule.offset)
    }),
    others: &[OFFSET_REALLOC],
    free: |crt, block| crt.aligned_free(block),
    zeroes: true,
    may_refuse: false,
};

static OVERFLOWS: Case = Case::new(
    "aligned-offset-recalloc-overflow",
    "resizes a block to products that overflow",
    |probe| refused(probe, &OVERFLOWING.map(|(number, size)| (number, size, 64))),
);

static WRONG_ALIGNMENT: Case = Case::new(
    "aligned-offset-recalloc-not-a-power-of-two",
    "sets an invalid parameter handler that returns, and resizes a block with the alignments 0, 3, 24, 48, 4097 and SIZE_MAX",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(
            probe,
            &NOT_A_POWER_OF_TWO.map(|alignment| (250, 8, alignment)),
        )
    },
);

static WRONG_OFFSET: Case = Case::new(
    "aligned-offset-recalloc-offset-too-large",
    "sets an invalid parameter handler that returns, and resizes a block to sizes that do not exceed the offset",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(probe, &[(1, 8, 64), (1, 3, 64)])
    },
);

const SIZE: usize = 1000;
const OFFSET: usize = 8;

/// Makes requests that must fail, each with a new block: number, size, alignment.
fn refused(probe: &mut Probe, requests: &[(usize, usize, usize)]) -> Result<(), Stop> {
    let mut changed = 0;
    for &(number, size, alignment) in requests {
        let mut block = need_at(probe, SIZE, 64, OFFSET)?;
        block.fill(1);
        let arguments = format!("block, {number:#x}, {size:#x}, {alignment:#x}, {OFFSET}");
        probe.step(&format!("_aligned_offset_recalloc({arguments})"))?;
        let given = probe.observe("_aligned_offset_recalloc", &arguments, |crt| {
            crt.aligned_offset_recalloc(block, number, size, alignment, OFFSET)
        })?;
        if let Err(kept) = given {
            changed += kept.lost_bytes(1);
            probe.crt.aligned_free(kept)?;
        }
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(BLOCKS, requests.len() as i64)
}
