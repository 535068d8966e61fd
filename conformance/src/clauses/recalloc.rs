//! `void *_recalloc(void *memblock, size_t num, size_t size)`: `realloc` for an
//! array of elements, whose new bytes are 0.

use super::histories::{self, CHANGED, MISALIGNED, NOT_ZERO, Subject};
use super::origins::SUCCESS_KEEPS_ERRNO;
use super::sizes::{OVER_MAXREQ, OVERFLOWING, SIZES, UNAVAILABLE};
use crate::clause::Section::{Introduction, Remarks, ReturnValue};
use crate::clause::check::{BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const RECALLOC: Routine = Routine {
    name: "_recalloc",
    page: &pages::RECALLOC,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(
        RECALLOC,
        "recalloc.exported",
        "the library exports _recalloc",
    ),
    must(
        RECALLOC,
        "recalloc.new-bytes-zero",
        "_recalloc initialises the bytes after the old size to 0, also where the block had room for them before",
        derived(
            Introduction,
            "_recalloc combines realloc with calloc, and initialises elements to 0",
        ),
        &[&GROWING, &HISTORIES],
        &[none_of(NOT_ZERO, RESIZED)],
    ),
    must(
        RECALLOC,
        "recalloc.keeps-contents",
        "_recalloc leaves the contents unchanged up to the shorter of the new and old sizes",
        derived(
            Introduction,
            "_recalloc combines realloc with calloc, and realloc keeps the contents",
        )
        .and(&pages::REALLOC, Remarks),
        &[&GROWING, &SHRINKING, &HISTORIES],
        &[none_of(CHANGED, RESIZED)],
    ),
    must(
        RECALLOC,
        "recalloc.alignment",
        "_recalloc aligns a block for any type, as malloc does: to 16 bytes on 64-bit systems, to 8 bytes on 32-bit systems",
        stated(ReturnValue).and(&pages::MALLOC, ReturnValue),
        &[&HISTORIES],
        &[none_of(MISALIGNED, RESIZED)],
    ),
    must(
        RECALLOC,
        "recalloc.null-acts-as-calloc",
        "_recalloc of NULL behaves as calloc does: it returns a block of zeros and leaves errno as it was",
        derived(
            Remarks,
            "the page states that it behaves as calloc, which sets errno only on failure",
        )
        .and(&pages::CALLOC, Remarks),
        &[&OF_NULL],
        &[none_of(NOT_ZERO, RESIZED), every_call(BLOCK.keeps_errno())],
    ),
    must(
        RECALLOC,
        "recalloc.zero-size-gives-null",
        "_recalloc to a size of 0 frees the block, returns NULL and leaves errno as it was, because it is no failure",
        derived(
            ReturnValue,
            "the page states NULL; it sets errno on failures, and size 0 is not one of them",
        )
        .and(&pages::RECALLOC, Remarks),
        &[&ZERO],
        &[every_call(NULL.keeps_errno())],
    ),
    must(
        RECALLOC,
        "recalloc.overflow",
        "_recalloc returns NULL and sets errno to ENOMEM if the product of number and size overflows; it never returns a smaller block",
        derived(
            Remarks,
            "an amount over _HEAP_MAXREQ is ENOMEM, and a product that overflows is such an amount",
        )
        .and(&pages::HEAP_MAXREQ, Remarks),
        &[&OVERFLOWS],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        RECALLOC,
        "recalloc.no-memory",
        "_recalloc returns NULL and sets errno to ENOMEM if the requested amount exceeds _HEAP_MAXREQ or there is not enough memory",
        derived(
            Remarks,
            "the page states ENOMEM for both, and NULL for a lack of memory; _HEAP_MAXREQ is the largest request that can be granted",
        )
        .and(&pages::RECALLOC, ReturnValue),
        &[&OVER, &TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        RECALLOC,
        "recalloc.failure-keeps-block",
        "_recalloc leaves the original block unchanged when it fails",
        stated(ReturnValue),
        &[&OVERFLOWS, &OVER, &TOO_MUCH],
        &[none_of(CHANGED, RESIZED)],
    ),
    must(
        RECALLOC,
        "recalloc.success-keeps-errno",
        "_recalloc leaves errno and _doserrno as they were when it returns a block",
        SUCCESS_KEEPS_ERRNO,
        &[&SHRINKING],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static GROWING: Case = Case::new(
    "recalloc-growing",
    "fills blocks of sixteen sizes, and of one byte less than each, and resizes each to every larger size",
    growing,
);

static SHRINKING: Case = Case::new(
    "recalloc-shrinking",
    "fills blocks of several sizes and makes them smaller",
    shrinking,
);

static HISTORIES: Case = Case::new(
    "recalloc-histories",
    "shrinks and grows blocks of 1 byte to 64 MiB several times, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::plain(probe, &SUBJECT, RESIZED),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, _| Ok(crt.recalloc(Block::null(), size, 1)?.ok()),
    resize: Some(|crt, block, size, _| crt.recalloc(block, size, 1)),
    others: &[histories::REALLOC, histories::EXPAND],
    free: |crt, block| crt.free(block),
    zeroes: true,
    may_refuse: false,
};

static OF_NULL: Case = Case::new(
    "recalloc-null",
    "calls _recalloc with NULL after blocks of the same sizes were filled and freed",
    null,
);

static ZERO: Case = Case::new(
    "recalloc-zero-size",
    "resizes blocks to no elements, and to elements of size 0",
    zero,
);

static OVERFLOWS: Case = Case::new(
    "recalloc-overflow",
    "resizes blocks to products that overflow",
    |probe| refused(probe, &OVERFLOWING),
);

static OVER: Case = Case::new(
    "recalloc-over-heap-maxreq",
    "resizes blocks to more than _HEAP_MAXREQ bytes",
    |probe| refused(probe, &OVER_MAXREQ.map(|size| (1, size))),
);

static TOO_MUCH: Case = Case::new(
    "recalloc-no-memory",
    "resizes blocks to more memory than any system has",
    |probe| refused(probe, &UNAVAILABLE.map(|size| (size / 8, 8))),
);

const RESIZED: &str = "blocks resized";

fn growing(probe: &mut Probe) -> Result<(), Stop> {
    let (mut not_zero, mut changed, mut count) = (0, 0, 0);
    // One byte less: a heap that rounds sizes up had room for one byte more.
    let sizes = SIZES.into_iter().chain(SIZES.map(|size| size - 1));
    for old in sizes.filter(|size| *size > 0) {
        probe.step(&format!("from {old} bytes to each larger size"))?;
        let near = [old + 1, old + 6, old + 15];
        for new in near.into_iter().chain(SIZES).filter(|new| *new > old) {
            // The new block may get this memory, which is not 0.
            let mut before = probe.crt.need(new)?;
            before.fill(9);
            probe.crt.free(before)?;
            let mut block = probe.crt.need(old)?;
            block.fill(1);
            let resized = probe.crt.recalloc(block, new, 1)?;
            let block = resized.map_err(|_| Stop::OutOfMemory(new))?;
            changed += block.lost_bytes_of(1, old);
            not_zero += block.bytes_other_than(0, old);
            count += 1;
            probe.crt.free(block)?;
        }
    }
    probe.fact(NOT_ZERO, not_zero as i64)?;
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(RESIZED, count)
}

fn shrinking(probe: &mut Probe) -> Result<(), Stop> {
    let (mut changed, mut count) = (0, 0);
    for size in SIZES {
        let mut block = probe.crt.need(size)?;
        block.fill(1);
        for divisor in [1, 2, 3, 10, 1000] {
            let less = (size / divisor).max(1);
            let arguments = format!("block of {size}, {less}, 1");
            probe.step(&format!("_recalloc({arguments})"))?;
            let given =
                probe.observe("_recalloc", &arguments, |crt| crt.recalloc(block, less, 1))?;
            block = given.unwrap_or_else(|block| block.with_size(less));
            changed += block.lost_bytes(1);
            count += 1;
        }
        probe.crt.free(block)?;
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(RESIZED, count)
}

fn null(probe: &mut Probe) -> Result<(), Stop> {
    let (mut not_zero, mut count) = (0, 0);
    for size in SIZES {
        let mut before = probe.crt.need(size)?;
        before.fill(9);
        probe.crt.free(before)?;
        let arguments = format!("NULL, {size}, 1");
        probe.step(&format!("_recalloc({arguments})"))?;
        let given = probe.observe("_recalloc", &arguments, |crt| {
            crt.recalloc(Block::null(), size, 1)
        })?;
        count += 1;
        if let Ok(block) = given {
            not_zero += block.bytes_other_than(0, 0) as i64;
            probe.crt.free(block)?;
        }
    }
    probe.fact(NOT_ZERO, not_zero)?;
    probe.fact(RESIZED, count)
}

fn zero(probe: &mut Probe) -> Result<(), Stop> {
    for (number, size) in [(0, 8), (8, 0), (0, 0)] {
        let block = probe.crt.need(1000)?;
        let arguments = format!("block, {number}, {size}");
        probe.step(&format!("_recalloc({arguments})"))?;
        let given = probe.observe("_recalloc", &arguments, |crt| {
            crt.recalloc(block, number, size)
        })?;
        if let Ok(block) = given {
            probe.crt.free(block)?;
        }
    }
    Ok(())
}

fn refused(probe: &mut Probe, requests: &[(usize, usize)]) -> Result<(), Stop> {
    let (mut changed, mut count) = (0, 0);
    for old in [24, 3000, 200_000] {
        let mut block = probe.crt.need(old)?;
        block.fill(1);
        for &(number, size) in requests {
            let arguments = format!("block of {old}, {number:#x}, {size:#x}");
            probe.step(&format!("_recalloc({arguments})"))?;
            let given = probe.observe("_recalloc", &arguments, |crt| {
                crt.recalloc(block, number, size)
            })?;
            // A block that was returned in error may be a small one.
            block = match given {
                Err(block) => block,
                Ok(wrong) => {
                    probe.crt.free(wrong)?;
                    let mut other = probe.crt.need(old)?;
                    other.fill(1);
                    other
                }
            };
            changed += block.lost_bytes(1);
            count += 1;
        }
        probe.crt.free(block)?;
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(RESIZED, count)
}
