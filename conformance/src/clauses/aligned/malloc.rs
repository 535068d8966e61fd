//! `void *_aligned_malloc(size_t size, size_t alignment)`: allocates a block
//! whose address is a multiple of the alignment.

use super::super::histories::{self, Subject};
use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO};
use super::{
    BLOCKS, CHANGED, MISALIGNED, NO_OFFSET, REALLOC, SIZES, fill_check_and_free, is_aligned,
    too_large,
};
use crate::clause::Section::{Parameters, Remarks, ReturnValue};
use crate::clause::check::{ANY, BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::origins::{CALLS_HANDLER, SUCCESS_KEEPS_ERRNO};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_MALLOC: Routine = Routine {
    name: "_aligned_malloc",
    page: &pages::ALIGNED_MALLOC,
};

pub(crate) static CLAUSES: &[Clause] = &[
    exported(
        ALIGNED_MALLOC,
        "aligned-malloc.exported",
        "the library exports _aligned_malloc",
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.alignment",
        "_aligned_malloc returns an address that is a multiple of the alignment, for alignments from 1 byte to 1 MiB",
        stated(ReturnValue),
        &[&EACH_ALIGNMENT, &HISTORIES],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.large-alignment",
        "_aligned_malloc returns an address that is a multiple of the alignment, for alignments from 2 MiB to 64 MiB",
        derived(
            Parameters,
            "an alignment may be any power of two, and the page names no greatest one",
        ),
        &[&LARGE_ALIGNMENTS],
        &[none_of(MISALIGNED, BLOCKS), none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.blocks-are-disjoint",
        "_aligned_malloc returns a block that shares no byte with another live block",
        derived(Remarks, "the returned pointer has no alias"),
        &[&EACH_ALIGNMENT, &HISTORIES],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.no-memory",
        "_aligned_malloc returns NULL and sets errno to ENOMEM for a size over _HEAP_MAXREQ, and for a size that the system has no memory for",
        stated(Remarks).and(&pages::ALIGNED_MALLOC, ReturnValue),
        &[&TOO_LARGE],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.not-a-power-of-two",
        "_aligned_malloc returns NULL and sets errno to EINVAL for an alignment that is not a power of two, 0 included",
        stated(Remarks),
        &[&WRONG_ALIGNMENT],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.not-a-power-of-two-calls-handler",
        "_aligned_malloc calls the invalid parameter handler for an alignment that is not a power of two",
        CALLS_HANDLER,
        &[&WRONG_ALIGNMENT],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.zero-size",
        "_aligned_malloc returns NULL and sets errno to EINVAL for size 0",
        stated(Remarks),
        &[&ZERO_SIZE],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.zero-size-calls-handler",
        "_aligned_malloc calls the invalid parameter handler for size 0",
        CALLS_HANDLER,
        &[&ZERO_SIZE],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.success-keeps-errno",
        "_aligned_malloc leaves errno and _doserrno unchanged when it succeeds",
        SUCCESS_KEEPS_ERRNO,
        &[&EACH_ALIGNMENT],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static EACH_ALIGNMENT: Case = Case::new(
    "aligned-malloc-all",
    "allocates and fills blocks of eight sizes in each alignment from 1 byte to 1 MiB",
    |probe| {
        let mut blocks = Vec::new();
        let mut misaligned = 0;
        for alignment in ALIGNMENTS {
            probe.step(&format!("blocks aligned to {alignment}"))?;
            for size in SIZES {
                let arguments = format!("{size}, {alignment}");
                let block = probe.observe("_aligned_malloc", &arguments, |crt| {
                    crt.aligned_malloc(size, alignment)
                })?;
                let block = block.ok_or(Stop::OutOfMemory(size))?;
                misaligned += i64::from(!is_aligned(&block, alignment, 0));
                blocks.push(block);
            }
        }
        probe.fact(MISALIGNED, misaligned)?;
        fill_check_and_free(probe, blocks)
    },
);

static HISTORIES: Case = Case::new(
    "aligned-malloc-histories",
    "allocates and fills blocks as large as their alignment, its multiples and their neighbours, up to 64 MiB, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::aligned(probe, &SUBJECT, NO_OFFSET, BLOCKS),
);

static LARGE_ALIGNMENTS: Case = Case::new(
    "aligned-malloc-large-alignments",
    "allocates and fills blocks of several sizes in each alignment from 2 MiB to 64 MiB",
    |probe| histories::with_large_alignments(probe, &SUBJECT, NO_OFFSET, BLOCKS),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, rule| crt.aligned_malloc(size, rule.alignment),
    resize: None,
    others: &[REALLOC],
    free: |crt, block| crt.aligned_free(block),
    zeroes: false,
    may_refuse: false,
};

static TOO_LARGE: Case = Case::new(
    "aligned-malloc-no-memory",
    "requests more than _HEAP_MAXREQ, and more than any system has",
    |probe| {
        for size in too_large() {
            for alignment in [16, 4096, 1 << 20] {
                request(probe, &format!("{size:#x}, {alignment}"), size, alignment)?;
            }
        }
        Ok(())
    },
);

static WRONG_ALIGNMENT: Case = Case::new(
    "aligned-malloc-not-a-power-of-two",
    "sets an invalid parameter handler that returns, and requests the alignments 0, 3, 24, 48, 4097 and SIZE_MAX",
    |probe| {
        probe.expect_invalid_parameters()?;
        for alignment in NOT_A_POWER_OF_TWO {
            request(probe, &format!("100, {alignment:#x}"), 100, alignment)?;
        }
        Ok(())
    },
);

static ZERO_SIZE: Case = Case::new(
    "aligned-malloc-zero-size",
    "sets an invalid parameter handler that returns, and requests 0 bytes in several alignments",
    |probe| {
        probe.expect_invalid_parameters()?;
        for alignment in [1, 16, 4096] {
            if let Some(block) = request(probe, &format!("0, {alignment}"), 0, alignment)? {
                probe.crt.aligned_free(block)?;
            }
        }
        Ok(())
    },
);

/// Calls `_aligned_malloc` in a step that names the arguments.
fn request(
    probe: &mut Probe,
    arguments: &str,
    size: usize,
    alignment: usize,
) -> Result<Option<Block>, Stop> {
    probe.step(&format!("_aligned_malloc({arguments})"))?;
    probe.observe("_aligned_malloc", arguments, |crt| {
        crt.aligned_malloc(size, alignment)
    })
}
