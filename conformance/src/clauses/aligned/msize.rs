//! `size_t _aligned_msize(void *memblock, size_t alignment, size_t offset)`:
//! how many bytes an aligned block has.

use super::super::exported::{LOAD, exported};
use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO};
use super::{BLOCKS, SIZES};
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 6] = [
    &EXPORTED,
    &AT_LEAST_REQUESTED,
    &NULL_IS_EINVAL,
    &NULL_CALLS_HANDLER,
    &NOT_POWER_OF_TWO,
    &KEEPS_ERRNO,
];

static EXPORTED: Clause = Clause {
    id: "aligned-msize.exported",
    routine: "_aligned_msize",
    level: Level::Must,
    page: "_aligned_msize",
    summary: "the library exports _aligned_msize",
    expects: "the loader finds a routine named _aligned_msize",
    cases: &[&LOAD],
    judge: exported,
};

static AT_LEAST_REQUESTED: Clause = Clause {
    id: "aligned-msize.at-least-requested",
    routine: "_aligned_msize",
    level: Level::Must,
    page: "_aligned_msize",
    summary: "it gives at least the size asked for, of blocks of all alignments, with and without an offset",
    expects: "no block smaller than requested",
    cases: &[&ALL],
    judge: |seen| none_of(seen, TOO_SMALL, BLOCKS),
};

static NULL_IS_EINVAL: Clause = Clause {
    id: "aligned-msize.null-is-einval",
    routine: "_aligned_msize",
    level: Level::Must,
    page: "_aligned_msize",
    summary: "without a block it gives -1 and EINVAL",
    expects: "-1, errno EINVAL",
    cases: &[&NULL],
    judge: |seen| {
        let calls = every("_aligned_msize");
        calls.returns(&[-1]).sets_errno("EINVAL").judge(seen)
    },
};

static NULL_CALLS_HANDLER: Clause = Clause {
    id: "aligned-msize.null-calls-handler",
    routine: "_aligned_msize",
    level: Level::Must,
    page: "_aligned_msize, Parameter validation",
    summary: "without a block it calls the invalid parameter handler first",
    expects: "the handler called",
    cases: &[&NULL],
    judge: |seen| every("_aligned_msize").calls_the_handler().judge(seen),
};

static NOT_POWER_OF_TWO: Clause = Clause {
    id: "aligned-msize.not-a-power-of-two",
    routine: "_aligned_msize",
    level: Level::Must,
    page: "_aligned_msize",
    summary: "an alignment that is not a power of two, 0 included, calls the invalid parameter handler and gives -1 and EINVAL",
    expects: "the handler called, -1, errno EINVAL",
    cases: &[&ODD],
    judge: |seen| {
        let calls = every("_aligned_msize").calls_the_handler();
        calls.returns(&[-1]).sets_errno("EINVAL").judge(seen)
    },
};

static KEEPS_ERRNO: Clause = Clause {
    id: "aligned-msize.success-keeps-errno",
    routine: "_aligned_msize",
    level: Level::Must,
    page: "errno",
    summary: "asking for a block's size leaves errno and _doserrno as they were",
    expects: "errno and _doserrno as before",
    cases: &[&ALL],
    judge: |seen| every("_aligned_msize").keeps_errno().judge(seen),
};

static ALL: Case = Case::new(
    "aligned-msize-all",
    "asks for the size of blocks of eight sizes in each alignment, at offsets 0 and 8",
    all,
);

static NULL: Case = Case::new(
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
