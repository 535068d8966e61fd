//! `size_t _msize(void *memblock)`: how many bytes a block has.

use super::sizes::SIZES;
use super::workload::mixed_size;
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Routine, exported, must, should, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const MSIZE: Routine = Routine {
    name: "_msize",
    page: &pages::MSIZE,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _msize
    // EXPECTED: the loader finds a routine named _msize
    exported(MSIZE, "msize.exported", "the library exports _msize"),
    // PAGE: _msize
    // EXPECTED: no block smaller than requested
    must(
        MSIZE,
        "msize.at-least-requested",
        "it gives at least the size asked for, of blocks of malloc, calloc and realloc",
        stated(Remarks),
        &[&ORDINARY],
        &[none_of(TOO_SMALL, BLOCKS)],
    ),
    // PAGE: _msize
    // EXPECTED: every byte of 2000 live blocks as written, up to what _msize says
    should(
        MSIZE,
        "msize.every-byte-usable",
        "all the bytes it counts belong to the block, and can be written without harm to others",
        stated(Remarks),
        &[&TO_THE_END],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _msize
    // EXPECTED: -1, errno EINVAL
    must(
        MSIZE,
        "msize.null-is-einval",
        "without a block it gives -1 and EINVAL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(one_of(&[MINUS_ONE]).sets_errno("EINVAL"))],
    ),
    // PAGE: _msize, Parameter validation
    // EXPECTED: the handler called
    must(
        MSIZE,
        "msize.null-calls-handler",
        "without a block it calls the invalid parameter handler first",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
    // PAGE: errno
    // EXPECTED: errno and _doserrno as before
    must(
        MSIZE,
        "msize.success-keeps-errno",
        "asking for a block's size leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ORDINARY],
        &[every_call(ANY.keeps_errno())],
    ),
];

static ORDINARY: Case = Case::new(
    "msize-ordinary",
    "asks for the size of blocks of malloc, calloc and realloc",
    ordinary,
);

static TO_THE_END: Case = Case::new(
    "msize-every-byte",
    "allocates 2000 blocks, fills each as far as _msize says, and reads them all again",
    to_the_end,
);

static OF_NULL: Case = Case::new(
    "msize-null",
    "sets an invalid parameter handler that goes on, and calls _msize without a block",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.step("_msize(NULL)")?;
        probe.observe("_msize", "NULL", |crt| crt.msize(&Block::null()))?;
        Ok(())
    },
);

const TOO_SMALL: &str = "blocks smaller than asked for";
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
        // Not to size 0, which would free it.
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
