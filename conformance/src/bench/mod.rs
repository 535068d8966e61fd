//! `heapmin bench`: compares the speed and memory use of allocators.
//!
//! Every run has its own process. The allocators take turns, so that other load
//! on the machine affects all of them alike.

pub mod act;
pub mod figures;
pub mod plot;
#[cfg(target_os = "linux")]
pub mod program;
pub mod report;
pub mod trace;
pub mod workload;

use crate::observe::observe_with;
use act::parameters::{MEBIBYTES, SIZE_VARIABLE, THREADS_VARIABLE, TRACE_VARIABLE};
use figures::{Figures, Run, Summary};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::wire::observation::{Ending, Observation};
use std::path::PathBuf;
use std::time::Duration;

/// A benchmark.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Its name in reports, and for `--only`.
    pub name: String,
    /// What it does.
    pub summary: String,
    /// The name of its act, without the prefix `bench-`.
    pub act: &'static str,
    /// The number of threads that allocate.
    pub threads: usize,
    /// The size of its blocks in all, in MiB.
    pub mebibytes: usize,
}

/// Heap sizes at which the time of a `_heapmin` call is measured, in MiB.
pub const SIZES: [usize; 4] = [64, 128, 256, 640];

/// All benchmarks; that of the trace only if `has_trace`.
pub fn benches(has_trace: bool) -> Vec<Bench> {
    let bench = |name: &str, summary: &str, act, threads, mebibytes| Bench {
        name: name.to_owned(),
        summary: summary.to_owned(),
        act,
        threads,
        mebibytes,
    };
    let mut all = Vec::new();
    for threads in [1, 2] {
        for fill in &workload::FILLS {
            let (name, summary) = match threads {
                1 => (fill.name.to_owned(), format!("128 MiB of {}", fill.summary)),
                _ => (
                    format!("{}-2", fill.name),
                    format!("the same in two threads, half each: {}", fill.summary),
                ),
            };
            all.push(bench(&name, &summary, fill.name, threads, MEBIBYTES));
        }
    }
    all.push(bench("exchange", "two threads, each of which frees what the other allocates: 2 million blocks of 16 to 512 bytes", "exchange", 2, MEBIBYTES));
    let short = "4 million blocks of 16 to 256 bytes: for half of them, each is freed before the next; for the other half, 64 are alive, and each new one replaces a random one";
    all.push(bench("short", short, "short", 1, MEBIBYTES));
    let short = format!("the same in two threads, half each: {short}");
    all.push(bench("short-2", &short, "short", 2, MEBIBYTES));
    all.push(bench("handover", "two threads, each of which replaces random ones of 2000 blocks of 16 to 512 bytes and then ends; a new thread goes on with its blocks, 64 times", "handover", 2, MEBIBYTES));
    all.push(bench(
        "growing",
        "32 arrays that realloc grows by half, in turn, until they are 4 MiB each",
        "growing",
        1,
        MEBIBYTES,
    ));
    all.push(bench("day", "24 rounds of random traffic at a steady 64 MiB, sizes 16 bytes to 64 KiB that change by the round", "day", 1, 64));
    for mebibytes in SIZES {
        let summary = format!(
            "{mebibytes} MiB of blocks of 64 bytes, all freed: how the time of a release grows"
        );
        all.push(bench(
            &format!("size-{mebibytes}"),
            &summary,
            "small",
            1,
            mebibytes,
        ));
    }
    if has_trace {
        all.push(bench(
            "trace",
            "the calls in the file given with --trace",
            "trace",
            1,
            MEBIBYTES,
        ));
    }
    all
}

/// The results of one allocator in a benchmark.
#[derive(Debug)]
pub struct Row {
    /// The allocator's name.
    pub candidate: String,
    /// The summaries of its runs, or why it could not be measured.
    pub figures: Result<Figures<Option<Summary>>, String>,
}

/// A benchmark and its results.
#[derive(Debug)]
pub struct Measured {
    /// The benchmark.
    pub bench: Bench,
    /// One row for each candidate, in their order.
    pub rows: Vec<Row>,
}

/// The results of all benchmarks on all candidates. `progress` is called after
/// every run and returns whether to continue.
pub fn measure(
    candidates: &[Candidate],
    benches: &[Bench],
    repeats: usize,
    trace: Option<&PathBuf>,
    timeout: Duration,
    progress: impl Fn() -> bool,
) -> Vec<Measured> {
    let mut measured = Vec::new();
    for bench in benches {
        let mut runs: Vec<Result<Vec<Run>, String>> =
            candidates.iter().map(|_| Ok(Vec::new())).collect();
        for _ in 0..repeats {
            for (candidate, runs) in candidates.iter().zip(&mut runs) {
                if let Ok(so_far) = runs {
                    match run(candidate, bench, trace, timeout) {
                        Ok(run) => so_far.push(run),
                        Err(why) => *runs = Err(why),
                    }
                }
                if !progress() {
                    return measured;
                }
            }
        }
        let rows = candidates.iter().zip(runs).map(|(candidate, runs)| Row {
            candidate: candidate.name.clone(),
            figures: runs.map(|runs| Figures::over(&runs)),
        });
        measured.push(Measured {
            bench: bench.clone(),
            rows: rows.collect(),
        });
    }
    measured
}

/// Points of resident memory over time: seconds of work, and MiB over the
/// baseline.
pub type Curve = Vec<(f64, f64)>;

/// Resident memory over time during a fill. The measurements take time
/// themselves, so this is a separate run.
///
/// # Errors
/// Why the candidate could not be measured.
pub fn curve(candidate: &Candidate, timeout: Duration) -> Result<Curve, String> {
    let seen = observe_with(candidate, "bench-curve", &[], timeout);
    match problem(&seen) {
        None => Ok(figures::curve(&seen)),
        Some(why) => Err(why),
    }
}

/// The version that an adapted allocator reports.
pub fn version(candidate: &Candidate, timeout: Duration) -> Option<String> {
    let seen = observe_with(candidate, "bench-version", &[], timeout);
    let [major, minor, patch] = act::VERSION.map(|name| seen.fact(name));
    Some(match patch? {
        0 => format!("{}.{}", major?, minor?),
        patch => format!("{}.{}.{patch}", major?, minor?),
    })
}

fn run(
    candidate: &Candidate,
    bench: &Bench,
    trace: Option<&PathBuf>,
    timeout: Duration,
) -> Result<Run, String> {
    let mut environment = vec![
        (THREADS_VARIABLE.to_owned(), bench.threads.to_string()),
        (SIZE_VARIABLE.to_owned(), bench.mebibytes.to_string()),
    ];
    if let Some(path) = trace {
        environment.push((
            TRACE_VARIABLE.to_owned(),
            path.to_string_lossy().into_owned(),
        ));
    }
    let seen = observe_with(
        candidate,
        &format!("bench-{}", bench.act),
        &environment,
        timeout,
    );
    match problem(&seen) {
        None => Ok(Run::of(&seen)),
        Some(why) => Err(why),
    }
}

fn problem(seen: &Observation) -> Option<String> {
    let missing = seen.missing().map(|routine| format!("it has no {routine}"));
    let no_memory = || {
        seen.out_of_memory()
            .map(|(size, _)| format!("it has no memory for {size} bytes"))
    };
    let load = || {
        seen.load_failure()
            .map(|why| format!("it cannot be loaded: {why}"))
    };
    missing
        .or_else(no_memory)
        .or_else(load)
        .or(match &seen.ending {
            Ending::Done => None,
            Ending::Died(how) => Some(format!("it ended early: {how}")),
            Ending::TimedOut => Some("it did not finish in time".into()),
            Ending::Failed(why) => Some(why.clone()),
            Ending::Interrupted => Some("interrupted".into()),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_has_an_act_and_its_own_name() {
        let mut names: Vec<String> = Vec::new();
        for bench in benches(true) {
            assert!(
                act::act_of(&format!("bench-{}", bench.act)).is_some(),
                "{}",
                bench.name
            );
            assert!(!names.contains(&bench.name), "{}", bench.name);
            names.push(bench.name);
        }
    }
}
