//! `size_t _aligned_msize(void *memblock, size_t alignment, size_t offset)`:
//! how many bytes an aligned block has.

use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO};
use super::{BLOCKS, SIZES};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_MSIZE: Routine = Routine {
    name: "_aligned_msize",
    page: &pages::ALIGNED_MSIZE,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _aligned_msize
    // EXPECTED: the loader finds a routine named _aligned_msize
    exported(
        ALIGNED_MSIZE,
        "aligned-msize.exported",
        "the library exports _aligned_msize",
    ),
    // PAGE: _aligned_msize
    // EXPECTED: no block smaller than requested
    must(
        ALIGNED_MSIZE,
        "aligned-msize.at-least-requested",
        "it gives at least the size asked for, of blocks of all alignments, with and without an offset",
        stated(Remarks),
        &[&ALL],
        &[none_of(TOO_SMALL, BLOCKS)],
    ),
    // PAGE: _aligned_msize
    // EXPECTED: -1, errno EINVAL
    must(
        ALIGNED_MSIZE,
        "aligned-msize.null-is-einval",
        "without a block it gives -1 and EINVAL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(one_of(&[MINUS_ONE]).sets_errno("EINVAL"))],
    ),
    // PAGE: _aligned_msize, Parameter validation
    // EXPECTED: the handler called
    must(
        ALIGNED_MSIZE,
        "aligned-msize.null-calls-handler",
        "without a block it calls the invalid parameter handler first",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
    // PAGE: _aligned_msize
    // EXPECTED: the handler called, -1, errno EINVAL
    must(
        ALIGNED_MSIZE,
        "aligned-msize.not-a-power-of-two",
        "an alignment that is not a power of two, 0 included, calls the invalid parameter handler and gives -1 and EINVAL",
        stated(Remarks),
        &[&ODD],
        &[every_call(
            one_of(&[MINUS_ONE])
                .calls_the_handler()
                .sets_errno("EINVAL"),
        )],
    ),
    // PAGE: errno
    // EXPECTED: errno and _doserrno as before
    must(
        ALIGNED_MSIZE,
        "aligned-msize.success-keeps-errno",
        "asking for a block's size leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ALL],
        &[every_call(ANY.keeps_errno())],
    ),
];

static ALL: Case = Case::new(
    "aligned-msize-all",
    "asks for the size of blocks of eight sizes in each alignment, at offsets 0 and 8",
    all,
);

static OF_NULL: Case = Case::new(
    "aligned-msize-null",
    "sets an invalid parameter handler that goes on, and calls _aligned_msize without a block",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.step("_aligned_msize(NULL, 16, 0)")?;
        probe.observe("_aligned_msize", "NULL, 16, 0", |crt| {
            crt.aligned_msize(&Block::null(), 16, 0)
        })?;
        Ok(())
    },
);

static ODD: Case = Case::new(
    "aligned-msize-not-a-power-of-two",
    "sets an invalid parameter handler that goes on, and names alignments that are not powers of two",
    odd,
);

const TOO_SMALL: &str = "blocks smaller than asked for";

fn all(probe: &mut Probe) -> Result<(), Stop> {
    let (mut too_small, mut count) = (0, 0);
    for alignment in ALIGNMENTS {
        probe.step(&format!("blocks aligned to {alignment}"))?;
        for size in SIZES {
            for offset in [0, 8].into_iter().filter(|offset| *offset < size) {
                let block = probe.crt.aligned_offset_malloc(size, alignment, offset)?;
                let block = block.ok_or(Stop::OutOfMemory(size))?;
                let arguments = format!("block, {alignment}, {offset}");
                let seen = probe.observe("_aligned_msize", &arguments, |crt| {
                    crt.aligned_msize(&block, alignment, offset)
                })?;
                too_small += i64::from(seen < size);
                count += 1;
                probe.crt.aligned_free(block)?;
            }
        }
    }
    probe.fact(TOO_SMALL, too_small)?;
    probe.fact(BLOCKS, count)
}

fn odd(probe: &mut Probe) -> Result<(), Stop> {
    let block = probe.crt.aligned_malloc(100, 64)?;
    let block = block.ok_or(Stop::OutOfMemory(100))?;
    probe.expect_invalid_parameters()?;
    for alignment in NOT_A_POWER_OF_TWO {
        let arguments = format!("block, {alignment:#x}, 0");
        probe.step(&format!("_aligned_msize({arguments})"))?;
        probe.observe("_aligned_msize", &arguments, |crt| {
            crt.aligned_msize(&block, alignment, 0)
        })?;
    }
    probe.crt.aligned_free(block)
}
