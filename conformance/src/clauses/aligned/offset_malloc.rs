//! `void *_aligned_offset_malloc(size_t size, size_t alignment, size_t offset)`:
//! allocates a block that is aligned at an offset into it.

use super::super::histories::{self, Subject};
use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO};
use super::{
    BLOCKS, CHANGED, MISALIGNED, OFFSET_REALLOC, SIZES, THREE_OFFSETS, fill_check_and_free,
    is_aligned, too_large,
};
use crate::clause::Section::{Parameters, Remarks, ReturnValue};
use crate::clause::check::{ANY, BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::origins::{CALLS_HANDLER, SUCCESS_KEEPS_ERRNO};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_OFFSET_MALLOC: Routine = Routine {
    name: "_aligned_offset_malloc",
    page: &pages::ALIGNED_OFFSET_MALLOC,
};

pub(crate) static CLAUSES: &[Clause] = &[
    exported(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.exported",
        "the library exports _aligned_offset_malloc",
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.alignment",
        "_aligned_offset_malloc returns a block whose address plus the offset is a multiple of the alignment, for alignments from 1 byte to 1 MiB and offsets up to the last byte",
        stated(Parameters),
        &[&EACH_ALIGNMENT, &HISTORIES],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.large-alignment",
        "_aligned_offset_malloc returns a block whose address plus the offset is a multiple of the alignment, for alignments from 2 MiB to 64 MiB",
        derived(
            Parameters,
            "an alignment may be any power of two, and the page names no greatest one",
        ),
        &[&LARGE_ALIGNMENTS],
        &[none_of(MISALIGNED, BLOCKS), none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.blocks-are-disjoint",
        "_aligned_offset_malloc returns a block that shares no byte with another live block",
        derived(Remarks, "the returned pointer has no alias"),
        &[&EACH_ALIGNMENT, &HISTORIES],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.no-memory",
        "_aligned_offset_malloc returns NULL and sets errno to ENOMEM for a size over _HEAP_MAXREQ, and for a size that the system has no memory for",
        stated(Remarks).and(&pages::ALIGNED_OFFSET_MALLOC, ReturnValue),
        &[&TOO_LARGE],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.not-a-power-of-two",
        "_aligned_offset_malloc returns NULL and sets errno to EINVAL for an alignment that is not a power of two, 0 included",
        stated(Remarks),
        &[&WRONG_ALIGNMENT],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.not-a-power-of-two-calls-handler",
        "_aligned_offset_malloc calls the invalid parameter handler for an alignment that is not a power of two",
        CALLS_HANDLER,
        &[&WRONG_ALIGNMENT],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.offset-too-large",
        "_aligned_offset_malloc returns NULL and sets errno to EINVAL for an offset that is not 0 and not below the size",
        stated(Remarks),
        &[&WRONG_OFFSET],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.offset-too-large-calls-handler",
        "_aligned_offset_malloc calls the invalid parameter handler for an offset that is not 0 and not below the size",
        CALLS_HANDLER,
        &[&WRONG_OFFSET],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.success-keeps-errno",
        "_aligned_offset_malloc leaves errno and _doserrno unchanged when it succeeds",
        SUCCESS_KEEPS_ERRNO,
        &[&EACH_ALIGNMENT],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static EACH_ALIGNMENT: Case = Case::new(
    "aligned-offset-malloc-all",
    "allocates and fills blocks of eight sizes in each alignment from 1 byte to 1 MiB, at several offsets",
    |probe| {
        let mut blocks = Vec::new();
        let mut misaligned = 0;
        for alignment in ALIGNMENTS {
            probe.step(&format!("blocks aligned to {alignment}"))?;
            for size in SIZES {
                for offset in offsets(size) {
                    let arguments = format!("{size}, {alignment}, {offset}");
                    let block = probe.observe("_aligned_offset_malloc", &arguments, |crt| {
                        crt.aligned_offset_malloc(size, alignment, offset)
                    })?;
                    let block = block.ok_or(Stop::OutOfMemory(size))?;
                    misaligned += i64::from(!is_aligned(&block, alignment, offset));
                    blocks.push(block);
                }
            }
        }
        probe.fact(MISALIGNED, misaligned)?;
        fill_check_and_free(probe, blocks)
    },
);

static HISTORIES: Case = Case::new(
    "aligned-offset-malloc-histories",
    "allocates and fills blocks as large as their alignment, its multiples and their neighbours, up to 64 MiB, at three offsets, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::aligned(probe, &SUBJECT, THREE_OFFSETS, BLOCKS),
);

static LARGE_ALIGNMENTS: Case = Case::new(
    "aligned-offset-malloc-large-alignments",
    "allocates and fills blocks of several sizes in each alignment from 2 MiB to 64 MiB, at three offsets",
    |probe| histories::with_large_alignments(probe, &SUBJECT, THREE_OFFSETS, BLOCKS),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, rule| crt.aligned_offset_malloc(size, rule.alignment, rule.offset),
    resize: None,
    others: &[OFFSET_REALLOC],
    free: |crt, block| crt.aligned_free(block),
    zeroes: false,
    may_refuse: false,
};

static TOO_LARGE: Case = Case::new(
    "aligned-offset-malloc-no-memory",
    "requests more than _HEAP_MAXREQ, and more than any system has",
    |probe| refused(probe, too_large().map(|size| (size, 64, 8))),
);

static WRONG_ALIGNMENT: Case = Case::new(
    "aligned-offset-malloc-not-a-power-of-two",
    "sets an invalid parameter handler that returns, and requests the alignments 0, 3, 24, 48, 4097 and SIZE_MAX",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(
            probe,
            NOT_A_POWER_OF_TWO.map(|alignment| (100, alignment, 8)),
        )
    },
);

static WRONG_OFFSET: Case = Case::new(
    "aligned-offset-malloc-offset-too-large",
    "sets an invalid parameter handler that returns, and requests offsets equal to the size and greater",
    |probe| {
        probe.expect_invalid_parameters()?;
        let requests = [
            (100, 16, 100),
            (100, 16, 101),
            (8, 64, 4096),
            (100, 16, usize::MAX),
            (0, 16, 1),
        ];
        refused(probe, requests)
    },
);

/// Offsets into a block of this size.
fn offsets(size: usize) -> impl Iterator<Item = usize> {
    let some = [0, 1, 4, 8, 20, size / 2, size - 1];
    some.into_iter().filter(move |offset| *offset < size)
}

/// Makes requests that must fail: size, alignment, offset.
fn refused(
    probe: &mut Probe,
    requests: impl IntoIterator<Item = (usize, usize, usize)>,
) -> Result<(), Stop> {
    for (size, alignment, offset) in requests {
        let arguments = format!("{size:#x}, {alignment:#x}, {offset:#x}");
        probe.step(&format!("_aligned_offset_malloc({arguments})"))?;
        probe.observe("_aligned_offset_malloc", &arguments, |crt| {
            crt.aligned_offset_malloc(size, alignment, offset)
        })?;
    }
    Ok(())
}
