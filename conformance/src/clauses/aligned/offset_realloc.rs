//! `void *_aligned_offset_realloc(void *memblock, size_t size, size_t
//! alignment, size_t offset)`: a block that is aligned at an offset, in its
//! new size.

use super::super::exported::{LOAD, exported};
use super::super::sizes::{NOT_A_POWER_OF_TWO, NOT_TO_BE_HAD, OVER_MAXREQ};
use super::{BLOCKS, CHANGED, MISALIGNED, NewBytes, Offsets, resize_all};
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 9] = [
    &EXPORTED,
    &ALIGNMENT,
    &KEEPS_CONTENTS,
    &NULL_ACTS_AS_ALIGNED_OFFSET_MALLOC,
    &ZERO_SIZE_GIVES_NULL,
    &NO_MEMORY,
    &FAILURE_KEEPS_BLOCK,
    &NOT_POWER_OF_TWO,
    &OFFSET_TOO_LARGE,
];

static EXPORTED: Clause = Clause {
    id: "aligned-offset-realloc.exported",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "the library exports _aligned_offset_realloc",
    expects: "the loader finds a routine named _aligned_offset_realloc",
    cases: &[&LOAD],
    judge: exported,
};

static ALIGNMENT: Clause = Clause {
    id: "aligned-offset-realloc.alignment",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "the resized block is aligned at the offset as it was",
    expects: "no block misaligned, for alignments from 1 to 1 MiB",
    cases: &[&RESIZE],
    judge: |seen| none_of(seen, MISALIGNED, BLOCKS),
};

static KEEPS_CONTENTS: Clause = Clause {
    id: "aligned-offset-realloc.keeps-contents",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "the contents are unchanged up to the shorter of the new and old sizes",
    expects: "every byte as written",
    cases: &[&RESIZE],
    judge: |seen| none_of(seen, CHANGED, BLOCKS),
};

static NULL_ACTS_AS_ALIGNED_OFFSET_MALLOC: Clause = Clause {
    id: "aligned-offset-realloc.null-acts-as-aligned-offset-malloc",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "without a block it calls _aligned_offset_malloc",
    expects: "a block, errno kept",
    cases: &[&NULL],
    judge: |seen| {
        let calls = every("_aligned_offset_realloc");
        calls.gives_a_block().keeps_errno().judge(seen)
    },
};

static ZERO_SIZE_GIVES_NULL: Clause = Clause {
    id: "aligned-offset-realloc.zero-size-gives-null",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "size 0 frees the block and gives NULL, which is no failure",
    expects: "NULL, errno kept",
    cases: &[&ZERO],
    judge: |seen| {
        let calls = every("_aligned_offset_realloc");
        calls.gives_null().keeps_errno().judge(seen)
    },
};

static NO_MEMORY: Clause = Clause {
    id: "aligned-offset-realloc.no-memory",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc, _HEAP_MAXREQ",
    summary: "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
    expects: "NULL, errno ENOMEM",
    cases: &[&TOO_MUCH],
    judge: |seen| {
        let calls = every("_aligned_offset_realloc");
        calls.gives_null().sets_errno("ENOMEM").judge(seen)
    },
};

static FAILURE_KEEPS_BLOCK: Clause = Clause {
    id: "aligned-offset-realloc.failure-keeps-block",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "when it fails, the original block is unchanged",
    expects: "every byte as written, after each kind of failure",
    cases: &[&TOO_MUCH, &ODD, &FAR],
    judge: |seen| none_of(seen, CHANGED, BLOCKS),
};

static NOT_POWER_OF_TWO: Clause = Clause {
    id: "aligned-offset-realloc.not-a-power-of-two",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "an alignment that is not a power of two, 0 included, calls the invalid parameter handler and gives NULL and EINVAL",
    expects: "the handler called, NULL, errno EINVAL",
    cases: &[&ODD],
    judge: |seen| {
        let calls = every("_aligned_offset_realloc").calls_the_handler();
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static OFFSET_TOO_LARGE: Clause = Clause {
    id: "aligned-offset-realloc.offset-too-large",
    routine: "_aligned_offset_realloc",
    level: Level::Must,
    page: "_aligned_offset_realloc",
    summary: "an offset that is not 0 and not below the new size calls the invalid parameter handler and gives NULL and EINVAL",
    expects: "the handler called, NULL, errno EINVAL",
    cases: &[&FAR],
    judge: |seen| {
        let calls = every("_aligned_offset_realloc").calls_the_handler();
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

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

static NULL: Case = Case::new(
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
        let sizes = OVER_MAXREQ.into_iter().chain(NOT_TO_BE_HAD);
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
