//! `void *calloc(size_t number, size_t size)`: a block for an array of
//! elements, all 0, or NULL with `errno` set to `ENOMEM`.

use super::histories::{self, CHANGED, MISALIGNED, NOT_ZERO, OVERLAPPING, Subject};
use super::origins::{OVER_HEAP_MAXREQ, SUCCESS_KEEPS_ERRNO};
use super::sizes::{
    FUNDAMENTAL_ALIGNMENT, OVER_MAXREQ, OVERFLOWING, SIZES, START_ERRNO, UNAVAILABLE,
};
use super::workload::mixed_size;
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

const CALLOC: Routine = Routine {
    name: "calloc",
    page: &pages::CALLOC,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(CALLOC, "calloc.exported", "the library exports calloc"),
    must(
        CALLOC,
        "calloc.zeroed",
        "calloc initialises each element to 0, in blocks of all sizes",
        stated(Remarks),
        &[&FRESH],
        &[none_of(NOT_ZERO, BLOCKS)],
    ),
    must(
        CALLOC,
        "calloc.zeroed-after-reuse",
        "calloc initialises each element to 0 also in memory that was written to and freed before, and also after _heapmin returned a part of that memory to the system",
        derived(Remarks, "each element is initialised to 0, whatever its memory held before"),
        &[&REUSED, &REUSED_AFTER_HEAPMIN, &HISTORIES],
        &[none_of(NOT_ZERO, BLOCKS)],
    ),
    must(
        CALLOC,
        "calloc.zero-size",
        "calloc returns a block also for no elements and for elements of size 0",
        stated(Remarks),
        &[&ZERO_SIZE],
        &[every_call(BLOCK)],
    ),
    must(
        CALLOC,
        "calloc.alignment",
        "calloc aligns a block of any size for any type, as malloc does: to 16 bytes on 64-bit systems, to 8 bytes on 32-bit systems",
        stated(ReturnValue).and(&pages::MALLOC, ReturnValue),
        &[&FRESH, &HISTORIES],
        &[none_of(MISALIGNED, BLOCKS)],
    ),
    must(
        CALLOC,
        "calloc.blocks-are-disjoint",
        "calloc gives each live block bytes that belong to no other live block",
        derived(
            Remarks,
            "calloc allocates storage for each request, and the pointer that it returns is not aliased",
        ),
        &[&HISTORIES],
        &[none_of(OVERLAPPING, BLOCKS), none_of(CHANGED, BLOCKS)],
    ),
    must(
        CALLOC,
        "calloc.overflow",
        "calloc returns NULL and sets errno to ENOMEM if the product of number and size overflows; it never returns a smaller block",
        derived(
            Remarks,
            "an amount over _HEAP_MAXREQ is ENOMEM, and a product that overflows is such an amount; malloc, which calloc calls, returns NULL",
        )
        .and(&pages::MALLOC, ReturnValue),
        &[&OVERFLOWS],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        CALLOC,
        "calloc.over-heap-maxreq",
        "calloc returns NULL and sets errno to ENOMEM if the requested amount exceeds _HEAP_MAXREQ",
        OVER_HEAP_MAXREQ,
        &[&ABOVE_MAXREQ],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        CALLOC,
        "calloc.no-memory",
        "calloc returns NULL and sets errno to ENOMEM if there is not enough memory",
        derived(Remarks, "the page states ENOMEM; malloc, which calloc calls, returns NULL")
            .and(&pages::MALLOC, ReturnValue),
        &[&NO_MEMORY],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        CALLOC,
        "calloc.success-keeps-errno",
        "calloc leaves errno and _doserrno as they were when it returns a block",
        SUCCESS_KEEPS_ERRNO,
        &[&START_VALUES],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static FRESH: Case = Case::new(
    "calloc-fresh",
    "allocates zeroed blocks of many sizes, as one element and as many elements",
    |probe| allocate_zeroed(probe, "request zeroed blocks"),
);

static REUSED: Case = Case::new(
    "calloc-after-reuse",
    "fills and frees 16 MiB of blocks, then allocates zeroed blocks",
    |probe| {
        fill_and_free(probe)?;
        allocate_zeroed(probe, "request zeroed blocks in their place")
    },
);

static REUSED_AFTER_HEAPMIN: Case = Case::new(
    "calloc-after-heapmin",
    "fills and frees 16 MiB of blocks, calls _heapmin, then allocates zeroed blocks",
    |probe| {
        fill_and_free(probe)?;
        probe.step("_heapmin")?;
        probe.crt.heapmin()?;
        allocate_zeroed(probe, "request zeroed blocks in their place")
    },
);

static HISTORIES: Case = Case::new(
    "calloc-histories",
    "allocates zeroed blocks of 1 byte to 64 MiB in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::plain(probe, &SUBJECT, BLOCKS),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, _| crt.calloc(1, size),
    resize: None,
    others: &[histories::REALLOC],
    free: |crt, block| crt.free(block),
    zeroes: true,
    may_refuse: false,
};

static ZERO_SIZE: Case = Case::new(
    "calloc-zero-size",
    "requests no elements, and elements of size 0",
    |probe| request(probe, &[(0, 8), (8, 0), (0, 0), (0, usize::MAX)]),
);

static OVERFLOWS: Case = Case::new(
    "calloc-overflow",
    "requests products that overflow, some of them to small numbers",
    |probe| request(probe, &OVERFLOWING),
);

static ABOVE_MAXREQ: Case = Case::new(
    "calloc-over-heap-maxreq",
    "requests one element of more than _HEAP_MAXREQ bytes",
    |probe| request(probe, &OVER_MAXREQ.map(|size| (1, size))),
);

static NO_MEMORY: Case = Case::new(
    "calloc-no-memory",
    "requests more memory than any system has",
    |probe| request(probe, &UNAVAILABLE.map(|size| (size / 8, 8))),
);

static START_VALUES: Case = Case::new(
    "calloc-start-values",
    "allocates sizes up to 4 MiB, from several values of errno",
    ordinary,
);

const BLOCKS: &str = "blocks";

/// Writes to 16 MiB of blocks and frees them, but for one in fifty, which stays
/// alive between them.
fn fill_and_free(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("fill and free 16 MiB of blocks")?;
    let mut blocks = Blocks::with_room_for(3500)?;
    blocks.fill(&probe.crt, mixed_size)?;
    blocks.free_where(&probe.crt, |index| index % 50 != 0)
}

fn allocate_zeroed(probe: &mut Probe, step: &str) -> Result<(), Stop> {
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
        // A later block in this memory must be zeroed again.
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

fn request(probe: &mut Probe, requests: &[(usize, usize)]) -> Result<(), Stop> {
    for &(number, size) in requests {
        let arguments = format!("{number:#x}, {size:#x}");
        probe.step(&format!("calloc({arguments})"))?;
        probe.observe("calloc", &arguments, |crt| crt.calloc(number, size))?;
    }
    Ok(())
}

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    for errno in START_ERRNO {
        probe.step(&format!("request several sizes, errno {errno}"))?;
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
