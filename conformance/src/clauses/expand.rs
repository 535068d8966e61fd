//! `void *_expand(void *memblock, size_t size)`: the same block with a new
//! size, at the same address, or NULL.

use super::histories::{self, CHANGED, Subject};
use super::origins::SUCCESS_KEEPS_ERRNO;
use super::sizes::{OVER_MAXREQ, SIZES, UNAVAILABLE};
use crate::clause::Section::{Introduction, Remarks, ReturnValue};
use crate::clause::check::{ANY, BLOCK, NO_ERRNO, NULL, by, every_call, none_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, derived, must, should, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const EXPAND: Routine = Routine {
    name: "_expand",
    page: &pages::EXPAND,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(EXPAND, "expand.exported", "the library exports _expand"),
    must(
        EXPAND,
        "expand.never-moves",
        "_expand returns the address of the block that it was given, or NULL",
        stated(ReturnValue),
        &[&ALL_PAIRS],
        &[none_of(MOVED, CALLS)],
    ),
    must(
        EXPAND,
        "expand.keeps-contents",
        "_expand leaves the contents unchanged up to the shorter of the new and old sizes, and all of them if it fails",
        derived(
            Remarks,
            "the page states this for the shorter size, and names no effect of a failure but NULL and errno",
        ),
        &[&ALL_PAIRS, &TOO_MUCH, &HISTORIES],
        &[none_of(CHANGED, CALLS)],
    ),
    must(
        EXPAND,
        "expand.grown-has-its-bytes",
        "_expand never returns a block with fewer bytes than requested, and all of these bytes belong to the block",
        stated(ReturnValue),
        &[&ALL_PAIRS],
        &[none_of(TOO_SMALL, CALLS), none_of(NEIGHBOURS, CALLS)],
    ),
    should(
        EXPAND,
        "expand.shrinking-succeeds",
        "_expand returns the block when the new size is smaller, whether or not it makes the block smaller",
        derived(
            ReturnValue,
            "_expand returns NULL if it detects an error or lacks memory, and a valid block that shrinks is neither",
        )
        .and(&pages::EXPAND, Remarks),
        &[&SMALLER],
        &[every_call(BLOCK)],
    )
    .rests_on_system(),
    must(
        EXPAND,
        "expand.failure-sets-errno",
        "_expand returns NULL and sets errno if there is not enough memory to expand the block in place",
        stated(ReturnValue),
        &[&TOO_MUCH],
        &[by("NULL and another errno than before from every call", failure_sets_errno)],
    ),
    must(
        EXPAND,
        "expand.null-is-einval",
        "_expand of NULL returns NULL and sets errno to EINVAL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(NULL.sets_errno("EINVAL"))],
    ),
    must(
        EXPAND,
        "expand.null-calls-handler",
        "_expand of NULL calls the invalid parameter handler before it returns",
        stated(Remarks).and(&pages::PARAMETER_VALIDATION, Introduction),
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        EXPAND,
        "expand.over-heap-maxreq",
        "_expand returns NULL and sets errno to ENOMEM if the new size exceeds _HEAP_MAXREQ",
        stated(Remarks).and(&pages::HEAP_MAXREQ, Remarks),
        &[&OVER],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        EXPAND,
        "expand.success-keeps-errno",
        "_expand leaves errno and _doserrno as they were when it returns a block",
        SUCCESS_KEEPS_ERRNO,
        &[&SMALLER],
        &[every_call(ANY.where_a_block_is_returned().keeps_errno())],
    ),
];

static ALL_PAIRS: Case = Case::new(
    "expand-all-pairs",
    "expands or contracts blocks from each of sixteen sizes to each of them, with neighbours alive",
    all_pairs,
);

static TOO_MUCH: Case = Case::new(
    "expand-no-memory",
    "expands blocks to more memory than any system has",
    |probe| refused(probe, &UNAVAILABLE),
);

static SMALLER: Case = Case::new(
    "expand-smaller",
    "makes blocks of several sizes smaller, in several steps",
    smaller,
);

static OF_NULL: Case = Case::new(
    "expand-null",
    "sets an invalid parameter handler that returns, and calls _expand with NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.step("_expand(NULL, 100)")?;
        probe.observe("_expand", "NULL, 100", |crt| {
            crt.expand(&Block::null(), 100)
        })?;
        Ok(())
    },
);

static HISTORIES: Case = Case::new(
    "expand-histories",
    "contracts and expands blocks of 1 byte to 64 MiB several times, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::plain(probe, &SUBJECT, CALLS),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, _| crt.malloc(size),
    resize: Some(histories::EXPAND.1),
    others: &[histories::REALLOC],
    free: |crt, block| crt.free(block),
    zeroes: false,
    may_refuse: true,
};

static OVER: Case = Case::new(
    "expand-over-heap-maxreq",
    "expands blocks to more than _HEAP_MAXREQ bytes",
    |probe| refused(probe, &OVER_MAXREQ),
);

const MOVED: &str = "blocks moved";
const TOO_SMALL: &str = "blocks smaller than requested";
const NEIGHBOURS: &str = "bytes of neighbours changed";
const CALLS: &str = "calls";

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
    probe.fact(CALLS, count)
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
    probe.fact(CALLS, count)
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

fn failure_sets_errno(seen: &Seen) -> Judgement {
    for call in seen.observation.calls("_expand") {
        match call.errno {
            _ if call.returned != 0 => {}
            None => return Judgement::not_judged(NO_ERRNO),
            Some((before, after)) if before == after => {
                return Judgement::fail(format!("{call}, errno as before"));
            }
            Some(_) => {}
        }
    }
    every_call(NULL).judge(seen)
}
