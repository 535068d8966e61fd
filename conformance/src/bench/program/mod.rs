//! `heapmin bench -- PROGRAM`: runs a program of the user's under each allocator.
//!
//! The loader puts the allocator in place of the system's heap (`LD_PRELOAD`). As in the
//! other benchmarks, the allocators take turns.

pub mod report;

use super::figures::{Summary, summary};
use super::report::Named;
use heapmin_harness::parent::program::{Failure, Program, Run};
use serde::Serialize;
use std::ffi::OsString;
use std::time::Duration;

/// An allocator under which the program runs.
#[derive(Debug)]
pub struct Allocator {
    /// Its name, file and version, for the report.
    pub named: Named,
    /// Its library for `LD_PRELOAD`. `None` for the C library's own heap.
    pub preloaded: Option<OsString>,
}

/// The figures of the program under one allocator.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// The time of a run, in milliseconds.
    pub time_ms: Summary,
    /// The greatest resident memory of one process, in MiB.
    pub most_resident_mib: Summary,
    /// The resident memory when the program last stopped itself, in MiB. `None` if in any
    /// run it did not stop itself.
    pub at_stop_mib: Option<Summary>,
}

impl Figures {
    /// The summaries of these runs; `None` if there are none.
    pub fn over(runs: &[Run]) -> Option<Figures> {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let times = runs.iter().map(|run| run.time.as_secs_f64() * 1e3);
        let at_stops: Option<Vec<f64>> = runs.iter().map(|run| run.at_stop.map(mib)).collect();
        Some(Figures {
            time_ms: summary(times.collect())?,
            most_resident_mib: summary(runs.iter().map(|run| mib(run.most_resident)).collect())?,
            at_stop_mib: at_stops.and_then(summary),
        })
    }
}

/// The results of one allocator.
#[derive(Debug)]
pub struct Row {
    /// The allocator's name.
    pub allocator: String,
    /// The summaries of its runs, or why the first run failed that did.
    pub figures: Result<Figures, Problem>,
}

/// A run that failed: what happened, and the last that the program printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What happened, in words.
    pub what: String,
    /// The last that the program wrote to standard error.
    pub printed: String,
}

/// The results of a program under all allocators, in their order; `None` if the user
/// interrupted the runs. An allocator under which a run fails takes no further turns.
/// `progress` is called after every turn.
pub fn measure(
    program: &Program,
    allocators: &[Allocator],
    repeats: usize,
    timeout: Duration,
    progress: impl Fn(),
) -> Option<Vec<Row>> {
    let mut runs: Vec<Result<Vec<Run>, Problem>> =
        allocators.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..repeats {
        for (allocator, runs) in allocators.iter().zip(&mut runs) {
            if let Ok(so_far) = runs {
                match program.run(allocator.preloaded.as_deref(), timeout) {
                    Ok(run) => so_far.push(run),
                    Err(Failure::Interrupted) => return None,
                    Err(Failure::Failed { what, printed }) => {
                        *runs = Err(Problem { what, printed });
                    }
                }
            }
            progress();
        }
    }
    let rows = allocators.iter().zip(runs).map(|(allocator, runs)| Row {
        allocator: allocator.named.name.clone(),
        figures: runs.map(|runs| Figures::over(&runs).expect("at least one run")),
    });
    Some(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(milliseconds: u64, at_stop: Option<u64>) -> Run {
        Run {
            time: Duration::from_millis(milliseconds),
            most_resident: 3 << 20,
            at_stop,
        }
    }

    #[test]
    fn figures_are_medians_in_their_units() {
        let stop = Some(1 << 19);
        let figures = Figures::over(&[run(30, stop), run(10, stop), run(20, stop)]).unwrap();
        assert_eq!((figures.time_ms.median, figures.time_ms.most), (20.0, 30.0));
        assert_eq!(figures.most_resident_mib.median, 3.0);
        assert_eq!(figures.at_stop_mib.unwrap().median, 0.5);
    }

    #[test]
    fn a_program_that_does_not_stop_in_each_run_has_no_memory_at_stop() {
        let figures = Figures::over(&[run(10, Some(1)), run(10, None)]).unwrap();
        assert_eq!(figures.at_stop_mib, None);
    }
}
