//! `void *malloc(size_t size)`: a block of at least `size` bytes, or NULL with
//! `errno` set to `ENOMEM`.

pub(super) mod edges;
pub(super) mod fork;
pub(super) mod large;
pub(super) mod threads;

use super::histories::{self, CHANGED, MISALIGNED, OVERLAPPING, Subject};
use super::origins::{OVER_HEAP_MAXREQ, SUCCESS_KEEPS_ERRNO};
use super::sizes::{FUNDAMENTAL_ALIGNMENT, OVER_MAXREQ, SIZES, START_ERRNO, UNAVAILABLE};
use super::workload::mixed_size;
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

const MALLOC: Routine = Routine {
    name: "malloc",
    page: &pages::MALLOC,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(MALLOC, "malloc.exported", "the library exports malloc"),
    must(
        MALLOC,
        "malloc.zero-size",
        "malloc returns a valid pointer for a request of 0 bytes, and another one for each such request while the others are live",
        derived(
            ReturnValue,
            "malloc allocates an item of its own for each such request and returns a valid pointer to it",
        ),
        &[&ZERO],
        &[every_call(BLOCK), none_of(SAME, LIVE)],
    ),
    must(
        MALLOC,
        "malloc.alignment",
        "malloc aligns a block of any size for any type: to 16 bytes on 64-bit systems, to 8 bytes on 32-bit systems",
        stated(ReturnValue),
        &[&MANY_SIZES, &HISTORIES],
        &[none_of(MISALIGNED, LIVE)],
    ),
    must(
        MALLOC,
        "malloc.blocks-are-disjoint",
        "malloc gives each live block bytes that belong to no other live block",
        derived(
            Remarks,
            "malloc allocates at least size bytes for each request, and the pointer that it returns is not aliased",
        ),
        &[&MANY_SIZES, &HISTORIES],
        &[none_of(OVERLAPPING, LIVE), none_of(CHANGED, LIVE)],
    ),
    must(
        MALLOC,
        "malloc.over-heap-maxreq",
        "malloc returns NULL and sets errno to ENOMEM if the requested size exceeds _HEAP_MAXREQ",
        OVER_HEAP_MAXREQ,
        &[&OVER],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        MALLOC,
        "malloc.no-memory",
        "malloc returns NULL and sets errno to ENOMEM if there is not enough memory",
        stated(ReturnValue).and(&pages::MALLOC, Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        MALLOC,
        "malloc.usable-after-failure",
        "a request that malloc refuses harms neither live blocks nor later requests",
        derived(
            Remarks,
            "the page names no effect of a failure but NULL and ENOMEM",
        ),
        &[&OVER, &TOO_MUCH],
        &[none_of(REFUSED, REQUESTS), none_of(CHANGED, REQUESTS)],
    ),
    must(
        MALLOC,
        "malloc.success-keeps-errno",
        "malloc leaves errno and _doserrno as they were when it returns a block",
        SUCCESS_KEEPS_ERRNO,
        &[&ORDINARY],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static ZERO: Case = Case::new(
    "malloc-zero-size",
    "requests 0 bytes three times, and blocks of other sizes between",
    zero,
);

static MANY_SIZES: Case = Case::new(
    "malloc-many-sizes",
    "allocates and fills 4000 blocks of sizes from 1 byte on, compares their addresses, and reads them all again",
    many_sizes,
);

static HISTORIES: Case = Case::new(
    "malloc-histories",
    "allocates and fills blocks of 1 byte to 64 MiB in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::plain(probe, &SUBJECT, LIVE),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, _| crt.malloc(size),
    resize: None,
    others: &[histories::REALLOC],
    free: |crt, block| crt.free(block),
    zeroes: false,
    may_refuse: false,
};

static OVER: Case = Case::new(
    "malloc-over-heap-maxreq",
    "requests more than _HEAP_MAXREQ bytes, then ordinary sizes",
    |probe| refused(probe, &OVER_MAXREQ),
);

static TOO_MUCH: Case = Case::new(
    "malloc-no-memory",
    "requests more memory than any system has, then ordinary sizes",
    |probe| refused(probe, &UNAVAILABLE),
);

static ORDINARY: Case = Case::new(
    "malloc-start-values",
    "allocates sizes up to 4 MiB, from several values of errno",
    ordinary,
);

const LIVE: &str = "live blocks";
const SAME: &str = "addresses given twice";
const REFUSED: &str = "ordinary requests refused";
const REQUESTS: &str = "ordinary requests";

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
        probe.step(&format!("request {size} bytes"))?;
        // A block that is returned in error is not used or freed.
        probe.observe("malloc", &format!("{size:#x}"), |crt| crt.malloc(size))?;
    }
    probe.step("request ordinary sizes")?;
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
    probe.fact(REQUESTS, SIZES.len() as i64)
}

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    for errno in START_ERRNO {
        probe.step(&format!("request several sizes, errno {errno}"))?;
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
