//! Cancellation: the routines of a heap are no cancellation points.

use super::{PATIENCE, PROCESS, SOUND, WRONG, judge_status, status};
use crate::clause::Section::Numbered;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, derived, should};
use crate::clauses::pages;
use heapmin_harness::probe::process::is_cancelled_while_allocating;
use heapmin_harness::probe::{Probe, Stop, in_a_fork_within};

pub(crate) static CLAUSES: &[Clause] = &[should(
    PROCESS,
    "process.not-cancelled",
    "a thread that calls only malloc, calloc, realloc and free goes on while a request to cancel it is pending, also if other threads use the heap meanwhile",
    derived(
        Numbered("2.9.5 Thread Cancellation"),
        "the section lists the cancellation points; no other function may be one, unless it may also be omitted, and the routines of the heap are in neither list",
    )
    .on(&pages::POSIX_THREADS),
    &[&CANCELLED, &CANCELLED_PRELOADED],
    &[by("the thread ends by itself", not_cancelled)],
)];

static CANCELLED: Case = Case::new(
    "process-cancelled",
    "asks a thread to cancel that only allocates, resizes and frees blocks, and exchanges them with four others; in a child process",
    cancelled,
)
.by_path()
.forks();
static CANCELLED_PRELOADED: Case = Case::new(
    "process-cancelled-preloaded",
    "the same, with the library preloaded",
    cancelled,
)
.preloaded()
.forks();

const STATUS: &str = "status of the process with the thread to cancel";

fn cancelled(probe: &mut Probe) -> Result<(), Stop> {
    let crt = &probe.crt;
    let ended = in_a_fork_within(PATIENCE, || match is_cancelled_while_allocating(crt) {
        Ok(false) => SOUND,
        _ => WRONG,
    });
    let status = status(ended.map_err(Stop::NotJudged)?);
    probe.fact(STATUS, status.into())
}

fn not_cancelled(seen: &Seen) -> Judgement {
    judge_status(
        seen,
        STATUS,
        "the thread ended by itself",
        "the thread was cancelled in a routine of the heap",
    )
}
