//! `heapmin bench`: runs benchmarks and shows the figures.

use super::messages::{note, remark};
use super::output::{Output, terminal_width};
use super::signals::interrupted;
use super::{AS_EXPECTED, REFERENCE, catalogue, progress, runners};
use crate::bench::report::{self, Named, Setting};
use crate::bench::{self, Bench, Curve, plot, trace};
use clap::{Args, ValueEnum, ValueHint};
use globset::Glob;
use heapmin_harness::library::profile::{Profile, Source};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::nearest;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

const AFTER: &str = "\
A program of your own:
  Each allocator is preloaded (LD_PRELOAD) in turn; a candidate may be any
  library with malloc and free. Before that, the program runs once on the
  system's heap. Its input is empty, and its standard output is discarded. It
  must exit with status 0.
  time           from the start of the program to its end, without the time
                 that it is stopped. Child processes that still run then are
                 killed.
  most resident  resident memory of the process that had most: the program, or
                 a child process for which it waited. Pages of files are
                 included.
  at stop        resident memory when the program last stopped itself, without
                 pages of files and without child processes. To measure a
                 release, let the program free blocks, release memory, and
                 stop itself: raise(SIGSTOP). heapmin continues it.

Exit status:
  0  the figures are complete
  1  the program fails under an allocator only

Examples:
  heapmin bench reference glibc --only small
  heapmin bench reference -- ls -l";

#[derive(Args)]
#[command(
    override_usage = "heapmin bench [OPTIONS] [CANDIDATES]...
       heapmin bench [OPTIONS] [CANDIDATES]... -- PROGRAM [ARGS]...",
    after_long_help = AFTER
)]
pub(super) struct BenchArgs {
    /// Library files, or names of known libraries
    ///
    /// [default: reference and all installed allocators]
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) candidates: Vec<OsString>,
    /// Run only benchmarks whose name matches this pattern
    ///
    /// Can be given several times.
    #[arg(long, value_name = "GLOB", value_hint = ValueHint::Other, help_heading = WHAT)]
    only: Vec<String>,
    /// Also replay and measure the heap calls in this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = WHAT)]
    trace: Option<PathBuf>,
    /// Number of runs of each benchmark; figures are the median of the runs
    #[arg(
        long,
        value_name = "N",
        default_value_t = 5,
        value_parser = clap::value_parser!(u16).range(1..=1000),
        help_heading = HOW
    )]
    pub(super) repeat: u16,
    /// Time limit for each run, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 120,
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        help_heading = HOW
    )]
    pub(super) timeout: u64,
    /// Format of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Human, help_heading = REPORTS)]
    pub(super) format: ReportFormat,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = REPORTS)]
    pub(super) output: Option<PathBuf>,
    /// Write SVG plots to this folder
    ///
    /// Resident memory over time, and the time of _heapmin over the size of the heap.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, help_heading = REPORTS)]
    plots: Option<PathBuf>,
    /// A program of your own, with its arguments, to run under each allocator instead (Linux)
    #[arg(
        last = true,
        value_name = "PROGRAM",
        conflicts_with_all = ["only", "trace", "plots"],
        value_hint = ValueHint::Other
    )]
    pub(super) program: Vec<OsString>,
}

const WHAT: &str = "What to measure";
const HOW: &str = "How to run it";
const REPORTS: &str = "Reports";

/// The formats of the report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    Human,
    /// For programs
    Json,
    /// Tables for a page
    Markdown,
}

pub(super) fn bench(args: &BenchArgs) -> Result<u8, InputError> {
    if let [program, arguments @ ..] = args.program.as_slice() {
        return under_each_allocator(args, program, arguments);
    }
    // The candidates are installed on this machine, so they run without a fence,
    // which would slow them down.
    let runners = runners(Choice {
        is_unfenced: true,
        ..Choice::default()
    })?;
    let catalogue = catalogue()?;
    let candidates = candidates(args, &catalogue, &runners)?;
    if let Some(path) = &args.trace {
        trace::read(path)?;
    }
    let benches = chosen(args)?;
    let output = Output::create(args.output.as_deref())?;
    if let Some(folder) = &args.plots {
        std::fs::create_dir_all(folder).map_err(|error| cannot_draw(folder, &error))?;
    }
    let timeout = Duration::from_secs(args.timeout);
    let repeats = usize::from(args.repeat);
    let runs = (benches.len() * candidates.len() * repeats) as u64;
    let progress = progress::bar(runs, "{bar:40} {pos}/{len} runs, {elapsed}");
    let measured = bench::measure(
        &candidates,
        &benches,
        repeats,
        args.trace.as_ref(),
        timeout,
        || {
            progress.inc(1);
            interrupted().is_none()
        },
    );
    progress.finish_and_clear();
    let setting = setting(args, named(&candidates, timeout));
    let width = terminal_width().filter(|_| args.output.is_none());
    output.write(&match args.format {
        ReportFormat::Human => report::human(&setting, &measured, width),
        ReportFormat::Markdown => report::markdown(&setting, &measured),
        ReportFormat::Json => report::json(&setting, &measured),
    })?;
    if let Some(status) = interrupted() {
        note("interrupted: the report has only the benchmarks that were finished");
        return Ok(status);
    }
    if let Some(folder) = &args.plots {
        draw(folder, &candidates, &measured, timeout)?;
    }
    Ok(AS_EXPECTED)
}

#[cfg(target_os = "linux")]
use super::bench_program::bench as under_each_allocator;

#[cfg(not(target_os = "linux"))]
fn under_each_allocator(
    _: &BenchArgs,
    program: &OsStr,
    _: &[std::ffi::OsString],
) -> Result<u8, InputError> {
    let program = heapmin_harness::text::printable::shown(program);
    Err(InputError::new(
        format!("{program} cannot run under each allocator: this system has no LD_PRELOAD"),
        "run it on Linux",
    ))
}

/// The candidates named by the user; by default the reference and all installed
/// allocators.
pub(super) fn candidates(
    args: &BenchArgs,
    catalogue: &Catalogue,
    runners: &Runners,
) -> Result<Vec<Candidate>, InputError> {
    if !args.candidates.is_empty() {
        let named = args
            .candidates
            .iter()
            .map(|name| catalogue.candidate(name, None, runners));
        return named.collect();
    }
    let mut found = vec![catalogue.candidate(OsStr::new(REFERENCE), None, runners)?];
    let is_adapter = |profile: &&Profile| profile.source == Source::Adapter;
    for profile in catalogue.profiles.iter().filter(is_adapter) {
        let name = &profile.name;
        match catalogue.candidate(OsStr::new(name), None, runners) {
            Ok(candidate) => found.push(candidate),
            Err(error) => remark(&format!("skipped: {name}: {error}")),
        }
    }
    Ok(found)
}

fn chosen(args: &BenchArgs) -> Result<Vec<Bench>, InputError> {
    let mut benches = bench::benches(args.trace.is_some());
    if args.only.is_empty() {
        return Ok(benches);
    }
    let mut wanted = Vec::new();
    for pattern in &args.only {
        let glob = Glob::new(pattern).map_err(|error| {
            InputError::new(
                format!("--only {pattern}: {error}"),
                "see `heapmin bench --help`",
            )
        })?;
        let glob = glob.compile_matcher();
        if !benches.iter().any(|bench| glob.is_match(&bench.name)) {
            let names: Vec<&str> = benches.iter().map(|bench| bench.name.as_str()).collect();
            let mend = match nearest(pattern, names.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("the benchmarks are {}", names.join(", ")),
            };
            let problem = format!("--only {pattern} matches no benchmark");
            return Err(InputError::new(problem, mend));
        }
        wanted.push(glob);
    }
    benches.retain(|bench| wanted.iter().any(|glob| glob.is_match(&bench.name)));
    Ok(benches)
}

/// This machine, and these candidates.
pub(super) fn setting(args: &BenchArgs, candidates: Vec<Named>) -> Setting {
    let processors = available_parallelism().map_or(1, usize::from);
    let model = processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease");
    Setting {
        processor: format!("{processors} × {model}"),
        system: format!(
            "{} {}",
            std::env::consts::OS,
            release.as_deref().unwrap_or("").trim()
        ),
        repeats: args.repeat,
        candidates,
    }
}

fn named(candidates: &[Candidate], timeout: Duration) -> Vec<Named> {
    let named = candidates.iter().map(|candidate| Named {
        name: candidate.name.clone(),
        path: candidate.path.display().to_string(),
        version: bench::version(candidate, timeout),
    });
    named.collect()
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn draw(
    folder: &Path,
    candidates: &[Candidate],
    measured: &[bench::Measured],
    timeout: Duration,
) -> Result<(), InputError> {
    let mut curves: Vec<(String, Curve)> = Vec::new();
    for candidate in candidates {
        match bench::curve(candidate, timeout) {
            Ok(curve) => curves.push((candidate.name.clone(), curve)),
            Err(why) => note(&format!(
                "{}: cannot plot resident memory: {why}",
                candidate.name
            )),
        }
    }
    let drawn = plot::resident(&folder.join("resident.svg"), &curves)
        .and_then(|()| plot::release(&folder.join("release.svg"), measured));
    drawn.map_err(|error| cannot_draw(folder, &error))
}

fn cannot_draw(folder: &Path, error: &dyn std::fmt::Display) -> InputError {
    let what = format!("cannot write plots to {}: {error}", folder.display());
    InputError::new(what, "give --plots a folder that can be written")
}
