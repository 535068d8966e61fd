//! The command line.

mod bench;
#[cfg(target_os = "linux")]
mod bench_program;
mod bisect;
mod check;
mod checked;
mod debug;
mod diff;
mod doctor;
mod explain;
mod fuzz;
mod known;
mod list;
mod merge;
mod output;
mod report;
mod reports;
mod repro;
mod signals;
mod site;

use crate::clause::Level;
use crate::debug::tool::Debugger;
use crate::partition::Partition;
use crate::views::Format;
use crate::{BUILD, clauses};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use heapmin_harness::library::profile::Profile;
use heapmin_harness::library::routines::ROUTINES;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::installed::{Embedded, Installed};
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::parent::scratch::Scratch;
use heapmin_harness::parent::surroundings::Surroundings;
use heapmin_harness::probe;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::wire::step::MOST_THREADS;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// The candidate if the user names none.
const REFERENCE: &str = "reference";
/// Exit status: every result was as expected.
pub const AS_EXPECTED: u8 = 0;
/// Exit status: a deviation is not listed, a listed one no longer occurs, a
/// clause is not judged that must be, a result is an error, two libraries differ, or a
/// program fails under an allocator.
pub const DEVIATION: u8 = 1;
/// Exit status: the run itself failed.
pub const FAILED: u8 = 2;

/// Check whether C runtime heaps keep the promises of Microsoft's documentation
#[derive(Parser)]
#[command(
    name = "heapmin",
    version,
    after_help = "Exit status:
  0    every result is as expected
  1    a result is not as expected, `fuzz` found a difference, or the program
       that `bench` runs fails under an allocator
  2    the run itself failed
  130  Ctrl-C interrupted the run (143: SIGTERM)"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check libraries and report which promises they keep
    Check(CheckArgs),
    /// Show saved runs in any format
    Report(ReportArgs),
    /// Join the parts of a run that was divided with --partition
    Merge(MergeArgs),
    /// Show what changed between two runs, or between two libraries
    Diff(DiffArgs),
    /// Find the first of several versions of a library that breaks a clause
    Bisect(BisectArgs),
    /// List the known deviations of saved runs by age
    Known(KnownArgs),
    /// Make a static site of saved runs: libraries, versions, clauses, and what changed
    Site(SiteArgs),
    /// List the clauses and their cases, or the known libraries
    List(ListArgs),
    /// Explain a clause: what it requires, its source, and which known libraries break it
    Explain {
        /// Id of the clause, as shown by `heapmin list`, or the name of a family or routine, such as heapmin
        clause: String,
    },
    /// Run one case under a debugger, stopped right before the call or step that deviates
    Debug(DebugArgs),
    /// List what can load libraries on this machine, and what is missing
    Doctor(DoctorArgs),
    /// Run random sequences of calls on two libraries and compare the results
    Fuzz(FuzzArgs),
    /// Write a C file that shows a deviation without heapmin
    Repro(ReproArgs),
    /// Measure the speed and memory use of the reference and of installed allocators
    Bench(BenchArgs),
    /// Run one case in this process; only heapmin itself starts this command
    #[command(hide = true, name = heapmin_harness::wire::job::PROBE_COMMAND)]
    Probe {
        /// File with the job, instead of standard input
        job: Option<PathBuf>,
    },
}

#[derive(Args)]
struct CheckArgs {
    /// Library files, or names of known libraries, such as ucrtbase, msvcr120, or msvcr120:x86 for 32 bits [default: reference]
    candidates: Vec<OsString>,
    /// Check every known library that this machine can load
    #[arg(long, conflicts_with_all = ["candidates", "profile"])]
    all: bool,
    /// Judge the candidates by this profile: the name of a known library, or a .toml file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Also check the clauses about libraries that replace the system's heap (LD_PRELOAD)
    #[arg(long)]
    preload: bool,
    /// Check only clauses whose id matches this pattern, or that are of this family or routine (heapmin, _heapmin); can be given several times
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Skip clauses whose id matches this pattern, or that are of this family or routine; can be given several times
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// Run only cases in which the system refuses, or answers, in this way
    #[arg(long, value_name = "MODE", value_parser = fault_modes())]
    fault: Option<String>,
    /// Run only a part of the cases, such as slice:2/5 (each case in turn) or hash:2/5 (by name); `heapmin merge` joins the parts
    #[arg(long, value_name = "PART", conflicts_with = "update")]
    partition: Option<Partition>,
    /// Number of cases to run in parallel [default: number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Time limit for each case, in seconds [default: measured, at least 10]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,
    /// Time limit for the whole run, in seconds; cases that were not run by then are reported as errors
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=864_000))]
    max_time: Option<u64>,
    /// Run every case this many times, and report the clauses whose verdict or observation changed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    repeat: u32,
    #[command(flatten)]
    surroundings: SurroundingsArgs,
    #[command(flatten)]
    reports: ReportsArgs,
    /// File of known deviations, in addition to the profiles', and of clauses that must be judged
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,
    /// Memory limit for each probe, in MiB [default: three quarters of the available memory, at least 512]
    #[arg(long, value_name = "MIB", conflicts_with = "no_fence", value_parser = clap::value_parser!(u64).range(512..=1 << 30))]
    memory: Option<u64>,
    /// Update the --expected file to match this run; exits 0 if the file then covers every result
    #[arg(long, requires = "expected")]
    update: bool,
    /// Fail if an entry of the --expected file that occurs has no `bug`
    #[arg(long, requires = "expected")]
    require_bug: bool,
    /// Judge by the clauses and levels of this release, such as 2026.1, so that an upgrade of heapmin fails nothing
    #[arg(long, value_name = "VERSION")]
    promises: Option<String>,
    /// Fail if a clause of this level that applies was not judged; `should` includes `must`
    #[arg(long, value_name = "LEVEL", value_enum)]
    must_judge: Option<MustJudge>,
    /// Run the library without restrictions on files, network, processes and memory
    #[arg(long)]
    no_fence: bool,
    #[command(flatten)]
    runner: RunnerArgs,
}

/// What a library needs besides its file.
#[derive(Args)]
struct SurroundingsArgs {
    /// Library that has the heap routines which a candidate lacks, such as its malloc and free: a path, or a name that the loader finds
    #[arg(long, value_name = "LIBRARY")]
    heap: Option<OsString>,
    /// Folder in which the loader searches for libraries that a candidate needs; can be given several times
    #[arg(long = "library-path", value_name = "FOLDER")]
    search_folders: Vec<PathBuf>,
    /// Environment variable for the process that loads a candidate; can be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    env: Vec<(String, String)>,
}

impl SurroundingsArgs {
    /// The surroundings that the user chose.
    fn chosen(&self) -> Surroundings {
        Surroundings {
            heap: self.heap.clone(),
            search_folders: self.search_folders.clone(),
            environment: self.env.clone(),
        }
    }
}

/// The reports of a run.
#[derive(Args)]
struct ReportsArgs {
    /// Format of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Show a row for each clause, even if there are many; with JSON, add what was observed in each case
    #[arg(long, short)]
    verbose: bool,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write a report in this format to this file; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = reports::more)]
    more: Vec<(Format, PathBuf)>,
    /// Write the name of each file without its folder, to publish the reports
    #[arg(long)]
    redact_paths: bool,
}

#[derive(Args)]
struct ReportArgs {
    /// Saved runs: files that `heapmin check --format json` wrote
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    reports: ReportsArgs,
}

#[derive(Args)]
#[command(
    override_usage = "heapmin diff [OPTIONS] <OLD> <NEW> [-- CHECK-OPTIONS...]",
    after_help = "The exit status is 1 if a result regressed or is no longer judged."
)]
struct DiffArgs {
    /// The old run: a file that `heapmin check --format json` wrote, or a library, which is checked first
    old: OsString,
    /// The new run, or a library
    new: OsString,
    /// Format of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
    /// Options of `heapmin check` for a library
    #[arg(last = true, value_name = "CHECK-OPTIONS")]
    options: Vec<OsString>,
}

#[derive(Args)]
#[command(
    override_usage = "heapmin bisect [OPTIONS] <CLAUSE> <VERSIONS>... [-- CHECK-OPTIONS...]
       git bisect run heapmin bisect --build <CMD> <CLAUSE> <LIBRARY>",
    after_help = "Exit status:
  0    the change was found; with --build, the library keeps the clause
  1    no change was found; with --build, the library breaks the clause
  125  with --build: the build failed, or the clause cannot be judged"
)]
struct BisectArgs {
    /// Id of the clause
    clause: String,
    /// The versions of the library, the oldest first
    #[arg(required = true)]
    versions: Vec<OsString>,
    /// Build the library with this command first and judge this one version, for `git bisect run`
    #[arg(long, value_name = "CMD")]
    build: Option<String>,
    /// Check each version this many times; one deviation is enough
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeat: u32,
    /// Options of `heapmin check`
    #[arg(last = true, value_name = "CHECK-OPTIONS")]
    options: Vec<OsString>,
}

#[derive(Args)]
struct MergeArgs {
    /// The parts: files that `heapmin check --partition M/N --format json` wrote
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// File of known deviations, in addition to the profiles', and of clauses that must be judged
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,
    /// Fail if an entry of the --expected file that occurs has no `bug`
    #[arg(long, requires = "expected")]
    require_bug: bool,
    #[command(flatten)]
    reports: ReportsArgs,
}

#[derive(Args)]
struct KnownArgs {
    /// Saved runs: files that `heapmin check --format json` wrote
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Format of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
}

#[derive(Args)]
#[command(
    after_help = "The exit status is 1 if a library is missing; the site is written all the same."
)]
struct SiteArgs {
    /// Saved runs: files that `heapmin check --format json` wrote
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Folder of the site; it must not exist, be empty, or have a site that heapmin made
    #[arg(long, value_name = "FOLDER", default_value = "site")]
    output: PathBuf,
    /// The site before this one, or its runs.json; it is an error if no new run has a library of it
    #[arg(long, value_name = "FOLDER-OR-FILE")]
    previous: Option<PathBuf>,
    /// A library of the site before this one that is no longer checked; can be given several times
    #[arg(long, value_name = "NAME", requires = "previous")]
    removed: Vec<String>,
    /// Write the name of each file without its folder, to publish the site
    #[arg(long)]
    redact_paths: bool,
}

/// What starts the process that loads a library.
#[derive(Args)]
struct RunnerArgs {
    /// Command that starts the probe, such as `valgrind -q`, or another Wine; the program and its arguments are added to it
    #[arg(long, value_name = "CMD", value_parser = words)]
    runner: Option<Words>,
    /// Program that starts Wine [default: wine or wine64 in the path]
    #[arg(long, value_name = "PATH", conflicts_with = "runner")]
    wine: Option<PathBuf>,
    /// Path of the Windows build of heapmin, which runs Windows libraries under Wine
    #[arg(long, value_name = "EXE")]
    windows_probe: Option<PathBuf>,
}

/// The words of a command.
#[derive(Clone)]
struct Words(Vec<String>);

impl RunnerArgs {
    /// The choice of the user. `memory` is the limit of a probe in MiB.
    fn choice(&self, is_unfenced: bool, memory: Option<u64>) -> Choice {
        Choice {
            windows_probe: self.windows_probe.clone(),
            wine: self.wine.clone(),
            command: self.runner.clone().map(|words| words.0),
            is_unfenced,
            memory: memory.map(|mebibytes| mebibytes << 20),
        }
    }
}

#[derive(Args)]
struct DebugArgs {
    /// Id of the clause; or a family or routine, such as heapmin: the first of its clauses that deviates
    clause: String,
    /// Library file, or name of a known library
    #[arg(value_name = "LIBRARY")]
    candidate: OsString,
    /// Case of the clause [default: the first case in which the library deviates]
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Debugger [default: the first that is found]
    #[arg(long, value_name = "NAME", value_enum, conflicts_with_all = ["with", "keep_core"])]
    debugger: Option<Debugger>,
    /// Command to run the probe under instead, such as 'valgrind -q', 'strace -f' or 'rr record'; the probe does not stop in it
    #[arg(long, value_name = "CMD", value_parser = words, conflicts_with = "keep_core")]
    with: Option<Words>,
    /// Do not stop before the deviation: run to the end of the case, or to a crash
    #[arg(long)]
    keep_going: bool,
    /// Run without a debugger and keep the core file of a crash; without a crash, end the process with one right before the deviation (Linux)
    #[arg(long)]
    keep_core: bool,
    /// Judge the library by this profile: the name of a known library, or a .toml file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Let the library replace the system's heap (LD_PRELOAD) in the cases about that
    #[arg(long)]
    preload: bool,
    #[command(flatten)]
    surroundings: SurroundingsArgs,
    #[command(flatten)]
    runner: RunnerArgs,
}

#[derive(Args)]
struct DoctorArgs {
    #[command(flatten)]
    runner: RunnerArgs,
}

#[derive(Args)]
struct FuzzArgs {
    /// Library file, or name of a known library
    candidate: OsString,
    /// Library to compare the candidate with
    #[arg(long, value_name = "LIBRARY", default_value = "reference")]
    against: OsString,
    /// Judge the candidate by this profile: the name of a known library, or a .toml file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Seed of the random sequences, as shown by an earlier run [default: random]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Number of operations to run in all
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: u64,
    /// Number of sequences to run in parallel [default: number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Maximum number of threads in a sequence; every fourth sequence has threads, and with 0 or 1 none
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=i64::from(MOST_THREADS)))]
    threads: u8,
    /// Do not call this routine in random sequences; can be given several times
    #[arg(long, value_name = "ROUTINE", value_parser = PossibleValuesParser::new(ROUTINES))]
    without: Vec<String>,
    /// Time limit for each sequence of 200 operations, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Ignore findings of this kind; can be given several times
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(crate::fuzz::compare::KINDS))]
    ignore: Vec<String>,
    /// Write the sequence that shows a difference to this file, which must not exist [default: heapmin-fuzz-SEED.txt]
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    save: Option<PathBuf>,
    /// Run the libraries without restrictions on files, network, processes and memory
    #[arg(long)]
    no_fence: bool,
    /// Run the sequence in this file instead of random ones
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "steps"])]
    replay: Option<PathBuf>,
    #[command(flatten)]
    runner: RunnerArgs,
}

#[derive(Args)]
#[command(
    override_usage = "heapmin repro [OPTIONS] CLAUSE LIBRARY
       heapmin repro [OPTIONS] --script FILE LIBRARY",
    allow_missing_positional = true
)]
struct ReproArgs {
    /// Id of the clause, as shown by `heapmin list`
    #[arg(required_unless_present = "script")]
    clause: Option<String>,
    /// Library file, or name of a known library
    #[arg(value_name = "LIBRARY")]
    candidate: OsString,
    /// Write the sequence in this file, which `heapmin fuzz` saved, instead of a clause
    #[arg(long, value_name = "FILE", conflicts_with_all = ["clause", "case"])]
    script: Option<PathBuf>,
    /// Case of the clause [default: the first in which the library deviates]
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Kind of file: a program, or a test of Wine's own kind
    #[arg(long, value_enum, default_value_t = ReproStyle::C)]
    style: ReproStyle,
    /// Write the file here instead of to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Judge the library by this profile: the name of a known library, or a .toml file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Run the library without restrictions on files, network, processes and memory
    #[arg(long)]
    no_fence: bool,
    #[command(flatten)]
    runner: RunnerArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReproStyle {
    C,
    Wine,
}

#[derive(Args)]
#[command(
    override_usage = "heapmin bench [OPTIONS] [CANDIDATES]...
       heapmin bench [OPTIONS] [CANDIDATES]... -- PROGRAM [ARGS]...",
    after_help = PROGRAM_HELP
)]
struct BenchArgs {
    /// Library files, or names of known libraries [default: reference and all installed allocators]
    candidates: Vec<OsString>,
    /// Run only benchmarks whose name matches this pattern; can be given several times
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Number of runs of each benchmark; figures are the median of the runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeat: u16,
    /// Time limit for each run, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Also replay and measure the heap calls in this file
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Format of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    format: ReportFormat,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write SVG plots to this folder: resident memory over time, and time of _heapmin over heap size
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    /// A program of your own, with its arguments, to run under each allocator instead (Linux)
    #[arg(last = true, value_name = "PROGRAM", conflicts_with_all = ["only", "trace", "plots"])]
    program: Vec<OsString>,
}

const PROGRAM_HELP: &str = "A program of your own:
  Each allocator is preloaded (LD_PRELOAD) in turn; a candidate may be any library with malloc
  and free. Before that, the program runs once on the system's heap. Its input is empty, and its
  standard output is discarded. It must exit with status 0.
  time           from the start of the program to its end, without the time that it is stopped.
                 Child processes that still run then are killed.
  most resident  resident memory of the process that had most: the program, or a child process
                 for which it waited. Pages of files are included.
  at stop        resident memory when the program last stopped itself, without pages of files
                 and without child processes. To measure a release, let the program free
                 blocks, release memory, and stop itself: raise(SIGSTOP). heapmin continues it.
  The exit status is 1 if the program fails under an allocator only.";

#[derive(Args)]
struct ListArgs {
    /// Format of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
    /// List the known libraries instead of the clauses
    #[arg(long, conflicts_with = "format")]
    candidates: bool,
    /// List only what changed since this release of the promises, such as 2026.1
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["format", "candidates"])]
    changed_since: Option<String>,
}

/// The levels for `--must-judge`. Clauses of level `record` are never judged.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MustJudge {
    Must,
    Should,
}

impl From<MustJudge> for Level {
    fn from(level: MustJudge) -> Level {
        match level {
            MustJudge::Must => Level::Must,
            MustJudge::Should => Level::Should,
        }
    }
}

/// The formats of the report of `heapmin bench`.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    Human,
    Json,
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Human,
    Json,
}

/// Runs the command line; returns the exit status.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    if !matches!(cli.command, Command::Probe { .. }) {
        signals::end_in_good_order();
    }
    let status = match cli.command {
        Command::Check(args) => check::check(&args),
        Command::Report(args) => report::report(&args),
        Command::Merge(args) => merge::merge(&args),
        Command::Diff(args) => diff::diff(&args),
        Command::Bisect(args) => bisect::bisect(&args),
        Command::Known(args) => known::known(&args),
        Command::Site(args) => site::site(&args),
        Command::List(args) => list::list(&args),
        Command::Explain { clause } => explain::explain(&clause),
        Command::Debug(args) => debug::debug(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Repro(args) => repro::repro(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Probe { job } => probe::run(BUILD, job.as_deref(), |name| {
            clauses::act_of(name)
                .or_else(|| crate::bench::act::act_of(name))
                .or_else(|| crate::beneath::act_of(name))
        }),
    };
    ExitCode::from(status.unwrap_or_else(|error| match signals::interrupted() {
        // The interruption caused the error.
        Some(status) => {
            note("interrupted");
            status
        }
        None => {
            say(&error);
            FAILED
        }
    }))
}

/// Parses a command as a shell does, without running one.
fn words(text: &str) -> Result<Words, String> {
    match shlex::split(text) {
        Some(words) if !words.is_empty() => Ok(Words(words)),
        Some(_) => Err("the command is empty".into()),
        None => Err("a quote is not closed".into()),
    }
}

/// Parses `NAME=VALUE`.
fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".into()),
    }
}

/// The names of the faults that cases inject.
fn fault_modes() -> PossibleValuesParser {
    let mut modes: Vec<_> = clauses::cases()
        .iter()
        .filter_map(|case| case.fault)
        .collect();
    modes.sort_unstable();
    modes.dedup();
    PossibleValuesParser::new(modes)
}

/// Writes an error to standard error.
fn say(error: &InputError) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    note(&format!("{red}error:{red:#} {error}"));
}

/// Writes a line to standard error. The run continues if that fails.
fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// The runners that start probes on this machine.
fn runners(choice: Choice) -> Result<Runners, InputError> {
    let program = std::env::current_exe().map_err(|error| {
        InputError::new(
            format!("cannot find the path of this program: {error}"),
            "start it by its path",
        )
    })?;
    if !choice.is_unfenced {
        Scratch::new().map_err(|problem| {
            let mend = "set TMPDIR to a folder that can be written";
            InputError::new(problem, mend)
        })?;
    }
    Ok(runners_of(program, choice))
}

/// The runners of this program, which is in this file.
pub fn runners_of(program: PathBuf, choice: Choice) -> Runners {
    let libraries = heapmin_fixtures::LIBRARIES.iter();
    let embedded = libraries.map(|(name, bytes)| Embedded { name, bytes });
    Runners::new(Installed::new(program, embedded.collect()), BUILD, choice)
}

/// The catalogue of the profiles that are part of this program.
///
/// # Errors
/// If a profile is invalid.
pub fn catalogue() -> Result<Catalogue, InputError> {
    let profiles: Result<Vec<_>, _> = heapmin_fixtures::PROFILES
        .iter()
        .map(|(name, text)| Profile::parse(name, text))
        .collect();
    Ok(Catalogue {
        profiles: profiles?,
    })
}
