//! `size_t _msize(void *memblock)`: the size of a block in bytes.

use super::origins::SUCCESS_KEEPS_ERRNO;
use super::sizes::SIZES;
use super::workload::mixed_size;
use crate::clause::Section::{Introduction, Remarks};
use crate::clause::check::{ANY, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Routine, derived, must, should, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const MSIZE: Routine = Routine {
    name: "_msize",
    page: &pages::MSIZE,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(MSIZE, "msize.exported", "the library exports _msize"),
    must(
        MSIZE,
        "msize.at-least-requested",
        "_msize returns at least the requested size for a block of malloc, calloc or realloc",
        derived(
            Remarks,
            "_msize returns the size of the block, which is at least the requested size",
        )
        .and(&pages::MALLOC, Remarks),
        &[&ORDINARY],
        &[none_of(TOO_SMALL, BLOCKS)],
    ),
    should(
        MSIZE,
        "msize.every-byte-usable",
        "every byte that _msize counts belongs to the block: the caller can write it without harm to other blocks",
        derived(
            Remarks,
            "_msize returns the size of the block, so that a byte that it counts is the block's",
        ),
        &[&TO_THE_END],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        MSIZE,
        "msize.null-is-einval",
        "_msize of NULL returns -1 and sets errno to EINVAL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(one_of(&[MINUS_ONE]).sets_errno("EINVAL"))],
    ),
    must(
        MSIZE,
        "msize.null-calls-handler",
        "_msize of NULL calls the invalid parameter handler before it returns",
        stated(Remarks).and(&pages::PARAMETER_VALIDATION, Introduction),
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        MSIZE,
        "msize.success-keeps-errno",
        "_msize of a block leaves errno and _doserrno as they were",
        SUCCESS_KEEPS_ERRNO,
        &[&ORDINARY],
        &[every_call(ANY.keeps_errno())],
    ),
];

static ORDINARY: Case = Case::new(
    "msize-ordinary",
    "calls _msize for blocks of malloc, calloc and realloc",
    ordinary,
);

static TO_THE_END: Case = Case::new(
    "msize-every-byte",
    "allocates 2000 blocks, fills as many bytes of each as _msize returns, and reads them all again",
    to_the_end,
);

static OF_NULL: Case = Case::new(
    "msize-null",
    "sets an invalid parameter handler that returns, and calls _msize with NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.step("_msize(NULL)")?;
        probe.observe("_msize", "NULL", |crt| crt.msize(&Block::null()))?;
        Ok(())
    },
);

const TOO_SMALL: &str = "blocks smaller than requested";
const CHANGED: &str = "bytes changed";
const BLOCKS: &str = "blocks";

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    let (mut too_small, mut count) = (0, 0);
    for size in [0].into_iter().chain(SIZES) {
        probe.step(&format!("blocks of {size} bytes"))?;
        let out_of_memory = Stop::OutOfMemory(size);
        let by_malloc = probe.crt.need(size)?;
        let by_calloc = probe.crt.calloc(1, size)?.ok_or(out_of_memory.clone())?;
        let small = probe.crt.need(3)?;
        // Size 0 would free the block.
        let resized = probe.crt.realloc(small, size.max(1))?;
        let by_realloc = resized.map_err(|_| out_of_memory)?;
        for block in [by_malloc, by_calloc, by_realloc] {
            let size = probe.observe("_msize", "block", |crt| crt.msize(&block))?;
            too_small += i64::from(size < block.size());
            count += 1;
            probe.crt.free(block)?;
        }
    }
    probe.fact(TOO_SMALL, too_small)?;
    probe.fact(BLOCKS, count)
}

fn to_the_end(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Vec::new();
    probe.step("allocate 2000 blocks and fill each as far as _msize says")?;
    for index in 0..2000 {
        let size = mixed_size(index);
        let block = probe.crt.need(size)?;
        let all = probe.crt.msize(&block)?;
        let mut block = block.with_size(all.max(size));
        block.fill(index as u64);
        blocks.push(block);
    }
    probe.step("read them all again")?;
    let changed = blocks
        .iter()
        .enumerate()
        .map(|(index, block)| block.lost_bytes(index as u64));
    probe.fact(CHANGED, changed.sum::<usize>() as i64)?;
    probe.fact(BLOCKS, blocks.len() as i64)?;
    blocks
        .into_iter()
        .try_for_each(|block| probe.crt.free(block))
}
