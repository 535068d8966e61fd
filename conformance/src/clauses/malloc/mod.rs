//! `void *malloc(size_t size)`: a block of at least so many bytes, or NULL
//! with `errno` set to `ENOMEM`.

mod edges;
mod fork;
mod large;
mod threads;

use super::exported::{LOAD, exported};
use super::sizes::{FUNDAMENTAL_ALIGNMENT, NOT_TO_BE_HAD, OVER_MAXREQ, SIZES, START_ERRNO};
use super::workload::mixed_size;
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 13] = [
    &EXPORTED,
    &ZERO_SIZE,
    &ALIGNMENT,
    &DISJOINT,
    &edges::SIZE_CLASS_EDGES,
    &OVER_HEAP_MAXREQ,
    &NO_MEMORY,
    &USABLE_AFTER_FAILURE,
    &KEEPS_ERRNO,
    &large::LARGE_BLOCKS,
    &threads::OTHER_THREAD,
    &threads::THREAD_EXIT,
    &fork::FORK,
];

static EXPORTED: Clause = Clause {
    id: "malloc.exported",
    routine: "malloc",
    level: Level::Must,
    page: "malloc",
    summary: "the library exports malloc",
    expects: "the loader finds a routine named malloc",
    cases: &[&LOAD],
    judge: exported,
};

static ZERO_SIZE: Clause = Clause {
    id: "malloc.zero-size",
    routine: "malloc",
    level: Level::Must,
    page: "malloc",
    summary: "a request for 0 bytes gives a valid pointer, another one each time",
    expects: "not NULL, and no address twice while both live",
    cases: &[&ZERO],
    judge: |seen| match seen.observation.fact(SAME) {
        Some(1..) => none_of(seen, SAME, LIVE),
        _ => every("malloc").gives_a_block().judge(seen),
    },
};

static ALIGNMENT: Clause = Clause {
    id: "malloc.alignment",
    routine: "malloc",
    level: Level::Must,
    page: "malloc",
    summary: "a block of any size is aligned for any type: to 16 bytes on 64-bit systems, to 8 on 32-bit ones",
    expects: "every address a multiple of 16 (of 8 on 32-bit systems)",
    cases: &[&MANY_SIZES],
    judge: |seen| none_of(seen, MISALIGNED, LIVE),
};

static DISJOINT: Clause = Clause {
    id: "malloc.blocks-are-disjoint",
    routine: "malloc",
    level: Level::Must,
    page: "malloc",
    summary: "each live block has its bytes for itself",
    expects: "no two live blocks overlap, and each has every byte as written when all were written",
    cases: &[&MANY_SIZES],
    judge: |seen| match seen.observation.fact(OVERLAPPING) {
        Some(1..) => none_of(seen, OVERLAPPING, LIVE),
        _ => none_of(seen, CHANGED, LIVE),
    },
};

static OVER_HEAP_MAXREQ: Clause = Clause {
    id: "malloc.over-heap-maxreq",
    routine: "malloc",
    level: Level::Must,
    page: "malloc, _HEAP_MAXREQ",
    summary: "a request over _HEAP_MAXREQ gives NULL and ENOMEM",
    expects: "NULL, errno ENOMEM",
    cases: &[&OVER],
    judge: |seen| {
        every("malloc")
            .gives_null()
            .sets_errno("ENOMEM")
            .judge(seen)
    },
};

static NO_MEMORY: Clause = Clause {
    id: "malloc.no-memory",
    routine: "malloc",
    level: Level::Must,
    page: "malloc",
    summary: "a request that there is no memory for gives NULL and ENOMEM",
    expects: "NULL, errno ENOMEM",
    cases: &[&TOO_MUCH],
    judge: |seen| {
        every("malloc")
            .gives_null()
            .sets_errno("ENOMEM")
            .judge(seen)
    },
};

static USABLE_AFTER_FAILURE: Clause = Clause {
    id: "malloc.usable-after-failure",
    routine: "malloc",
    level: Level::Must,
    page: "malloc",
    summary: "a request that failed harms neither live blocks nor later requests",
    expects: "live blocks as written, and blocks of ordinary sizes afterwards",
    cases: &[&OVER, &TOO_MUCH],
    judge: |seen| match seen.observation.fact(REFUSED) {
        Some(1..) => none_of(seen, REFUSED, ASKED),
        _ => none_of(seen, CHANGED, ASKED),
    },
};

static KEEPS_ERRNO: Clause = Clause {
    id: "malloc.success-keeps-errno",
    routine: "malloc",
    level: Level::Must,
    page: "errno",
    summary: "a request that succeeds leaves errno and _doserrno as they were",
    expects: "a block, errno and _doserrno as before, from every start value",
    cases: &[&ORDINARY],
    judge: |seen| every("malloc").gives_a_block().keeps_errno().judge(seen),
};

static ZERO: Case = Case::new(
    "malloc-zero-size",
    "asks for 0 bytes three times, and for blocks of other sizes between",
    zero,
);

static MANY_SIZES: Case = Case::new(
    "malloc-many-sizes",
    "allocates and fills 4000 blocks of sizes from 1 byte on, looks at their addresses, and reads them all again",
    many_sizes,
);

static OVER: Case = Case::new(
    "malloc-over-heap-maxreq",
    "asks for more than _HEAP_MAXREQ, then for ordinary sizes",
    |probe| refused(probe, &OVER_MAXREQ),
);

static TOO_MUCH: Case = Case::new(
    "malloc-no-memory",
    "asks for more than any system has, then for ordinary sizes",
    |probe| refused(probe, &NOT_TO_BE_HAD),
);

static ORDINARY: Case = Case::new(
    "malloc-start-values",
    "asks for sizes up to 4 MiB from several values of errno",
    ordinary,
);

const LIVE: &str = "live blocks";
const SAME: &str = "addresses given twice";
const MISALIGNED: &str = "misaligned blocks";
const OVERLAPPING: &str = "overlapping blocks";
const CHANGED: &str = "bytes changed";
const REFUSED: &str = "ordinary requests refused";
const ASKED: &str = "ordinary requests";

fn zero(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Vec::new();
    for size in [0, 24, 0, 5000, 0] {
        let block = probe.observe("malloc", &size.to_string(), |crt| crt.malloc(size))?;
        blocks.extend(block);
    }
    let mut addresses: Vec<_> = blocks.iter().map(Block::address).collect();
    addresses.sort_unstable();
    let same = addresses.windows(2).filter(|pair| pair[0] == pair[1]);
    probe.fact(SAME, same.count() as i64)?;
    probe.fact(LIVE, blocks.len() as i64)?;
    probe.step("free them")?;
    blocks
        .into_iter()
        .try_for_each(|block| probe.crt.free(block))
}

fn many_sizes(probe: &mut Probe) -> Result<(), Stop> {
    // Every size up to 1000, then a mix up to 128 KiB.
    let size = |index: usize| match index {
        0..1000 => index + 1,
        _ => mixed_size(index),
    };
    let mut blocks = Blocks::with_room_for(4000)?;
    probe.step("allocate and fill 4000 blocks")?;
    blocks.fill(&probe.crt, size)?;
    let mut ranges: Vec<_> = blocks
        .live()
        .map(|(_, block)| (block.address(), block.address() + block.size()))
        .collect();
    ranges.sort_unstable();
    let misaligned = ranges
        .iter()
        .filter(|range| range.0 % FUNDAMENTAL_ALIGNMENT != 0);
    probe.fact(MISALIGNED, misaligned.count() as i64)?;
    let overlapping = ranges.windows(2).filter(|pair| pair[0].1 > pair[1].0);
    probe.fact(OVERLAPPING, overlapping.count() as i64)?;
    probe.fact(LIVE, ranges.len() as i64)?;
    probe.step("read them all again")?;
    probe.fact(CHANGED, blocks.lost_bytes())?;
    blocks.free_all(&probe.crt)
}

fn refused(probe: &mut Probe, sizes: &[usize]) -> Result<(), Stop> {
    let mut live = probe.crt.need(3000)?;
    live.fill(1);
    for &size in sizes {
        probe.step(&format!("ask for {size} bytes"))?;
        // A block that nobody can use; there is nothing to free if all is well.
        probe.observe("malloc", &format!("{size:#x}"), |crt| crt.malloc(size))?;
    }
    probe.step("ask for ordinary sizes")?;
    let mut refused = 0;
    for size in SIZES {
        match probe.crt.malloc(size)? {
            Some(mut block) => {
                block.fill(2);
                probe.crt.free(block)?;
            }
            None => refused += 1,
        }
    }
    probe.fact(REFUSED, refused)?;
    probe.fact(CHANGED, live.lost_bytes(1) as i64)?;
    probe.fact(ASKED, SIZES.len() as i64)
}

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    for errno in START_ERRNO {
        probe.step(&format!("ask for several sizes, errno {errno}"))?;
        let start = ErrorState {
            errno,
            ..ErrorState::MARKED
        };
        let mut blocks = Vec::new();
        for size in [0].into_iter().chain(SIZES) {
            let arguments = size.to_string();
            blocks.extend(probe.observe_from(start, "malloc", &arguments, |crt| crt.malloc(size))?);
        }
        for block in blocks {
            probe.crt.free(block)?;
        }
    }
    Ok(())
}
