//! `void *_aligned_offset_malloc(size_t size, size_t alignment, size_t offset)`:
//! a block that is aligned at an offset into it.

use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO, OVER_MAXREQ, UNAVAILABLE};
use super::{BLOCKS, CHANGED, MISALIGNED, SIZES, fill_check_and_free, is_aligned, offsets};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_OFFSET_MALLOC: Routine = Routine {
    name: "_aligned_offset_malloc",
    page: &pages::ALIGNED_OFFSET_MALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _aligned_offset_malloc
    // EXPECTED: the loader finds a routine named _aligned_offset_malloc
    exported(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.exported",
        "the library exports _aligned_offset_malloc",
    ),
    // PAGE: _aligned_offset_malloc
    // EXPECTED: no block misaligned, for alignments from 1 to 1 MiB and offsets from 0 to the last byte
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.alignment",
        "the address is a multiple of the alignment at the offset into the block",
        stated(Remarks),
        &[&ALL],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    // PAGE: _aligned_offset_malloc
    // EXPECTED: every byte as written when all were written
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.blocks-are-disjoint",
        "each block has its bytes for itself",
        stated(Remarks),
        &[&ALL],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _aligned_offset_malloc, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.no-memory",
        "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
        stated(Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: _aligned_offset_malloc
    // EXPECTED: NULL, errno EINVAL
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.not-a-power-of-two",
        "an alignment that is not a power of two, 0 included, gives NULL and EINVAL",
        stated(Remarks),
        &[&ODD],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    // PAGE: _aligned_offset_malloc, Parameter validation
    // EXPECTED: the handler called
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.not-a-power-of-two-calls-handler",
        "an alignment that is not a power of two calls the invalid parameter handler first",
        stated(Remarks),
        &[&ODD],
        &[every_call(ANY.calls_the_handler())],
    ),
    // PAGE: _aligned_offset_malloc
    // EXPECTED: NULL, errno EINVAL
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.offset-too-large",
        "an offset that is not 0 and not below the size gives NULL and EINVAL",
        stated(Remarks),
        &[&FAR],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    // PAGE: _aligned_offset_malloc, Parameter validation
    // EXPECTED: the handler called
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.offset-too-large-calls-handler",
        "an offset that is not 0 and not below the size calls the invalid parameter handler first",
        stated(Remarks),
        &[&FAR],
        &[every_call(ANY.calls_the_handler())],
    ),
    // PAGE: errno
    // EXPECTED: a block, errno and _doserrno as before
    must(
        ALIGNED_OFFSET_MALLOC,
        "aligned-offset-malloc.success-keeps-errno",
        "a request that succeeds leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ALL],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static ALL: Case = Case::new(
    "aligned-offset-malloc-all",
    "asks for blocks of eight sizes in each alignment from 1 to 1 MiB at several offsets, and fills them",
    all,
);

static TOO_MUCH: Case = Case::new(
    "aligned-offset-malloc-no-memory",
    "asks for more than _HEAP_MAXREQ, and for more than any system has",
    |probe| {
        let sizes = OVER_MAXREQ.into_iter().chain(UNAVAILABLE);
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
