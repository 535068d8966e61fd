//! `void _aligned_free(void *memblock)`: takes an aligned block back; NULL is
//! ignored.

use super::super::workload::{MIB, scattered};
use super::SIZES;
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, by, every_call};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, stated};
use crate::clauses::pages;
use crate::figures::amount;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_FREE: Routine = Routine {
    name: "_aligned_free",
    page: &pages::ALIGNED_FREE,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _aligned_free
    // EXPECTED: the loader finds a routine named _aligned_free
    exported(
        ALIGNED_FREE,
        "aligned-free.exported",
        "the library exports _aligned_free",
    ),
    // PAGE: _aligned_free
    must(
        ALIGNED_FREE,
        "aligned-free.null-is-ignored",
        "NULL is ignored: errno is not changed and no invalid parameter handler called",
        stated(Remarks),
        &[&OF_NULL],
        &[by("errno kept, the handler not called", |seen| {
            let mut calls = seen.observation.calls("_aligned_free");
            match calls.find(|call| call.handler_calls > 0) {
                Some(call) => Judgement::fail(format!("{call}, handler called")),
                None => every_call(ANY.keeps_errno()).judge(seen),
            }
        })],
    ),
    // PAGE: _aligned_free, free
    must(
        ALIGNED_FREE,
        "aligned-free.memory-available-again",
        "the whole of an aligned block is available again, what was set aside to align it included",
        stated(Remarks),
        &[&MANY],
        &[by(
            "after 2000 blocks of up to 128 KiB, each freed before the next, at most 8 MiB more resident than before",
            available_again,
        )],
    ),
    // PAGE: errno
    // EXPECTED: errno and _doserrno as before
    must(
        ALIGNED_FREE,
        "aligned-free.keeps-errno",
        "freeing a block leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ORDINARY],
        &[every_call(ANY.keeps_errno())],
    ),
];

static OF_NULL: Case = Case::new(
    "aligned-free-null",
    "sets an invalid parameter handler that goes on, and frees NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.observe("_aligned_free", "NULL", |crt| {
            crt.aligned_free(Block::null())
        })
    },
);

static MANY: Case = Case::new(
    "aligned-free-memory",
    "2000 times: allocates and fills an aligned block of up to 128 KiB, and frees it",
    many,
);

static ORDINARY: Case = Case::new(
    "aligned-free-ordinary",
    "frees blocks of eight sizes in three alignments",
    ordinary,
);

fn many(probe: &mut Probe) -> Result<(), Stop> {
    let round = |probe: &mut Probe, index: usize| -> Result<(), Stop> {
        let number = scattered(index);
        let (size, alignment) = (1 + number % (128 << 10), 1 << (number / 7 % 17));
        let block = probe.crt.aligned_malloc(size, alignment)?;
        let mut block = block.ok_or(Stop::OutOfMemory(size))?;
        block.fill(1);
        probe.crt.aligned_free(block)
    };
    round(probe, 0)?;
    probe.moment("baseline")?;
    probe.step("allocate, fill and free 2000 aligned blocks")?;
    for index in 1..2000 {
        round(probe, index)?;
    }
    probe.moment("after")
}

fn available_again(seen: &Seen) -> Judgement {
    let at = |moment| seen.observation.memory(moment).map(|it| it.resident);
    let (Some(before), Some(after)) = (at("baseline"), at("after")) else {
        return Judgement::unsupported("memory could not be measured");
    };
    let more = after.saturating_sub(before);
    Judgement::pass_if(
        more <= 8 * MIB as u64,
        format!("{} more are resident than before", amount(more)),
    )
}

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    for size in SIZES {
        for alignment in [1, 64, 4096] {
            let block = probe.crt.aligned_malloc(size, alignment)?;
            let block = block.ok_or(Stop::OutOfMemory(size))?;
            let arguments = format!("block of {size} aligned to {alignment}");
            probe.observe("_aligned_free", &arguments, |crt| crt.aligned_free(block))?;
        }
    }
    Ok(())
}
