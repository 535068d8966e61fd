//! `void *_recalloc(void *memblock, size_t num, size_t size)`: `realloc` whose
//! new bytes are zero.

use super::sizes::{NOT_TO_BE_HAD, OVER_MAXREQ, OVERFLOWING, SIZES};
use crate::clause::Section::Remarks;
use crate::clause::check::{BLOCK, NULL, every_call, none_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const RECALLOC: Routine = Routine {
    name: "_recalloc",
    page: &pages::RECALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _recalloc
    // EXPECTED: the loader finds a routine named _recalloc
    exported(
        RECALLOC,
        "recalloc.exported",
        "the library exports _recalloc",
    ),
    // PAGE: _recalloc
    // EXPECTED: every byte behind the old size 0, from each of several sizes to each larger one
    must(
        RECALLOC,
        "recalloc.new-bytes-zero",
        "the elements that are added are initialised to 0, also where the block had room for them before",
        stated(Remarks),
        &[&GROWING],
        &[none_of(NOT_ZERO, RESIZED)],
    ),
    // PAGE: _recalloc
    // EXPECTED: every byte as written
    must(
        RECALLOC,
        "recalloc.keeps-contents",
        "the contents are unchanged up to the shorter of the new and old sizes",
        stated(Remarks),
        &[&GROWING, &SHRINKING],
        &[none_of(CHANGED, RESIZED)],
    ),
    // PAGE: _recalloc
    // EXPECTED: a block with every byte 0, errno kept
    must(
        RECALLOC,
        "recalloc.null-acts-as-calloc",
        "without a block it behaves as calloc does",
        stated(Remarks),
        &[&OF_NULL],
        &[none_of(NOT_ZERO, RESIZED), every_call(BLOCK.keeps_errno())],
    ),
    // PAGE: _recalloc
    // EXPECTED: NULL, errno kept
    must(
        RECALLOC,
        "recalloc.zero-size-gives-null",
        "a requested size of 0 frees the block and gives NULL, which is no failure",
        stated(Remarks),
        &[&ZERO],
        &[every_call(NULL.keeps_errno())],
    ),
    // PAGE: _recalloc
    // EXPECTED: NULL, errno ENOMEM
    must(
        RECALLOC,
        "recalloc.overflow",
        "a product of number and size that overflows gives NULL and ENOMEM, never a smaller block",
        stated(Remarks),
        &[&OVERFLOWS],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: _recalloc, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM
    must(
        RECALLOC,
        "recalloc.no-memory",
        "a request over _HEAP_MAXREQ, or that there is no memory for, gives NULL and ENOMEM",
        stated(Remarks),
        &[&OVER, &TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: _recalloc
    // EXPECTED: every byte as written
    must(
        RECALLOC,
        "recalloc.failure-keeps-block",
        "when it fails, the original block is left unchanged",
        stated(Remarks),
        &[&OVERFLOWS, &OVER, &TOO_MUCH],
        &[none_of(CHANGED, RESIZED)],
    ),
    // PAGE: errno
    // EXPECTED: a block, errno and _doserrno as before
    must(
        RECALLOC,
        "recalloc.success-keeps-errno",
        "a call that succeeds leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&SHRINKING],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static GROWING: Case = Case::new(
    "recalloc-growing",
    "fills blocks of sixteen sizes, and of those one byte smaller, and resizes each to each larger size",
    growing,
);

static SHRINKING: Case = Case::new(
    "recalloc-shrinking",
    "fills blocks of several sizes and makes them smaller",
    shrinking,
);

static OF_NULL: Case = Case::new(
    "recalloc-null",
    "calls _recalloc without a block, where others have written before",
    null,
);

static ZERO: Case = Case::new(
    "recalloc-zero-size",
    "resizes blocks to no elements, and to elements of no size",
    zero,
);

static OVERFLOWS: Case = Case::new(
    "recalloc-overflow",
    "resizes blocks to products that overflow",
    |probe| refused(probe, &OVERFLOWING),
);

static OVER: Case = Case::new(
    "recalloc-over-heap-maxreq",
    "resizes blocks to more than _HEAP_MAXREQ",
    |probe| refused(probe, &OVER_MAXREQ.map(|size| (1, size))),
);

static TOO_MUCH: Case = Case::new(
    "recalloc-no-memory",
    "resizes blocks to more than any system has",
    |probe| refused(probe, &NOT_TO_BE_HAD.map(|size| (size / 8, 8))),
);

const NOT_ZERO: &str = "bytes other than 0";
const CHANGED: &str = "bytes changed";
const RESIZED: &str = "blocks resized";

fn growing(probe: &mut Probe) -> Result<(), Stop> {
    let (mut not_zero, mut changed, mut count) = (0, 0, 0);
    // One byte less each: then the library may well have had room for one more.
    let sizes = SIZES.into_iter().chain(SIZES.map(|size| size - 1));
    for old in sizes.filter(|size| *size > 0) {
        probe.step(&format!("from {old} bytes to each larger size"))?;
        let near = [old + 1, old + 6, old + 15];
        for new in near.into_iter().chain(SIZES).filter(|new| *new > old) {
            // Memory that somebody has written to.
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
        if let Ok(block) = given {
            not_zero += block.bytes_other_than(0, 0) as i64;
            count += 1;
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
            // A block that should not have come may be a small one.
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
