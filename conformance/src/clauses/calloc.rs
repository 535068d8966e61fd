//! `void *calloc(size_t number, size_t size)`: a block for so many items, all
//! zero, or NULL with `errno` set to `ENOMEM`.

use super::sizes::{
    FUNDAMENTAL_ALIGNMENT, NOT_TO_BE_HAD, OVER_MAXREQ, OVERFLOWING, SIZES, START_ERRNO,
};
use super::workload::mixed_size;
use crate::clause::Section::Remarks;
use crate::clause::check::{BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

const CALLOC: Routine = Routine {
    name: "calloc",
    page: &pages::CALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: calloc
    // EXPECTED: the loader finds a routine named calloc
    exported(CALLOC, "calloc.exported", "the library exports calloc"),
    // PAGE: calloc
    // EXPECTED: every byte 0, in blocks of all sizes
    must(
        CALLOC,
        "calloc.zeroed",
        "each element is initialised to 0",
        stated(Remarks),
        &[&FRESH],
        &[none_of(NOT_ZERO, BLOCKS)],
    ),
    // PAGE: calloc
    // EXPECTED: every byte 0, in blocks that take the place of freed ones
    must(
        CALLOC,
        "calloc.zeroed-after-reuse",
        "so is memory that others have written to and freed, also after part of it went back to the system",
        stated(Remarks),
        &[&REUSED, &REUSED_AFTER_HEAPMIN],
        &[none_of(NOT_ZERO, BLOCKS)],
    ),
    // PAGE: calloc
    // EXPECTED: not NULL
    must(
        CALLOC,
        "calloc.zero-size",
        "no elements, or elements of no size, give a block all the same",
        stated(Remarks),
        &[&NOTHING],
        &[every_call(BLOCK)],
    ),
    // PAGE: calloc
    // EXPECTED: every address a multiple of 16 (of 8 on 32-bit systems)
    must(
        CALLOC,
        "calloc.alignment",
        "a block of any size is aligned for any type, as malloc's are",
        stated(Remarks),
        &[&FRESH],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    // PAGE: calloc
    // EXPECTED: NULL, errno ENOMEM
    must(
        CALLOC,
        "calloc.overflow",
        "a product of number and size that overflows gives NULL and ENOMEM, never a smaller block",
        stated(Remarks),
        &[&OVERFLOWS],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: calloc, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM
    must(
        CALLOC,
        "calloc.over-heap-maxreq",
        "a request over _HEAP_MAXREQ gives NULL and ENOMEM",
        stated(Remarks),
        &[&OVER],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: calloc
    // EXPECTED: NULL, errno ENOMEM
    must(
        CALLOC,
        "calloc.no-memory",
        "a request that there is no memory for gives NULL and ENOMEM",
        stated(Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: errno
    // EXPECTED: a block, errno and _doserrno as before, from every start value
    must(
        CALLOC,
        "calloc.success-keeps-errno",
        "a request that succeeds leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ORDINARY],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static FRESH: Case = Case::new(
    "calloc-fresh",
    "asks for zeroed blocks of many sizes, as one element and as many",
    |probe| look_at_zeroed(probe, "ask for zeroed blocks"),
);

static REUSED: Case = Case::new(
    "calloc-after-reuse",
    "fills and frees 16 MiB of blocks, then asks for zeroed ones",
    |probe| {
        dirty(probe)?;
        look_at_zeroed(probe, "ask for zeroed blocks in their place")
    },
);

static REUSED_AFTER_HEAPMIN: Case = Case::new(
    "calloc-after-heapmin",
    "the same, with _heapmin between",
    |probe| {
        dirty(probe)?;
        probe.step("_heapmin")?;
        probe.crt.heapmin()?;
        look_at_zeroed(probe, "ask for zeroed blocks in their place")
    },
);

static NOTHING: Case = Case::new(
    "calloc-zero-size",
    "asks for no elements, and for elements of no size",
    |probe| ask(probe, &[(0, 8), (8, 0), (0, 0), (0, usize::MAX)]),
);

static OVERFLOWS: Case = Case::new(
    "calloc-overflow",
    "asks for products that overflow, some to small numbers",
    |probe| ask(probe, &OVERFLOWING),
);

static OVER: Case = Case::new(
    "calloc-over-heap-maxreq",
    "asks for one element over _HEAP_MAXREQ",
    |probe| ask(probe, &OVER_MAXREQ.map(|size| (1, size))),
);

static TOO_MUCH: Case = Case::new(
    "calloc-no-memory",
    "asks for more than any system has",
    |probe| ask(probe, &NOT_TO_BE_HAD.map(|size| (size / 8, 8))),
);

static ORDINARY: Case = Case::new(
    "calloc-start-values",
    "asks for sizes up to 4 MiB from several values of errno",
    ordinary,
);

const NOT_ZERO: &str = "bytes other than 0";
const MISALIGNED: &str = "misaligned blocks";
const BLOCKS: &str = "blocks";

/// Leaves the heap with 16 MiB of memory that others have written to, with
/// some of their blocks still alive between.
fn dirty(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("fill and free 16 MiB of blocks")?;
    let mut blocks = Blocks::with_room_for(3500)?;
    blocks.fill(&probe.crt, mixed_size)?;
    blocks.free_where(&probe.crt, |index| index % 50 != 0)
}

fn look_at_zeroed(probe: &mut Probe, step: &str) -> Result<(), Stop> {
    probe.step(step)?;
    let (mut not_zero, mut misaligned, mut count) = (0, 0, 0);
    let mut blocks = Vec::new();
    let small = (1..=600).map(|size| (1, size));
    let many = SIZES.map(|size| (size.div_ceil(8), 8));
    let mixed = (0..1500).map(|index| (1, mixed_size(index)));
    for (number, size) in small.chain(many).chain(mixed) {
        let total = number * size;
        let mut block = probe
            .crt
            .calloc(number, size)?
            .ok_or(Stop::OutOfMemory(total))?;
        not_zero += block.bytes_other_than(0, 0) as i64;
        misaligned += i64::from(block.address() % FUNDAMENTAL_ALIGNMENT != 0);
        count += 1;
        // For the next owner not to find it as it was given.
        block.fill(count as u64);
        match count % 3 {
            0 => blocks.push(block),
            _ => probe.crt.free(block)?,
        }
    }
    for block in blocks {
        probe.crt.free(block)?;
    }
    probe.fact(NOT_ZERO, not_zero)?;
    probe.fact(MISALIGNED, misaligned)?;
    probe.fact(BLOCKS, count)
}

fn ask(probe: &mut Probe, requests: &[(usize, usize)]) -> Result<(), Stop> {
    for &(number, size) in requests {
        let arguments = format!("{number:#x}, {size:#x}");
        probe.step(&format!("calloc({arguments})"))?;
        probe.observe("calloc", &arguments, |crt| crt.calloc(number, size))?;
    }
    Ok(())
}

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    for errno in START_ERRNO {
        probe.step(&format!("ask for several sizes, errno {errno}"))?;
        let start = ErrorState {
            errno,
            ..ErrorState::MARKED
        };
        let mut blocks = Vec::new();
        for size in SIZES {
            let arguments = format!("1, {size}");
            blocks.extend(
                probe.observe_from(start, "calloc", &arguments, |crt| crt.calloc(1, size))?,
            );
        }
        for block in blocks {
            probe.crt.free(block)?;
        }
    }
    Ok(())
}
