//! `void free(void *memblock)`: takes a block back; NULL is ignored.

use super::sizes::{SIZES, START_ERRNO};
use super::workload::{MIB, count_for, mixed_size, warm_up};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, by, every_call};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, stated};
use crate::clauses::pages;
use crate::figures::amount;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

const FREE: Routine = Routine {
    name: "free",
    page: &pages::FREE,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: free
    // EXPECTED: the loader finds a routine named free
    exported(FREE, "free.exported", "the library exports free"),
    // PAGE: free
    // EXPECTED: a return, errno kept
    must(
        FREE,
        "free.null-is-ignored",
        "NULL is ignored, on a heap never used and on one in use",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(ANY.keeps_errno())],
    ),
    // PAGE: free
    must(
        FREE,
        "free.memory-available-again",
        "freed memory is available for allocation again, or has gone back to the system",
        stated(Remarks),
        &[&ROUNDS],
        &[by(
            "after 100 rounds of allocating and freeing 8 MiB, at most 16 MiB more resident than before",
            available_again,
        )],
    ),
    // PAGE: free, errno
    // EXPECTED: errno and _doserrno as before, for blocks of all sizes, from every start value
    must(
        FREE,
        "free.keeps-errno",
        "freeing a block leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&ORDINARY],
        &[every_call(ANY.keeps_errno())],
    ),
];

static OF_NULL: Case = Case::new(
    "free-null",
    "frees NULL before the first allocation and between others",
    null,
);

static ROUNDS: Case = Case::new(
    "free-available-again",
    "100 times: allocates and fills 8 MiB of mixed sizes and frees them in another order",
    rounds,
);

static ORDINARY: Case = Case::new(
    "free-start-values",
    "frees blocks of sizes up to 4 MiB from several values of errno",
    ordinary,
);

fn null(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("free NULL before the first allocation")?;
    probe.observe("free", "NULL", |crt| crt.free(Block::null()))?;
    let block = probe.crt.need(100)?;
    probe.step("free NULL with a live block")?;
    probe.observe("free", "NULL", |crt| crt.free(Block::null()))?;
    probe.crt.free(block)
}

fn rounds(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count_for(8 * MIB, mixed_size))?;
    warm_up(probe)?;
    probe.moment("baseline")?;
    probe.step("allocate, fill and free 8 MiB a hundred times")?;
    for round in 0..100 {
        // Other sizes in each round: what is freed must fit what comes next.
        blocks.fill(&probe.crt, |index| mixed_size(index + round))?;
        for part in 0..4 {
            blocks.free_where(&probe.crt, |index| index % 4 == part)?;
        }
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
        more <= 16 * MIB as u64,
        format!("{} more are resident than before", amount(more)),
    )
}

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    for errno in START_ERRNO {
        probe.step(&format!("free blocks of several sizes, errno {errno}"))?;
        let start = ErrorState {
            errno,
            ..ErrorState::MARKED
        };
        for size in [0].into_iter().chain(SIZES) {
            let block = probe.crt.need(size)?;
            let arguments = format!("block of {size}");
            probe.observe_from(start, "free", &arguments, |crt| crt.free(block))?;
        }
    }
    Ok(())
}
