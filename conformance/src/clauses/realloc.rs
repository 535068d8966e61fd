//! `void *realloc(void *memblock, size_t size)`: the block with a new size, at
//! the same or another address, or NULL with `errno` set to `ENOMEM`.

use super::histories::{self, CHANGED, MISALIGNED, Subject};
use super::limits;
use super::origins::{OVER_HEAP_MAXREQ, SUCCESS_KEEPS_ERRNO};
use super::sizes::{FUNDAMENTAL_ALIGNMENT, OVER_MAXREQ, SIZES, START_ERRNO, UNAVAILABLE};
use super::workload::{FEW_SIZES, MIB, grows_by_at_most, leave_few};
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{BLOCK, NULL, by, every_call, none_of};
use crate::clause::{Case, Clause, Routine, derived, limited, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

const REALLOC: Routine = Routine {
    name: "realloc",
    page: &pages::REALLOC,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(REALLOC, "realloc.exported", "the library exports realloc"),
    must(
        REALLOC,
        "realloc.null-acts-as-malloc",
        "realloc of NULL behaves as malloc does: it returns a block, also for size 0, and leaves errno as it was",
        derived(
            Remarks,
            "realloc of NULL behaves as malloc, which allocates an item also for size 0 and sets errno only on failure",
        )
        .and(&pages::MALLOC, ReturnValue),
        &[&OF_NULL],
        &[every_call(BLOCK.keeps_errno())],
    ),
    must(
        REALLOC,
        "realloc.zero-size-gives-null",
        "realloc to size 0 returns NULL and leaves errno as it was, because it is no failure",
        derived(
            ReturnValue,
            "the page states NULL; it sets errno on failures, and size 0 is not one of them",
        )
        .and(&pages::REALLOC, Remarks),
        &[&ZERO],
        &[every_call(NULL.keeps_errno())],
    ),
    must(
        REALLOC,
        "realloc.zero-size-frees",
        "realloc to size 0 frees the block, so that its memory is available again",
        limited(ReturnValue, &limits::TENTH_OF_FREED_BLOCKS),
        &[&ZERO_MANY],
        &[by(
            "after 64 blocks of 1 MiB, each freed before the next is allocated, at most 6.4 MiB more are resident than before",
            |seen| grows_by_at_most(64 * MIB / 10, seen),
        )],
    ),
    must(
        REALLOC,
        "realloc.keeps-contents",
        "realloc leaves the contents unchanged up to the shorter of the new and old sizes",
        stated(Remarks),
        &[&ALL_PAIRS, &STEP_BY_STEP, &HISTORIES, &BESIDE_SMALL, &FEW_LEFT],
        &[none_of(CHANGED, RESIZED)],
    ),
    must(
        REALLOC,
        "realloc.alignment",
        "realloc aligns a resized block for any type, as malloc does: to 16 bytes on 64-bit systems, to 8 bytes on 32-bit systems",
        stated(ReturnValue).and(&pages::MALLOC, ReturnValue),
        &[&ALL_PAIRS, &STEP_BY_STEP, &HISTORIES],
        &[none_of(MISALIGNED, RESIZED)],
    ),
    must(
        REALLOC,
        "realloc.over-heap-maxreq",
        "realloc returns NULL and sets errno to ENOMEM if the new size exceeds _HEAP_MAXREQ",
        OVER_HEAP_MAXREQ,
        &[&OVER],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        REALLOC,
        "realloc.no-memory",
        "realloc returns NULL and sets errno to ENOMEM if there is not enough memory",
        stated(ReturnValue).and(&pages::REALLOC, Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    must(
        REALLOC,
        "realloc.failure-keeps-block",
        "realloc leaves the original block unchanged when it fails; the caller can resize and free it as before",
        derived(
            ReturnValue,
            "the page states that the original block is left unchanged, so that it is still the caller's",
        ),
        &[&OVER, &TOO_MUCH],
        &[none_of(CHANGED, RESIZED)],
    ),
    must(
        REALLOC,
        "realloc.success-keeps-errno",
        "realloc leaves errno and _doserrno as they were when it returns a block",
        SUCCESS_KEEPS_ERRNO,
        &[&ORDINARY],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static OF_NULL: Case = Case::new(
    "realloc-null",
    "calls realloc with NULL and several sizes",
    null,
);

static ZERO: Case = Case::new(
    "realloc-zero-size",
    "resizes blocks of several sizes to 0",
    zero,
);

static ZERO_MANY: Case = Case::new(
    "realloc-zero-size-memory",
    "allocates and fills 1 MiB and resizes it to 0, 64 times",
    zero_many,
);

static ALL_PAIRS: Case = Case::new(
    "realloc-all-pairs",
    "resizes blocks from each of sixteen sizes to each of them, with neighbours alive",
    all_pairs,
);

static STEP_BY_STEP: Case = Case::new(
    "realloc-step-by-step",
    "grows a block from 1 byte to 90 KB in 300 steps, with other blocks allocated between, and shrinks it in 300 steps",
    step_by_step,
);

static HISTORIES: Case = Case::new(
    "realloc-histories",
    "shrinks and grows blocks of 1 byte to 64 MiB several times, in memory that was used, released, freed by another thread, or given up by a block that was resized",
    |probe| histories::plain(probe, &SUBJECT, RESIZED),
);

const SUBJECT: Subject = Subject {
    allocate: |crt, size, _| Ok(crt.realloc(Block::null(), size)?.ok()),
    resize: Some(histories::REALLOC.1),
    others: &[histories::REALLOC, histories::EXPAND],
    free: |crt, block| crt.free(block),
    zeroes: false,
    may_refuse: false,
};

static BESIDE_SMALL: Case = Case::new(
    "realloc-beside-small-blocks",
    "grows blocks of 64 KiB to 1 MiB four times each, after 1 MiB of small blocks of one size was allocated next to them, for four sizes",
    beside_small,
);

static FEW_LEFT: Case = Case::new(
    "realloc-few-after-release",
    "fills 4 MiB with blocks of one size, frees all but one in 1000, calls _heapmin, and doubles the blocks that are left, for five sizes",
    few_left,
);

static OVER: Case = Case::new(
    "realloc-over-heap-maxreq",
    "resizes blocks to more than _HEAP_MAXREQ bytes, then to an ordinary size",
    |probe| refused(probe, &OVER_MAXREQ),
);

static TOO_MUCH: Case = Case::new(
    "realloc-no-memory",
    "resizes blocks to more memory than any system has, then to an ordinary size",
    |probe| refused(probe, &UNAVAILABLE),
);

static ORDINARY: Case = Case::new(
    "realloc-start-values",
    "resizes a block through several sizes, from several values of errno",
    ordinary,
);

const RESIZED: &str = "blocks resized";

fn null(probe: &mut Probe) -> Result<(), Stop> {
    for size in [0].into_iter().chain(SIZES) {
        let arguments = format!("NULL, {size}");
        probe.step(&format!("realloc({arguments})"))?;
        let given = probe.observe("realloc", &arguments, |crt| {
            crt.realloc(Block::null(), size)
        })?;
        if let Ok(mut block) = given {
            block.fill(1);
            probe.crt.free(block)?;
        }
    }
    Ok(())
}

fn zero(probe: &mut Probe) -> Result<(), Stop> {
    for size in SIZES {
        let block = probe.crt.need(size)?;
        probe.step(&format!("resize {size} bytes to 0"))?;
        let given = probe.observe("realloc", "block, 0", |crt| crt.realloc(block, 0))?;
        // A library that returns a block for size 0 has freed the old one.
        if let Ok(block) = given {
            probe.crt.free(block)?;
        }
    }
    Ok(())
}

fn zero_many(probe: &mut Probe) -> Result<(), Stop> {
    let touch = |probe: &mut Probe| -> Result<(), Stop> {
        let mut block = probe.crt.need(MIB)?;
        block.fill(3);
        if let Ok(block) = probe.crt.realloc(block, 0)? {
            probe.crt.free(block)?;
        }
        Ok(())
    };
    touch(probe)?;
    probe.moment("baseline")?;
    probe.step("64 times: allocate and fill 1 MiB, resize it to 0")?;
    for _ in 0..64 {
        touch(probe)?;
    }
    probe.moment("after")
}

fn all_pairs(probe: &mut Probe) -> Result<(), Stop> {
    let (mut changed, mut misaligned, mut count) = (0, 0, 0);
    for old in SIZES {
        probe.step(&format!("resize {old} bytes to each of the sizes"))?;
        for new in SIZES {
            let mut block = probe.crt.need(old)?;
            let mut neighbour = probe.crt.need(old)?;
            block.fill(1);
            neighbour.fill(2);
            let resized = probe.crt.realloc(block, new)?;
            let mut block = resized.map_err(|_| Stop::OutOfMemory(new))?;
            changed += block.lost_bytes_of(1, old.min(new));
            misaligned += i64::from(block.address() % FUNDAMENTAL_ALIGNMENT != 0);
            count += 1;
            // The caller may write the whole new size; the neighbour must not change.
            block.fill(3);
            changed += neighbour.lost_bytes(2);
            probe.crt.free(block)?;
            probe.crt.free(neighbour)?;
        }
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(MISALIGNED, misaligned)?;
    probe.fact(RESIZED, count)
}

fn step_by_step(probe: &mut Probe) -> Result<(), Stop> {
    const STEPS: usize = 300;
    let size_of = |step: usize| 1 + step * step;
    let (mut changed, mut misaligned, mut count) = (0, 0, 0);
    let mut block = probe.crt.need(size_of(0))?;
    let mut between = Vec::new();
    block.fill(0);
    probe.step("grow step by step, then shrink step by step")?;
    for step in (1..STEPS).chain((0..STEPS).rev()) {
        let (old, new) = (block.size(), size_of(step));
        let resized = probe.crt.realloc(block, new)?;
        block = resized.map_err(|_| Stop::OutOfMemory(new))?;
        changed += block.lost_bytes_of(count as u64, old.min(new));
        misaligned += i64::from(block.address() % FUNDAMENTAL_ALIGNMENT != 0);
        count += 1;
        block.fill(count as u64);
        if step % 7 == 0 {
            between.push(probe.crt.need(new)?);
        }
    }
    probe.crt.free(block)?;
    for block in between {
        probe.crt.free(block)?;
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(MISALIGNED, misaligned)?;
    probe.fact(RESIZED, count)
}

fn beside_small(probe: &mut Probe) -> Result<(), Stop> {
    let (mut changed, mut count) = (0, 0);
    for small in [16, 100, 1024, 4096] {
        probe.step(&format!("large blocks beside blocks of {small} bytes"))?;
        for large in [64, 128, 192, 256, 512, 1024].map(|kib| kib << 10) {
            let mut neighbours = Blocks::with_room_for(MIB / small)?;
            let mut block = probe.crt.need(large)?;
            block.fill(1);
            neighbours.fill(&probe.crt, |_| small)?;
            for more in [1, 4096, large / 2, large] {
                let (old, new) = (block.size(), large + more);
                let resized = probe.crt.realloc(block, new)?;
                block = resized.map_err(|_| Stop::OutOfMemory(new))?;
                changed += block.lost_bytes_of(1, old) as i64;
                count += 1;
                block.fill(1);
                changed += neighbours.lost_bytes();
            }
            probe.crt.free(block)?;
            neighbours.free_all(&probe.crt)?;
        }
    }
    probe.fact(CHANGED, changed)?;
    probe.fact(RESIZED, count)
}

fn few_left(probe: &mut Probe) -> Result<(), Stop> {
    let (mut changed, mut count) = (0, 0);
    for size in FEW_SIZES {
        let blocks = leave_few(probe, size)?;
        probe.step("resize those that are left")?;
        for (index, block) in blocks.live() {
            let resized = probe.crt.realloc(block, 2 * size)?;
            let block = resized.map_err(|_| Stop::OutOfMemory(2 * size))?;
            changed += block.lost_bytes_of(index as u64, size);
            count += 1;
            probe.crt.free(block)?;
        }
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(RESIZED, count)
}

fn refused(probe: &mut Probe, sizes: &[usize]) -> Result<(), Stop> {
    let mut changed = 0;
    for old in [24, 3000, 200_000, 2_000_000] {
        let mut block = probe.crt.need(old)?;
        block.fill(1);
        for &size in sizes {
            let arguments = format!("block, {size:#x}");
            probe.step(&format!("resize {old} bytes: realloc({arguments})"))?;
            let given = probe.observe("realloc", &arguments, |crt| crt.realloc(block, size))?;
            // If a block was returned, only the old bytes are sure to exist.
            block = given.unwrap_or_else(|block| block).with_size(old);
            changed += block.lost_bytes(1);
        }
        probe.step("resize it to an ordinary size and free it")?;
        let resized = probe.crt.realloc(block, old * 2)?;
        let block = resized.map_err(|_| Stop::OutOfMemory(old * 2))?;
        changed += block.lost_bytes_of(1, old);
        probe.crt.free(block)?;
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(RESIZED, 4 * sizes.len() as i64)
}

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    for errno in START_ERRNO {
        probe.step(&format!("resize through several sizes, errno {errno}"))?;
        let start = ErrorState {
            errno,
            ..ErrorState::MARKED
        };
        let mut block = probe.crt.need(50)?;
        for size in SIZES.into_iter().chain(SIZES.into_iter().rev()) {
            let arguments = format!("block, {size}");
            let given =
                probe.observe_from(start, "realloc", &arguments, |crt| crt.realloc(block, size))?;
            block = given.unwrap_or_else(|block| block);
        }
        probe.crt.free(block)?;
    }
    Ok(())
}
