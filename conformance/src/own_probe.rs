//! This program as a probe: the process that loads a candidate and runs one case of this
//! package.

use crate::{BUILD, bench, beneath, clauses};
use heapmin_harness::probe;
use std::path::Path;

/// Runs as a probe, and does not return, if this process was started as one. Else does
/// nothing.
///
/// A program that checks libraries calls this first in `main`: it is then its own probe, and
/// needs no other program.
pub fn run_if_started_as_one() {
    if probe::is_this_process() {
        run(None);
    }
}

/// Runs as a probe with the job in this file, or else the one from standard input.
pub(crate) fn run(job: Option<&Path>) -> ! {
    probe::run(BUILD, job, |name| {
        clauses::act_of(name)
            .or_else(|| bench::act::act_of(name))
            .or_else(|| beneath::act_of(name))
    })
}
