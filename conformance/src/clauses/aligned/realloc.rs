//! `void *_aligned_realloc(void *memblock, size_t size, size_t alignment)`:
//! an aligned block in its new size.

use super::super::exported::{LOAD, exported};
use super::super::sizes::{NOT_A_POWER_OF_TWO, NOT_TO_BE_HAD, OVER_MAXREQ};
use super::{BLOCKS, CHANGED, MISALIGNED, NewBytes, Offsets, SIZES, resize_all};
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 9] = [
    &EXPORTED,
    &ALIGNMENT,
    &KEEPS_CONTENTS,
    &NULL_ACTS_AS_ALIGNED_MALLOC,
    &ZERO_SIZE_GIVES_NULL,
    &NO_MEMORY,
    &FAILURE_KEEPS_BLOCK,
    &NOT_POWER_OF_TWO,
    &NOT_POWER_OF_TWO_CALLS_HANDLER,
];

static EXPORTED: Clause = Clause {
    id: "aligned-realloc.exported",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc",
    summary: "the library exports _aligned_realloc",
    expects: "the loader finds a routine named _aligned_realloc",
    cases: &[&LOAD],
    judge: exported,
};

static ALIGNMENT: Clause = Clause {
    id: "aligned-realloc.alignment",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc",
    summary: "the resized block is aligned as it was",
    expects: "no block misaligned, for alignments from 1 to 1 MiB",
    cases: &[&RESIZE],
    judge: |seen| none_of(seen, MISALIGNED, BLOCKS),
};

static KEEPS_CONTENTS: Clause = Clause {
    id: "aligned-realloc.keeps-contents",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc",
    summary: "the contents are unchanged up to the shorter of the new and old sizes",
    expects: "every byte as written",
    cases: &[&RESIZE],
    judge: |seen| none_of(seen, CHANGED, BLOCKS),
};

static NULL_ACTS_AS_ALIGNED_MALLOC: Clause = Clause {
    id: "aligned-realloc.null-acts-as-aligned-malloc",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc",
    summary: "without a block it allocates one",
    expects: "a block, errno kept",
    cases: &[&NULL],
    judge: |seen| {
        let calls = every("_aligned_realloc");
        calls.gives_a_block().keeps_errno().judge(seen)
    },
};

static ZERO_SIZE_GIVES_NULL: Clause = Clause {
    id: "aligned-realloc.zero-size-gives-null",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc",
    summary: "size 0 frees the block and gives NULL, which is no failure",
    expects: "NULL, errno kept",
    cases: &[&ZERO],
    judge: |seen| {
        let calls = every("_aligned_realloc");
        calls.gives_null().keeps_errno().judge(seen)
    },
};

static NO_MEMORY: Clause = Clause {
    id: "aligned-realloc.no-memory",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc, _HEAP_MAXREQ",
    summary: "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
    expects: "NULL, errno ENOMEM",
    cases: &[&TOO_MUCH],
    judge: |seen| {
        let calls = every("_aligned_realloc");
        calls.gives_null().sets_errno("ENOMEM").judge(seen)
    },
};

static FAILURE_KEEPS_BLOCK: Clause = Clause {
    id: "aligned-realloc.failure-keeps-block",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc",
    summary: "when there is not enough memory, the original block is unchanged",
    expects: "every byte as written",
    cases: &[&TOO_MUCH],
    judge: |seen| none_of(seen, CHANGED, BLOCKS),
};

static NOT_POWER_OF_TWO: Clause = Clause {
    id: "aligned-realloc.not-a-power-of-two",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc",
    summary: "an alignment that is not a power of two, 0 included, gives NULL and EINVAL",
    expects: "NULL, errno EINVAL",
    cases: &[&ODD],
    judge: |seen| {
        let calls = every("_aligned_realloc");
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static NOT_POWER_OF_TWO_CALLS_HANDLER: Clause = Clause {
    id: "aligned-realloc.not-a-power-of-two-calls-handler",
    routine: "_aligned_realloc",
    level: Level::Must,
    page: "_aligned_realloc, Parameter validation",
    summary: "an alignment that is not a power of two calls the invalid parameter handler first",
    expects: "the handler called",
    cases: &[&ODD],
    judge: |seen| every("_aligned_realloc").calls_the_handler().judge(seen),
};

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

static NULL: Case = Case::new(
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
    for size in OVER_MAXREQ.into_iter().chain(NOT_TO_BE_HAD) {
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
