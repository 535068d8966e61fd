//! `size_t _aligned_msize(void *memblock, size_t alignment, size_t offset)`:
//! returns the size of an aligned block in bytes.

use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO};
use super::{BLOCKS, SIZES, need, need_at};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::exported::exported;
use crate::clauses::origins::{CALLS_HANDLER, SUCCESS_KEEPS_ERRNO};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;

const ALIGNED_MSIZE: Routine = Routine {
    name: "_aligned_msize",
    page: &pages::ALIGNED_MSIZE,
};

pub(crate) static CLAUSES: &[Clause] = &[
    exported(
        ALIGNED_MSIZE,
        "aligned-msize.exported",
        "the library exports _aligned_msize",
    ),
    must(
        ALIGNED_MSIZE,
        "aligned-msize.at-least-requested",
        "_aligned_msize returns at least the size that was requested, for blocks of each alignment, with and without an offset",
        derived(
            Remarks,
            "the routine returns the size of the block, and _aligned_malloc is based on malloc, which allocates at least the requested size",
        )
        .and(&pages::MALLOC, Remarks),
        &[&EACH_ALIGNMENT],
        &[none_of(TOO_SMALL, BLOCKS)],
    ),
    must(
        ALIGNED_MSIZE,
        "aligned-msize.null-is-einval",
        "_aligned_msize returns -1 and sets errno to EINVAL when it is given NULL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(one_of(&[MINUS_ONE]).sets_errno("EINVAL"))],
    ),
    must(
        ALIGNED_MSIZE,
        "aligned-msize.null-calls-handler",
        "_aligned_msize calls the invalid parameter handler when it is given NULL",
        CALLS_HANDLER,
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        ALIGNED_MSIZE,
        "aligned-msize.not-a-power-of-two",
        "_aligned_msize calls the invalid parameter handler, returns -1 and sets errno to EINVAL for an alignment that is not a power of two, 0 included",
        stated(Remarks),
        &[&WRONG_ALIGNMENT],
        &[every_call(
            one_of(&[MINUS_ONE])
                .calls_the_handler()
                .sets_errno("EINVAL"),
        )],
    ),
    must(
        ALIGNED_MSIZE,
        "aligned-msize.success-keeps-errno",
        "_aligned_msize leaves errno and _doserrno unchanged when it succeeds",
        SUCCESS_KEEPS_ERRNO,
        &[&EACH_ALIGNMENT],
        &[every_call(ANY.keeps_errno())],
    ),
];

static EACH_ALIGNMENT: Case = Case::new(
    "aligned-msize-all",
    "calls _aligned_msize for blocks of eight sizes in each alignment, at offsets 0 and 8",
    |probe| {
        let (mut too_small, mut count) = (0, 0);
        for alignment in ALIGNMENTS {
            probe.step(&format!("blocks aligned to {alignment}"))?;
            for size in SIZES {
                for offset in [0, 8].into_iter().filter(|offset| *offset < size) {
                    let block = need_at(probe, size, alignment, offset)?;
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
    },
);

static OF_NULL: Case = Case::new(
    "aligned-msize-null",
    "sets an invalid parameter handler that returns, and calls _aligned_msize with NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.step("_aligned_msize(NULL, 16, 0)")?;
        probe.observe("_aligned_msize", "NULL, 16, 0", |crt| {
            crt.aligned_msize(&Block::null(), 16, 0)
        })?;
        Ok(())
    },
);

static WRONG_ALIGNMENT: Case = Case::new(
    "aligned-msize-not-a-power-of-two",
    "sets an invalid parameter handler that returns, and calls _aligned_msize with the alignments 0, 3, 24, 48, 4097 and SIZE_MAX",
    |probe| {
        let block = need(probe, 100, 64)?;
        probe.expect_invalid_parameters()?;
        for alignment in NOT_A_POWER_OF_TWO {
            let arguments = format!("block, {alignment:#x}, 0");
            probe.step(&format!("_aligned_msize({arguments})"))?;
            probe.observe("_aligned_msize", &arguments, |crt| {
                crt.aligned_msize(&block, alignment, 0)
            })?;
        }
        probe.crt.aligned_free(block)
    },
);

const TOO_SMALL: &str = "blocks smaller than requested";
