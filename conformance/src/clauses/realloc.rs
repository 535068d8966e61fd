//! `void *realloc(void *memblock, size_t size)`: the block in its new size,
//! elsewhere if need be, or NULL with `errno` set to `ENOMEM` and the old
//! block as it was.

use super::sizes::{FUNDAMENTAL_ALIGNMENT, NOT_TO_BE_HAD, OVER_MAXREQ, SIZES, START_ERRNO};
use super::workload::MIB;
use crate::clause::Section::Remarks;
use crate::clause::check::{BLOCK, NULL, by, every_call, none_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, stated};
use crate::clauses::pages;
use crate::figures::amount;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

const REALLOC: Routine = Routine {
    name: "realloc",
    page: &pages::REALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: realloc
    // EXPECTED: the loader finds a routine named realloc
    exported(REALLOC, "realloc.exported", "the library exports realloc"),
    // PAGE: realloc
    // EXPECTED: a block, errno kept
    must(
        REALLOC,
        "realloc.null-acts-as-malloc",
        "without a block it behaves as malloc does, size 0 included",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(BLOCK.keeps_errno())],
    ),
    // PAGE: realloc
    // EXPECTED: NULL, errno kept
    must(
        REALLOC,
        "realloc.zero-size-gives-null",
        "size 0 gives NULL, which is no failure",
        stated(Remarks),
        &[&ZERO],
        &[every_call(NULL.keeps_errno())],
    ),
    // PAGE: realloc
    must(
        REALLOC,
        "realloc.zero-size-frees",
        "size 0 frees the block: its memory can be had again",
        stated(Remarks),
        &[&ZERO_MANY],
        &[by(
            "after 64 blocks of 1 MiB, each freed so before the next, at most 10 % of them resident",
            zero_frees,
        )],
    ),
    // PAGE: realloc
    // EXPECTED: every byte as written, from each of several sizes to each other, and in 300 steps from 1 byte to 90 KB
    must(
        REALLOC,
        "realloc.keeps-contents",
        "the contents are unchanged up to the shorter of the new and old sizes",
        stated(Remarks),
        &[&ALL_PAIRS, &STEP_BY_STEP],
        &[none_of(CHANGED, RESIZED)],
    ),
    // PAGE: realloc
    // EXPECTED: every address a multiple of 16 (of 8 on 32-bit systems)
    must(
        REALLOC,
        "realloc.alignment",
        "a resized block is aligned for any type, as malloc's are",
        stated(Remarks),
        &[&ALL_PAIRS, &STEP_BY_STEP],
        &[none_of(MISALIGNED, RESIZED)],
    ),
    // PAGE: realloc, _HEAP_MAXREQ
    // EXPECTED: NULL, errno ENOMEM
    must(
        REALLOC,
        "realloc.over-heap-maxreq",
        "a request over _HEAP_MAXREQ gives NULL and ENOMEM",
        stated(Remarks),
        &[&OVER],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: realloc
    // EXPECTED: NULL, errno ENOMEM
    must(
        REALLOC,
        "realloc.no-memory",
        "a request that there is no memory for gives NULL and ENOMEM",
        stated(Remarks),
        &[&TOO_MUCH],
        &[every_call(NULL.sets_errno("ENOMEM"))],
    ),
    // PAGE: realloc
    // EXPECTED: every byte as written, after the failures and after a resize that succeeds
    must(
        REALLOC,
        "realloc.failure-keeps-block",
        "when it fails, the original block is left unchanged, and can be resized and freed as before",
        stated(Remarks),
        &[&OVER, &TOO_MUCH],
        &[none_of(CHANGED, RESIZED)],
    ),
    // PAGE: errno
    // EXPECTED: a block, errno and _doserrno as before, from every start value
    must(
        REALLOC,
        "realloc.success-keeps-errno",
        "a call that succeeds leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ORDINARY],
        &[every_call(BLOCK.keeps_errno())],
    ),
];

static OF_NULL: Case = Case::new(
    "realloc-null",
    "calls realloc without a block, for several sizes",
    null,
);

static ZERO: Case = Case::new(
    "realloc-zero-size",
    "resizes blocks of several sizes to 0",
    zero,
);

static ZERO_MANY: Case = Case::new(
    "realloc-zero-size-memory",
    "64 times: allocates and fills 1 MiB, and resizes it to 0",
    zero_many,
);

static ALL_PAIRS: Case = Case::new(
    "realloc-all-pairs",
    "resizes blocks from each of sixteen sizes to each other, with neighbours alive",
    all_pairs,
);

static STEP_BY_STEP: Case = Case::new(
    "realloc-step-by-step",
    "grows a block in 300 steps, with other blocks allocated between, and shrinks it in 300 steps",
    step_by_step,
);

static OVER: Case = Case::new(
    "realloc-over-heap-maxreq",
    "resizes a block to more than _HEAP_MAXREQ, then to an ordinary size",
    |probe| refused(probe, &OVER_MAXREQ),
);

static TOO_MUCH: Case = Case::new(
    "realloc-no-memory",
    "resizes a block to more than any system has, then to an ordinary size",
    |probe| refused(probe, &NOT_TO_BE_HAD),
);

static ORDINARY: Case = Case::new(
    "realloc-start-values",
    "resizes a block through several sizes from several values of errno",
    ordinary,
);

const CHANGED: &str = "bytes changed";
const MISALIGNED: &str = "misaligned blocks";
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
        // A library that gives a block all the same has freed the other.
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

/// Judges by how much more is resident after the case than before.
fn zero_frees(seen: &Seen) -> Judgement {
    let at = |moment| seen.observation.memory(moment).map(|it| it.resident);
    let (Some(before), Some(after)) = (at("baseline"), at("after")) else {
        return Judgement::unsupported("memory could not be measured");
    };
    let more = after.saturating_sub(before);
    let held = 64 * MIB as u64;
    Judgement::pass_if(
        more <= held / 10,
        format!("{} more are resident than before", amount(more)),
    )
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
            // All of the new size can be written without harm to the neighbour.
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

fn refused(probe: &mut Probe, sizes: &[usize]) -> Result<(), Stop> {
    let mut changed = 0;
    for old in [24, 3000, 200_000, 2_000_000] {
        let mut block = probe.crt.need(old)?;
        block.fill(1);
        for &size in sizes {
            let arguments = format!("block, {size:#x}");
            probe.step(&format!("resize {old} bytes: realloc({arguments})"))?;
            let given = probe.observe("realloc", &arguments, |crt| crt.realloc(block, size))?;
            // Whatever came back, only the old bytes can be trusted to be there.
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
