//! `void *_expand(void *memblock, size_t size)`: gives a block a new size
//! where it stands, or NULL.

use super::sizes::{NOT_TO_BE_HAD, OVER_MAXREQ, SIZES};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, BLOCK, NULL, by, every_call, none_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, should, stated};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const EXPAND: Routine = Routine {
    name: "_expand",
    page: &pages::EXPAND,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _expand
    // EXPECTED: the loader finds a routine named _expand
    exported(EXPAND, "expand.exported", "the library exports _expand"),
    // PAGE: _expand
    // EXPECTED: no other address, from each of several sizes to each other
    must(
        EXPAND,
        "expand.never-moves",
        "it gives the same address, or NULL",
        stated(Remarks),
        &[&ALL_PAIRS],
        &[none_of(MOVED, ASKED)],
    ),
    // PAGE: _expand
    // EXPECTED: every byte as written
    must(
        EXPAND,
        "expand.keeps-contents",
        "the contents are unchanged up to the shorter of the new and old sizes, and all of them if it fails",
        stated(Remarks),
        &[&ALL_PAIRS, &TOO_MUCH],
        &[none_of(CHANGED, ASKED)],
    ),
    // PAGE: _expand
    // EXPECTED: _msize not below the new size, and neighbours unharmed when all of it is written
    must(
        EXPAND,
        "expand.grown-has-its-bytes",
        "a block is never expanded to less than requested: after a success it has all bytes of the new size",
        stated(Remarks),
        &[&ALL_PAIRS],
        &[none_of(TOO_SMALL, ASKED), none_of(NEIGHBOURS, ASKED)],
    ),
    // PAGE: _expand
    // EXPECTED: the same address for each smaller size
    should(
        EXPAND,
        "expand.shrinking-succeeds",
        "a sound block can be made smaller, if only in name",
        stated(Remarks),
        &[&SMALLER],
        &[every_call(BLOCK)],
    ),
    // PAGE: _expand
    must(
        EXPAND,
        "expand.failure-sets-errno",
        "when there is not enough memory to expand the block in place, errno indicates the nature of the failure",
        stated(Remarks),
        &[&TOO_MUCH],
        &[by("NULL, errno set", failure_sets_errno)],
    ),
    // PAGE: _expand
    // EXPECTED: NULL, errno EINVAL
    must(
        EXPAND,
        "expand.null-is-einval",
        "without a block it gives NULL and EINVAL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    // PAGE: _expand, Parameter validation
    // EXPECTED: the handler called
    must(
        EXPAND,
        "expand.null-calls-handler",
        "without a block it calls the invalid parameter handler first",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
    // PAGE: _expand, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM
    must(
        EXPAND,
        "expand.over-heap-maxreq",
        "a size over _HEAP_MAXREQ gives NULL and ENOMEM",
        stated(Remarks),
        &[&OVER],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: errno
    // EXPECTED: errno and _doserrno as before
    must(
        EXPAND,
        "expand.success-keeps-errno",
        "a call that succeeds leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&SMALLER],
        &[every_call(ANY.where_a_block_is_returned().keeps_errno())],
    ),
];

static ALL_PAIRS: Case = Case::new(
    "expand-all-pairs",
    "asks for blocks of sixteen sizes to be expanded or contracted to each other size, with neighbours alive",
    all_pairs,
);

static SMALLER: Case = Case::new(
    "expand-smaller",
    "makes blocks of several sizes smaller, one step after another",
    smaller,
);

static TOO_MUCH: Case = Case::new(
    "expand-no-memory",
    "asks for blocks to be expanded to more than any system has",
    |probe| refused(probe, &NOT_TO_BE_HAD),
);

static OVER: Case = Case::new(
    "expand-over-heap-maxreq",
    "asks for blocks to be expanded to more than _HEAP_MAXREQ",
    |probe| refused(probe, &OVER_MAXREQ),
);

static OF_NULL: Case = Case::new(
    "expand-null",
    "sets an invalid parameter handler that goes on, and calls _expand without a block",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.step("_expand(NULL, 100)")?;
        probe.observe("_expand", "NULL, 100", |crt| {
            crt.expand(&Block::null(), 100)
        })?;
        Ok(())
    },
);

const MOVED: &str = "blocks moved";
const CHANGED: &str = "bytes changed";
const TOO_SMALL: &str = "blocks smaller than asked for";
const NEIGHBOURS: &str = "bytes of neighbours changed";
const ASKED: &str = "calls";

fn all_pairs(probe: &mut Probe) -> Result<(), Stop> {
    let (mut moved, mut changed, mut too_small, mut neighbours, mut count) = (0, 0, 0, 0, 0);
    for old in SIZES {
        probe.step(&format!("from {old} bytes to each of the sizes"))?;
        for new in SIZES {
            let mut block = probe.crt.need(old)?;
            let mut neighbour = probe.crt.need(old)?;
            block.fill(1);
            neighbour.fill(2);
            count += 1;
            match probe.crt.expand(&block, new)? {
                None => changed += block.lost_bytes(1),
                Some(grown) if grown.address() != block.address() => moved += 1,
                Some(mut grown) => {
                    changed += grown.lost_bytes_of(1, old.min(new));
                    too_small += i64::from(probe.crt.msize(&grown)? < new);
                    grown.fill(3);
                    neighbours += neighbour.lost_bytes(2);
                }
            }
            probe.crt.free(block)?;
            probe.crt.free(neighbour)?;
        }
    }
    probe.fact(MOVED, moved)?;
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(TOO_SMALL, too_small)?;
    probe.fact(NEIGHBOURS, neighbours as i64)?;
    probe.fact(ASKED, count)
}

fn smaller(probe: &mut Probe) -> Result<(), Stop> {
    for size in SIZES.into_iter().rev() {
        probe.step(&format!("make {size} bytes smaller"))?;
        let block = probe.crt.need(size)?;
        for divisor in [1, 2, 3, 10, 1000] {
            let less = (size / divisor).max(1);
            let arguments = format!("block of {size}, {less}");
            probe.observe("_expand", &arguments, |crt| crt.expand(&block, less))?;
        }
        probe.crt.free(block)?;
    }
    Ok(())
}

fn refused(probe: &mut Probe, sizes: &[usize]) -> Result<(), Stop> {
    let (mut changed, mut count) = (0, 0);
    for old in [24, 3000, 200_000, 2_000_000] {
        let mut block = probe.crt.need(old)?;
        block.fill(1);
        for size in sizes {
            let arguments = format!("block of {old}, {size:#x}");
            probe.step(&format!("_expand({arguments})"))?;
            probe.observe("_expand", &arguments, |crt| crt.expand(&block, *size))?;
            changed += block.lost_bytes(1);
            count += 1;
        }
        probe.crt.free(block)?;
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(ASKED, count)
}

fn failure_sets_errno(seen: &Seen) -> Judgement {
    let unset = seen.observation.calls("_expand").find(|call| {
        call.returned == 0 && call.errno.is_some_and(|(before, after)| before == after)
    });
    match unset {
        Some(call) => Judgement::fail(format!("{call}, errno as before")),
        None => every_call(NULL).judge(seen),
    }
}
