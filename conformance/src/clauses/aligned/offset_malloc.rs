//! `void *_aligned_offset_malloc(size_t size, size_t alignment, size_t offset)`:
//! a block that is aligned at an offset into it.

use super::super::exported::{LOAD, exported};
use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO, NOT_TO_BE_HAD, OVER_MAXREQ};
use super::{BLOCKS, CHANGED, MISALIGNED, SIZES, fill_check_and_free, is_aligned, offsets};
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 9] = [
    &EXPORTED,
    &ALIGNMENT,
    &DISJOINT,
    &NO_MEMORY,
    &NOT_POWER_OF_TWO,
    &NOT_POWER_OF_TWO_CALLS_HANDLER,
    &OFFSET_TOO_LARGE,
    &OFFSET_TOO_LARGE_CALLS_HANDLER,
    &KEEPS_ERRNO,
];

static EXPORTED: Clause = Clause {
    id: "aligned-offset-malloc.exported",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc",
    summary: "the library exports _aligned_offset_malloc",
    expects: "the loader finds a routine named _aligned_offset_malloc",
    cases: &[&LOAD],
    judge: exported,
};

static ALIGNMENT: Clause = Clause {
    id: "aligned-offset-malloc.alignment",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc",
    summary: "the address is a multiple of the alignment at the offset into the block",
    expects: "no block misaligned, for alignments from 1 to 1 MiB and offsets from 0 to the last byte",
    cases: &[&ALL],
    judge: |seen| none_of(seen, MISALIGNED, BLOCKS),
};

static DISJOINT: Clause = Clause {
    id: "aligned-offset-malloc.blocks-are-disjoint",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc",
    summary: "each block has its bytes for itself",
    expects: "every byte as written when all were written",
    cases: &[&ALL],
    judge: |seen| none_of(seen, CHANGED, BLOCKS),
};

static NO_MEMORY: Clause = Clause {
    id: "aligned-offset-malloc.no-memory",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc, _HEAP_MAXREQ",
    summary: "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
    expects: "NULL, errno ENOMEM",
    cases: &[&TOO_MUCH],
    judge: |seen| {
        let calls = every("_aligned_offset_malloc");
        calls.gives_null().sets_errno("ENOMEM").judge(seen)
    },
};

static NOT_POWER_OF_TWO: Clause = Clause {
    id: "aligned-offset-malloc.not-a-power-of-two",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc",
    summary: "an alignment that is not a power of two, 0 included, gives NULL and EINVAL",
    expects: "NULL, errno EINVAL",
    cases: &[&ODD],
    judge: |seen| {
        let calls = every("_aligned_offset_malloc");
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static NOT_POWER_OF_TWO_CALLS_HANDLER: Clause = Clause {
    id: "aligned-offset-malloc.not-a-power-of-two-calls-handler",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc, Parameter validation",
    summary: "an alignment that is not a power of two calls the invalid parameter handler first",
    expects: "the handler called",
    cases: &[&ODD],
    judge: |seen| {
        every("_aligned_offset_malloc")
            .calls_the_handler()
            .judge(seen)
    },
};

static OFFSET_TOO_LARGE: Clause = Clause {
    id: "aligned-offset-malloc.offset-too-large",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc",
    summary: "an offset that is not 0 and not below the size gives NULL and EINVAL",
    expects: "NULL, errno EINVAL",
    cases: &[&FAR],
    judge: |seen| {
        let calls = every("_aligned_offset_malloc");
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static OFFSET_TOO_LARGE_CALLS_HANDLER: Clause = Clause {
    id: "aligned-offset-malloc.offset-too-large-calls-handler",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "_aligned_offset_malloc, Parameter validation",
    summary: "an offset that is not 0 and not below the size calls the invalid parameter handler first",
    expects: "the handler called",
    cases: &[&FAR],
    judge: |seen| {
        every("_aligned_offset_malloc")
            .calls_the_handler()
            .judge(seen)
    },
};

static KEEPS_ERRNO: Clause = Clause {
    id: "aligned-offset-malloc.success-keeps-errno",
    routine: "_aligned_offset_malloc",
    level: Level::Must,
    page: "errno",
    summary: "a request that succeeds leaves errno and _doserrno as they were",
    expects: "a block, errno and _doserrno as before",
    cases: &[&ALL],
    judge: |seen| {
        let calls = every("_aligned_offset_malloc");
        calls.gives_a_block().keeps_errno().judge(seen)
    },
};

static ALL: Case = Case::new(
    "aligned-offset-malloc-all",
    "asks for blocks of eight sizes in each alignment from 1 to 1 MiB at several offsets, and fills them",
    all,
);

static TOO_MUCH: Case = Case::new(
    "aligned-offset-malloc-no-memory",
    "asks for more than _HEAP_MAXREQ, and for more than any system has",
    |probe| {
        let sizes = OVER_MAXREQ.into_iter().chain(NOT_TO_BE_HAD);
        ask(probe, &sizes.map(|size| (size, 64, 8)).collect::<Vec<_>>())
    },
);

static ODD: Case = Case::new(
    "aligned-offset-malloc-not-a-power-of-two",
    "sets an invalid parameter handler that goes on, and asks for 0, 3, 24, 48, 4097 and the greatest number as alignment",
    |probe| {
        probe.expect_invalid_parameters()?;
        ask(
            probe,
            &NOT_A_POWER_OF_TWO.map(|alignment| (100, alignment, 8)),
        )
    },
);

static FAR: Case = Case::new(
    "aligned-offset-malloc-offset-too-large",
    "sets an invalid parameter handler that goes on, and asks for offsets at the end of the block and behind it",
    |probe| {
        probe.expect_invalid_parameters()?;
        ask(
            probe,
            &[
                (100, 16, 100),
                (100, 16, 101),
                (8, 64, 4096),
                (100, 16, usize::MAX),
                (0, 16, 1),
            ],
        )
    },
);

fn all(probe: &mut Probe) -> Result<(), Stop> {
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
}

/// Makes requests that must fail: size, alignment, offset.
fn ask(probe: &mut Probe, requests: &[(usize, usize, usize)]) -> Result<(), Stop> {
    for &(size, alignment, offset) in requests {
        let arguments = format!("{size:#x}, {alignment:#x}, {offset:#x}");
        probe.step(&format!("_aligned_offset_malloc({arguments})"))?;
        probe.observe("_aligned_offset_malloc", &arguments, |crt| {
            crt.aligned_offset_malloc(size, alignment, offset)
        })?;
    }
    Ok(())
}
