//! A heap that stands in for the system's heap, in a process: `fork`, cancellation, limits,
//! signals, threads, and the names of POSIX and C23.
//!
//! The clauses apply to ELF libraries that stand in for the system's heap. Most cases run
//! twice: with the library loaded by its path, beside the system's heap, and with the
//! library in `LD_PRELOAD`, as the heap of the probe itself.

pub(super) mod cancel;
pub(super) mod errno;
pub(super) mod fork;
pub(super) mod limits;
pub(super) mod locked;
pub(super) mod names;
pub(super) mod overcommit;
pub(super) mod posix;
pub(super) mod reload;
pub(super) mod signals;
pub(super) mod threads;

use crate::clause::{Judgement, Routine, Seen, Verdict};
use crate::clauses::pages;
use heapmin_harness::probe::Child;
use std::time::Duration;

/// The group has no routine of its own.
pub(super) const PROCESS: Routine = Routine {
    name: "process",
    page: &pages::GLIBC_REPLACING,
};

/// Statuses of children.
const SOUND: i32 = 0;
const WRONG: i32 = 1;
const REFUSED: i32 = 2;
const HUNG: i32 = 3;
const UNKNOWN: i32 = 4;

/// How long a child may take that ends soon, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// The status of a child: a child that was killed is wrong, one that did not end hung.
fn status(child: Child) -> i32 {
    match child {
        Child::Exited(status) => status,
        Child::Killed(_) => WRONG,
        Child::Hung => HUNG,
    }
}

/// The value of a fact that the case always reports, or the judgement without it.
fn need(seen: &Seen, fact: &str) -> Result<i64, Judgement> {
    let value = seen.observation.fact(fact);
    value.ok_or_else(|| Verdict::Error.because(format!("the case did not report {fact:?}")))
}

/// The judgement of a fact that is a status of a child.
fn judge_status(seen: &Seen, fact: &str, sound: &str, wrong: &str) -> Judgement {
    match need(seen, fact) {
        Err(judgement) => judgement,
        Ok(status) => match status as i32 {
            SOUND => Judgement::pass(sound),
            REFUSED => Judgement::fail("malloc returned NULL"),
            HUNG => Judgement::fail("the process did not end and was killed"),
            UNKNOWN => Judgement::not_judged("the system does not allow what the case does"),
            _ => Judgement::fail(wrong),
        },
    }
}
