//! `void *_aligned_malloc(size_t size, size_t alignment)`: a block whose
//! address is a multiple of the alignment.

use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO, OVER_MAXREQ, UNAVAILABLE};
use super::{BLOCKS, CHANGED, MISALIGNED, SIZES, fill_check_and_free, is_aligned};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_MALLOC: Routine = Routine {
    name: "_aligned_malloc",
    page: &pages::ALIGNED_MALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _aligned_malloc
    // EXPECTED: the loader finds a routine named _aligned_malloc
    exported(
        ALIGNED_MALLOC,
        "aligned-malloc.exported",
        "the library exports _aligned_malloc",
    ),
    // PAGE: _aligned_malloc
    // EXPECTED: no block misaligned
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.alignment",
        "the address is a multiple of the alignment, from 1 to 1 MiB",
        stated(Remarks),
        &[&ALL],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    // PAGE: _aligned_malloc
    // EXPECTED: every byte of blocks of all alignments and sizes as written when all were written
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.blocks-are-disjoint",
        "each block has its bytes for itself",
        stated(Remarks),
        &[&ALL],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _aligned_malloc, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM, also where size and alignment together overflow
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.no-memory",
        "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
        stated(Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: _aligned_malloc
    // EXPECTED: NULL, errno EINVAL
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.not-a-power-of-two",
        "an alignment that is not a power of two, 0 included, gives NULL and EINVAL",
        stated(Remarks),
        &[&ODD],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    // PAGE: _aligned_malloc, Parameter validation
    // EXPECTED: the handler called
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.not-a-power-of-two-calls-handler",
        "an alignment that is not a power of two calls the invalid parameter handler first",
        stated(Remarks),
        &[&ODD],
        &[every_call(ANY.calls_the_handler())],
    ),
    // PAGE: _aligned_malloc
    // EXPECTED: NULL, errno EINVAL
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.zero-size",
        "a request for 0 bytes gives NULL and EINVAL",
        stated(Remarks),
        &[&ZERO],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    // PAGE: _aligned_malloc, Parameter validation
    // EXPECTED: the handler called
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.zero-size-calls-handler",
        "a request for 0 bytes calls the invalid parameter handler first",
        stated(Remarks),
        &[&ZERO],
        &[every_call(ANY.calls_the_handler())],
    ),
    // PAGE: errno
    // EXPECTED: a block, errno and _doserrno as before
    must(
        ALIGNED_MALLOC,
        "aligned-malloc.success-keeps-errno",
        "a request that succeeds leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ALL],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

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
    for size in OVER_MAXREQ.into_iter().chain(UNAVAILABLE) {
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
