//! `void free(void *memblock)`: frees a block; NULL is ignored.

use super::limits;
use super::sizes::{SIZES, START_ERRNO};
use super::workload::{MIB, count_for, grows_by_at_most, mixed_size, warm_up};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, by, every_call};
use crate::clause::{Case, Clause, Routine, derived, limited, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

const FREE: Routine = Routine {
    name: "free",
    page: &pages::FREE,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(FREE, "free.exported", "the library exports free"),
    must(
        FREE,
        "free.null-is-ignored",
        "free ignores NULL, both before the first allocation and with live blocks in the heap",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(ANY.keeps_errno())],
    ),
    must(
        FREE,
        "free.memory-available-again",
        "memory that free takes back is available for allocation again, or goes back to the system",
        limited(Remarks, &limits::TWICE_A_ROUND),
        &[&ROUNDS],
        &[by(
            "after 100 rounds that allocate and free 8 MiB, at most 16 MiB more are resident than before",
            |seen| grows_by_at_most(16 * MIB, seen),
        )],
    ),
    must(
        FREE,
        "free.keeps-errno",
        "free leaves errno and _doserrno as they were when it frees a block of any size",
        derived(
            Remarks,
            "free sets errno if an error occurs, and a valid block is no error",
        )
        .and(&pages::ERRNO, Remarks),
        &[&ORDINARY],
        &[every_call(ANY.keeps_errno())],
    ),
];

static OF_NULL: Case = Case::new(
    "free-null",
    "frees NULL before the first allocation, and again while a block is alive",
    null,
);

static ROUNDS: Case = Case::new(
    "free-available-again",
    "allocates and fills 8 MiB of mixed sizes and frees them in another order, 100 times",
    rounds,
);

static ORDINARY: Case = Case::new(
    "free-start-values",
    "frees blocks of sizes up to 4 MiB, from several values of errno",
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
        // The sizes change from round to round, so that no block fits exactly.
        blocks.fill(&probe.crt, |index| mixed_size(index + round))?;
        for part in 0..4 {
            blocks.free_where(&probe.crt, |index| index % 4 == part)?;
        }
    }
    probe.moment("after")
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
