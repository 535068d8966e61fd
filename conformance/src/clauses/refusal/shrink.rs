//! A block becomes shorter where there is no memory for another one.

use super::{CHANGED, REALLOC, RECALLOC, Way, filled};
use crate::clause::Section::ReturnValue;
use crate::clause::check::{Check, none_of, only_if};
use crate::clause::{Case, Clause, Judgement, Origin, Routine, derived, should};
use crate::clauses::pages;
use crate::clauses::workload::MIB;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static OF_REALLOC: &[Clause] = &[should(
    Routine {
        name: "realloc",
        page: &pages::REALLOC,
    },
    "realloc.shrinks-without-memory",
    "realloc makes a block shorter also where malloc finds no memory",
    ORIGIN,
    &[&BY_REALLOC],
    CHECKS,
)];

pub(crate) static OF_RECALLOC: &[Clause] = &[should(
    Routine {
        name: "_recalloc",
        page: &pages::RECALLOC,
    },
    "recalloc.shrinks-without-memory",
    "_recalloc makes a block shorter also where malloc finds no memory",
    ORIGIN.on(&pages::REALLOC),
    &[&BY_RECALLOC],
    CHECKS,
)];

static BY_REALLOC: Case = Case::new(
    "realloc-shrink-without-memory",
    "limits the address space to 160 MiB more, requests blocks until malloc finds no memory, and makes blocks shorter with realloc",
    |probe| shrink(probe, &REALLOC),
);

static BY_RECALLOC: Case = Case::new(
    "recalloc-shrink-without-memory",
    "limits the address space to 160 MiB more, requests blocks until malloc finds no memory, and makes blocks shorter with _recalloc",
    |probe| shrink(probe, &RECALLOC),
);

const ORIGIN: Origin = derived(
    ReturnValue,
    "the page gives NULL for want of memory to expand the block, and a shorter block needs no more than it has",
);

const CHECKS: &[Check] = &[
    only_if("malloc finds no memory", |seen| {
        match seen.observation.fact(IS_OUT) {
            Some(1) => None,
            _ => Some(Judgement::not_judged("malloc always found memory")),
        }
    }),
    none_of(REFUSED, BLOCKS),
    none_of(CHANGED, BLOCKS),
];

const IS_OUT: &str = "malloc finds no memory";
const REFUSED: &str = "blocks that did not become shorter";
const BLOCKS: &str = "blocks to make shorter";

const ROOM: usize = 160 * MIB;
/// Sizes that use up the memory, from large gaps to small ones.
const FILLERS: [usize; 6] = [MIB, 64 << 10, 4096, 512, 64, 16];
/// No more blocks than this are requested.
const MOST: usize = 50_000;
/// Sizes before and after.
const PAIRS: [(usize, usize); 9] = [
    (4_194_304, 1_100_000),
    (4_194_304, 100),
    (1_100_000, 300_000),
    (300_000, 16_000),
    (40_000, 1000),
    (16_000, 10_000),
    (5000, 100),
    (1000, 24),
    (100, 16),
];

fn shrink(probe: &mut Probe, way: &Way) -> Result<(), Stop> {
    if !probe.crt.has(way.routine) {
        return Err(Stop::Missing(way.routine));
    }
    let resize = way.resize.unwrap_or(|_, block, _| Ok(Err(block)));
    // From the limit to the end, the probe itself allocates nothing.
    let mut fillers: Vec<Block> = Vec::with_capacity(MOST);
    let mut blocks: Vec<Block> = Vec::with_capacity(PAIRS.len());
    probe.step("limit the address space, use up the memory, and make blocks shorter")?;
    probe.limit_address_space(ROOM)?;
    for (old, _) in PAIRS {
        blocks.push(filled(way, &probe.crt, old, 1)?);
    }
    for size in FILLERS {
        while fillers.len() < MOST
            && let Some(block) = probe.crt.malloc(size)?
        {
            fillers.push(block);
        }
    }
    let another = probe.crt.malloc(FILLERS[1])?;
    let is_out = another.is_none();
    fillers.extend(another.filter(|_| fillers.len() < MOST));
    let (mut refused, mut changed) = (0, 0);
    for (block, (old, new)) in blocks.iter_mut().zip(PAIRS) {
        let (shorter, size) = match resize(&probe.crt, block.again(), new)? {
            Ok(shorter) => (shorter, new),
            Err(kept) => {
                refused += 1;
                (kept, old)
            }
        };
        changed += shorter.lost_bytes_of(1, size) as i64;
        *block = shorter;
    }
    for block in fillers.drain(..).chain(blocks.drain(..)) {
        (way.free)(&probe.crt, block)?;
    }
    probe.fact(IS_OUT, is_out.into())?;
    probe.fact(REFUSED, refused)?;
    probe.fact(CHANGED, changed)?;
    probe.fact(BLOCKS, PAIRS.len() as i64)
}
