//! `void *_expand(void *memblock, size_t size)`: gives a block a new size
//! where it stands, or NULL.

use super::exported::{LOAD, exported};
use super::sizes::{NOT_TO_BE_HAD, OVER_MAXREQ, SIZES};
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Judgement, Level, Seen};
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 10] = [
    &EXPORTED,
    &NEVER_MOVES,
    &KEEPS_CONTENTS,
    &GROWN_HAS_ITS_BYTES,
    &SHRINKS,
    &FAILURE_SETS_ERRNO,
    &NULL_IS_EINVAL,
    &NULL_CALLS_HANDLER,
    &OVER_HEAP_MAXREQ,
    &KEEPS_ERRNO,
];

static EXPORTED: Clause = Clause {
    id: "expand.exported",
    routine: "_expand",
    level: Level::Must,
    page: "_expand",
    summary: "the library exports _expand",
    expects: "the loader finds a routine named _expand",
    cases: &[&LOAD],
    judge: exported,
};

static NEVER_MOVES: Clause = Clause {
    id: "expand.never-moves",
    routine: "_expand",
    level: Level::Must,
    page: "_expand",
    summary: "it gives the same address, or NULL",
    expects: "no other address, from each of several sizes to each other",
    cases: &[&ALL_PAIRS],
    judge: |seen| none_of(seen, MOVED, ASKED),
};

static KEEPS_CONTENTS: Clause = Clause {
    id: "expand.keeps-contents",
    routine: "_expand",
    level: Level::Must,
    page: "_expand",
    summary: "the contents are unchanged up to the shorter of the new and old sizes, and all of them if it fails",
    expects: "every byte as written",
    cases: &[&ALL_PAIRS, &TOO_MUCH],
    judge: |seen| none_of(seen, CHANGED, ASKED),
};

static GROWN_HAS_ITS_BYTES: Clause = Clause {
    id: "expand.grown-has-its-bytes",
    routine: "_expand",
    level: Level::Must,
    page: "_expand",
    summary: "a block is never expanded to less than requested: after a success it has all bytes of the new size",
    expects: "_msize not below the new size, and neighbours unharmed when all of it is written",
    cases: &[&ALL_PAIRS],
    judge: |seen| match seen.observation.fact(TOO_SMALL) {
        Some(1..) => none_of(seen, TOO_SMALL, ASKED),
        _ => none_of(seen, NEIGHBOURS, ASKED),
    },
};

static SHRINKS: Clause = Clause {
    id: "expand.shrinking-succeeds",
    routine: "_expand",
    level: Level::Should,
    page: "_expand",
    summary: "a sound block can be made smaller, if only in name",
    expects: "the same address for each smaller size",
    cases: &[&SMALLER],
    judge: |seen| every("_expand").gives_a_block().judge(seen),
};

static FAILURE_SETS_ERRNO: Clause = Clause {
    id: "expand.failure-sets-errno",
    routine: "_expand",
    level: Level::Must,
    page: "_expand",
    summary: "when there is not enough memory to expand the block in place, errno indicates the nature of the failure",
    expects: "NULL, errno set",
    cases: &[&TOO_MUCH],
    judge: failure_sets_errno,
};

static NULL_IS_EINVAL: Clause = Clause {
    id: "expand.null-is-einval",
    routine: "_expand",
    level: Level::Must,
    page: "_expand",
    summary: "without a block it gives NULL and EINVAL",
    expects: "NULL, errno EINVAL",
    cases: &[&NULL],
    judge: |seen| {
        every("_expand")
            .gives_null()
            .sets_errno("EINVAL")
            .judge(seen)
    },
};

static NULL_CALLS_HANDLER: Clause = Clause {
    id: "expand.null-calls-handler",
    routine: "_expand",
    level: Level::Must,
    page: "_expand, Parameter validation",
    summary: "without a block it calls the invalid parameter handler first",
    expects: "the handler called",
    cases: &[&NULL],
    judge: |seen| every("_expand").calls_the_handler().judge(seen),
};

static OVER_HEAP_MAXREQ: Clause = Clause {
    id: "expand.over-heap-maxreq",
    routine: "_expand",
    level: Level::Must,
    page: "_expand, _HEAP_MAXREQ",
    summary: "a size over _HEAP_MAXREQ gives NULL and ENOMEM",
    expects: "NULL, errno ENOMEM",
    cases: &[&OVER],
    judge: |seen| {
        every("_expand")
            .gives_null()
            .sets_errno("ENOMEM")
            .judge(seen)
    },
};

static KEEPS_ERRNO: Clause = Clause {
    id: "expand.success-keeps-errno",
    routine: "_expand",
    level: Level::Must,
    page: "errno",
    summary: "a call that succeeds leaves errno and _doserrno as they were",
    expects: "errno and _doserrno as before",
    cases: &[&SMALLER],
    judge: |seen| {
        every("_expand")
            .that_gives_a_block()
            .keeps_errno()
            .judge(seen)
    },
};

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

static NULL: Case = Case::new(
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
        None => every("_expand").gives_null().judge(seen),
    }
}
