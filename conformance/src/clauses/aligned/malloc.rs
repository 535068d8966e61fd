//! `void *_aligned_malloc(size_t size, size_t alignment)`: a block whose
//! address is a multiple of the alignment.

use super::super::exported::{LOAD, exported};
use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO, NOT_TO_BE_HAD, OVER_MAXREQ};
use super::{BLOCKS, CHANGED, MISALIGNED, SIZES, fill_check_and_free, is_aligned};
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
    &ZERO_SIZE,
    &ZERO_SIZE_CALLS_HANDLER,
    &KEEPS_ERRNO,
];

static EXPORTED: Clause = Clause {
    id: "aligned-malloc.exported",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc",
    summary: "the library exports _aligned_malloc",
    expects: "the loader finds a routine named _aligned_malloc",
    cases: &[&LOAD],
    judge: exported,
};

static ALIGNMENT: Clause = Clause {
    id: "aligned-malloc.alignment",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc",
    summary: "the address is a multiple of the alignment, from 1 to 1 MiB",
    expects: "no block misaligned",
    cases: &[&ALL],
    judge: |seen| none_of(seen, MISALIGNED, BLOCKS),
};

static DISJOINT: Clause = Clause {
    id: "aligned-malloc.blocks-are-disjoint",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc",
    summary: "each block has its bytes for itself",
    expects: "every byte of blocks of all alignments and sizes as written when all were written",
    cases: &[&ALL],
    judge: |seen| none_of(seen, CHANGED, BLOCKS),
};

static NO_MEMORY: Clause = Clause {
    id: "aligned-malloc.no-memory",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc, _HEAP_MAXREQ",
    summary: "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
    expects: "NULL, errno ENOMEM, also where size and alignment together overflow",
    cases: &[&TOO_MUCH],
    judge: |seen| {
        let calls = every("_aligned_malloc");
        calls.gives_null().sets_errno("ENOMEM").judge(seen)
    },
};

static NOT_POWER_OF_TWO: Clause = Clause {
    id: "aligned-malloc.not-a-power-of-two",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc",
    summary: "an alignment that is not a power of two, 0 included, gives NULL and EINVAL",
    expects: "NULL, errno EINVAL",
    cases: &[&ODD],
    judge: |seen| {
        let calls = every("_aligned_malloc");
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static NOT_POWER_OF_TWO_CALLS_HANDLER: Clause = Clause {
    id: "aligned-malloc.not-a-power-of-two-calls-handler",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc, Parameter validation",
    summary: "an alignment that is not a power of two calls the invalid parameter handler first",
    expects: "the handler called",
    cases: &[&ODD],
    judge: |seen| every("_aligned_malloc").calls_the_handler().judge(seen),
};

static ZERO_SIZE: Clause = Clause {
    id: "aligned-malloc.zero-size",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc",
    summary: "a request for 0 bytes gives NULL and EINVAL",
    expects: "NULL, errno EINVAL",
    cases: &[&ZERO],
    judge: |seen| {
        let calls = every("_aligned_malloc");
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static ZERO_SIZE_CALLS_HANDLER: Clause = Clause {
    id: "aligned-malloc.zero-size-calls-handler",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "_aligned_malloc, Parameter validation",
    summary: "a request for 0 bytes calls the invalid parameter handler first",
    expects: "the handler called",
    cases: &[&ZERO],
    judge: |seen| every("_aligned_malloc").calls_the_handler().judge(seen),
};

static KEEPS_ERRNO: Clause = Clause {
    id: "aligned-malloc.success-keeps-errno",
    routine: "_aligned_malloc",
    level: Level::Must,
    page: "errno",
    summary: "a request that succeeds leaves errno and _doserrno as they were",
    expects: "a block, errno and _doserrno as before",
    cases: &[&ALL],
    judge: |seen| {
        let calls = every("_aligned_malloc");
        calls.gives_a_block().keeps_errno().judge(seen)
    },
};

static ALL: Case = Case::new(
    "aligned-malloc-all",
    "asks for blocks of eight sizes in each alignment from 1 to 1 MiB, and fills them",
    all,
);

static TOO_MUCH: Case = Case::new(
    "aligned-malloc-no-memory",
    "asks for more than _HEAP_MAXREQ, and for more than any system has",
    too_much,
);

static ODD: Case = Case::new(
    "aligned-malloc-not-a-power-of-two",
    "sets an invalid parameter handler that goes on, and asks for 0, 3, 24, 48, 4097 and the greatest number as alignment",
    odd,
);

static ZERO: Case = Case::new(
    "aligned-malloc-zero-size",
    "sets an invalid parameter handler that goes on, and asks for 0 bytes in several alignments",
    zero,
);

fn all(probe: &mut Probe) -> Result<(), Stop> {
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
}

fn too_much(probe: &mut Probe) -> Result<(), Stop> {
    for size in OVER_MAXREQ.into_iter().chain(NOT_TO_BE_HAD) {
        for alignment in [16, 4096, 1 << 20] {
            let arguments = format!("{size:#x}, {alignment}");
            probe.step(&format!("_aligned_malloc({arguments})"))?;
            probe.observe("_aligned_malloc", &arguments, |crt| {
                crt.aligned_malloc(size, alignment)
            })?;
        }
    }
    Ok(())
}

fn odd(probe: &mut Probe) -> Result<(), Stop> {
    probe.expect_invalid_parameters()?;
    for alignment in NOT_A_POWER_OF_TWO {
        let arguments = format!("100, {alignment:#x}");
        probe.step(&format!("_aligned_malloc({arguments})"))?;
        probe.observe("_aligned_malloc", &arguments, |crt| {
            crt.aligned_malloc(100, alignment)
        })?;
    }
    Ok(())
}

fn zero(probe: &mut Probe) -> Result<(), Stop> {
    probe.expect_invalid_parameters()?;
    for alignment in [1, 16, 4096] {
        let arguments = format!("0, {alignment}");
        probe.step(&format!("_aligned_malloc({arguments})"))?;
        let given = probe.observe("_aligned_malloc", &arguments, |crt| {
            crt.aligned_malloc(0, alignment)
        })?;
        if let Some(block) = given {
            probe.crt.aligned_free(block)?;
        }
    }
    Ok(())
}
