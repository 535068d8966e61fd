//! `size_t _aligned_msize(void *memblock, size_t alignment, size_t offset)`:
//! returns the size of an aligned block in bytes.

use super::super::histories::CHANGED;
use super::super::msize::{CONSISTENT, FILLED, Filled, TOO_SMALL};
use super::super::sizes::{ALIGNMENTS, NOT_A_POWER_OF_TWO};
use super::{BLOCKS, SIZES, need, need_at};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Routine, derived, must, should, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::exported::exported;
use crate::clauses::origins::{CALLS_HANDLER, SUCCESS_KEEPS_ERRNO};
use crate::clauses::pages;
use heapmin_harness::probe::Stop;
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
        &[&EACH_ALIGNMENT, &TO_THE_END],
        &[none_of(TOO_SMALL, BLOCKS)],
    ),
    should(
        ALIGNED_MSIZE,
        "aligned-msize.every-byte-usable",
        "every byte that _aligned_msize counts belongs to the block: the caller can write it without harm to other blocks",
        derived(
            Remarks,
            "the routine returns the size of the block, so that a byte that it counts is the block's",
        ),
        &[&TO_THE_END],
        &[none_of(CHANGED, BLOCKS), CONSISTENT],
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

static TO_THE_END: Case = Case::new(
    "aligned-msize-every-byte",
    "allocates and resizes blocks in alignments from 8 bytes to 4 MiB, with and without an offset, fills as many bytes of each as _aligned_msize returns, reads them all again, and calls _heapchk",
    |probe| {
        let mut filled = Filled::default();
        for alignment in [8, 16, 64, 4096, 64 << 10, 1 << 20, 4 << 20] {
            probe.step(&format!("blocks aligned to {alignment}"))?;
            for size in FILLED.into_iter().filter(|size| *size < 1 << 20) {
                for offset in [0, 8].into_iter().filter(|offset| *offset < size) {
                    let count = if size <= 5000 && alignment <= 4096 {
                        3
                    } else {
                        1
                    };
                    for number in 0..count {
                        let first = [size, 2 * size, size.div_ceil(2).max(offset + 1)][number];
                        let block = need_at(probe, first, alignment, offset)?;
                        let crt = &probe.crt;
                        let resized = crt.aligned_offset_realloc(block, size, alignment, offset)?;
                        let block = resized.map_err(|_| Stop::OutOfMemory(size))?;
                        let counted = crt.aligned_msize(&block, alignment, offset)?;
                        filled.add(block, counted);
                        // A neighbour that was never resized.
                        let block = need_at(probe, size, alignment, offset)?;
                        let counted = probe.crt.aligned_msize(&block, alignment, offset)?;
                        filled.add(block, counted);
                    }
                }
            }
        }
        filled.report(probe, |crt, block| crt.aligned_free(block))
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
