//! Locked memory: a process can lock all its pages, and the heap works in it.

use super::{PATIENCE, PROCESS, REFUSED, SOUND, UNKNOWN, WRONG, judge_status, status};
use crate::clause::Section::Description;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, limited, should};
use crate::clauses::workload::MIB;
use crate::clauses::{limits, pages};
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::process::{Locked, Pages, lock_all_memory};
use heapmin_harness::probe::{Probe, Stop, in_a_fork_within};

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.memory-can-be-locked",
        "a process whose heap holds 1 MiB of blocks can lock all its memory, as a program does that must not be swapped out, and then gets more blocks",
        limited(Description, &limits::LOCKED_MEMORY).on(&pages::MLOCKALL),
        &[&LOCKED, &LOCKED_PRELOADED],
        &[by(
            "mlockall succeeds with MCL_CURRENT, with MCL_FUTURE too, and with MCL_ONFAULT too, or all mappings are within the limit where the user may not lock as much; blocks after each",
            can_be_locked,
        )],
    ),
    should(
        PROCESS,
        "process.usable-when-locked",
        "a process that locks its future memory before it first uses the heap gets blocks",
        limited(Description, &limits::LOCKED_FUTURE).on(&pages::MLOCKALL),
        &[&LOCKED_FIRST],
        &[by("1 MiB of blocks after mlockall(MCL_FUTURE)", usable)],
    ),
];

static LOCKED: Case = Case::new(
    "process-locked",
    "allocates, locks all memory in three ways, and allocates more; each in a child process without privileges, under a limit of 256 MiB of locked memory",
    locked,
)
.by_path()
.forks();
static LOCKED_PRELOADED: Case = Case::new(
    "process-locked-preloaded",
    "the same, with the library preloaded",
    locked,
)
.preloaded()
.forks();
static LOCKED_FIRST: Case = Case::new(
    "process-locked-first",
    "locks future memory, then uses the heap for the first time; in a child process without privileges, under a limit of 8 MiB of locked memory",
    locked_first,
)
.by_path()
.forks();

const STATUS: &str = "status of the process with locked memory";

fn locked(probe: &mut Probe) -> Result<(), Stop> {
    let crt = &probe.crt;
    let mut worst = SOUND;
    for pages in [Pages::Current, Pages::Both, Pages::BothAtFirstUse] {
        let ended = in_a_fork_within(PATIENCE, || {
            let held = hold_a_mebibyte(crt);
            match lock_all_memory(256 << 20, pages) {
                Locked::Yes | Locked::WouldFit => held.max(hold_a_mebibyte(crt)),
                Locked::TooMany => WRONG,
                Locked::Unknown => UNKNOWN,
            }
        });
        worst = worst.max(status(ended.map_err(Stop::NotJudged)?));
    }
    probe.fact(STATUS, worst.into())
}

fn locked_first(probe: &mut Probe) -> Result<(), Stop> {
    let crt = &probe.crt;
    let ended = in_a_fork_within(PATIENCE, || match lock_all_memory(8 << 20, Pages::Future) {
        Locked::Yes | Locked::WouldFit => hold_a_mebibyte(crt),
        Locked::TooMany => WRONG,
        Locked::Unknown => UNKNOWN,
    });
    let status = status(ended.map_err(Stop::NotJudged)?);
    probe.fact(STATUS, status.into())
}

/// Allocates 1 MiB in blocks of several sizes. They stay until the process ends.
fn hold_a_mebibyte(crt: &Crt) -> i32 {
    let mut held = 0;
    for size in [16, 1000, 40_000].into_iter().cycle() {
        let Ok(mut block) = crt.need(size) else {
            return REFUSED;
        };
        block.fill(5);
        held += size;
        if held > MIB {
            return SOUND;
        }
    }
    SOUND
}

fn can_be_locked(seen: &Seen) -> Judgement {
    let wrong = "mlockall fails: the mappings of the process are more than the limit of 256 MiB";
    judge_status(
        seen,
        STATUS,
        "all memory can be locked, and there are blocks after that",
        wrong,
    )
}

fn usable(seen: &Seen) -> Judgement {
    judge_status(
        seen,
        STATUS,
        "1 MiB of blocks",
        "mlockall failed or the process was killed",
    )
}
