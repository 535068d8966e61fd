//! `heapmin bench`: the reference beside the allocators of this machine.
//!
//! Every run is a process of its own, and the allocators take turns, so that
//! what else the machine does meets all of them alike.

pub mod act;
pub mod figures;
pub mod plot;
pub mod report;
pub mod trace;
pub mod workload;

use crate::run::observe_with;
use figures::{Figures, Run, Summary};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::wire::observation::{Ending, Observation};
use std::path::PathBuf;
use std::time::Duration;

/// One thing that is measured.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Its name in reports, and for `--only`.
    pub name: String,
    /// What it does.
    pub summary: String,
    /// The act, without its prefix.
    pub act: &'static str,
    /// Threads that allocate.
    pub threads: usize,
    /// What it holds, in MiB.
    pub mebibytes: usize,
}

/// Heap sizes at which the time of a release is measured, in MiB.
pub const SIZES: [usize; 4] = [64, 128, 256, 640];

/// Everything that is measured; the trace, if there is one.
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
            all.push(bench(&name, &summary, fill.name, threads, act::MEBIBYTES));
        }
    }
    all.push(bench("exchange", "two threads, each of which frees what the other allocates: 2 million blocks of 16 to 512 bytes", "exchange", 2, act::MEBIBYTES));
    all.push(bench(
        "growing",
        "32 arrays that realloc grows by half, in turn, until they are 4 MiB each",
        "growing",
        1,
        act::MEBIBYTES,
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
            "the calls in the file given",
            "trace",
            1,
            act::MEBIBYTES,
        ));
    }
    all
}

/// An allocator's figures for a bench.
#[derive(Debug)]
pub struct Row {
    /// Whose.
    pub candidate: String,
    /// What its runs came to, or why there are none.
    pub figures: Result<Figures<Option<Summary>>, String>,
}

/// A bench and everybody's figures.
#[derive(Debug)]
pub struct Measured {
    /// What was measured.
    pub bench: Bench,
    /// In the order of the candidates.
    pub rows: Vec<Row>,
}

/// Measures. `progress` is called after every run; it says whether to go on.
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

/// Resident memory, in MiB over the baseline, at so many seconds of work.
pub type Curve = Vec<(f64, f64)>;

/// How resident memory goes up and down in a fill of this name, measured in
/// between, so in a run of its own.
pub fn curve(candidate: &Candidate, timeout: Duration) -> Result<Curve, String> {
    let seen = observe_with(candidate, "bench-curve", &[], timeout);
    match problem(&seen) {
        None => Ok(figures::curve(&seen)),
        Some(why) => Err(why),
    }
}

/// The version of an adapted allocator, as it tells itself.
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
        (act::THREADS_VARIABLE.to_owned(), bench.threads.to_string()),
        (act::SIZE_VARIABLE.to_owned(), bench.mebibytes.to_string()),
    ];
    if let Some(path) = trace {
        environment.push((
            act::TRACE_VARIABLE.to_owned(),
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
