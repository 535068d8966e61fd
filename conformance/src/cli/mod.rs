//! The command line.

mod bench;
mod check;
mod explain;
mod fuzz;
mod list;
mod output;
mod signals;

use crate::{BUILD, clauses};
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use heapmin_harness::library::profile::Profile;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::runners::Runners;
use heapmin_harness::parent::scratch::Scratch;
use heapmin_harness::probe;
use heapmin_harness::text::input_error::InputError;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Every result was as expected.
pub const AS_EXPECTED: u8 = 0;
/// There is a deviation that is not listed, a listed one that no longer occurs,
/// or a clause that is no longer judged.
pub const DEVIATION: u8 = 1;
/// The run itself failed.
pub const FAILED: u8 = 2;

/// Checks C runtime heaps against the promises of Microsoft's reference.
#[derive(Parser)]
#[command(
    name = "heapmin",
    version,
    after_help = "Exit status: 0 every result as expected; 1 a deviation that is not listed, a listed one that no longer occurs, or a clause that is no longer judged; 2 the run itself failed; 130 it was interrupted by Ctrl-C."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check libraries and report which promises they keep
    Check(CheckArgs),
    /// Show the clauses and their cases, or the libraries known by name
    List(ListArgs),
    /// Say what a clause asks, where that comes from, and who is known to break it
    Explain {
        /// The clause's id, as `heapmin list` shows it
        clause: String,
    },
    /// Run random sequences of calls on a library and on another, and compare
    Fuzz(FuzzArgs),
    /// Measure the reference beside the allocators of this machine
    Bench(BenchArgs),
    /// Run one case in this process; started by heapmin itself
    #[command(hide = true, name = heapmin_harness::wire::job::PROBE_COMMAND)]
    Probe,
}

#[derive(Args)]
struct CheckArgs {
    /// Library files, or names of known libraries (ucrtbase, msvcr120, …) [default: the reference]
    candidates: Vec<OsString>,
    /// Judge the candidates by this profile: a known library's name, or a .toml file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Check only the clauses that this pattern names; may be given several times
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Leave the clauses out that this pattern names; may be given several times
    #[arg(long, value_name = "GLOB")]
    skip: Vec<String>,
    /// Run only the cases in which the system is made to refuse in this way
    #[arg(long, value_name = "MODE", value_parser = fault_modes())]
    fault: Option<String>,
    /// How many cases run at a time [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// How long a case may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// The form of the report
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    format: ReportFormat,
    /// Show a row for each clause, also where there are many
    #[arg(long, short)]
    verbose: bool,
    /// Write the report to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Known deviations beside those of the profiles, and clauses that must be judged
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,
    /// How much memory a probe may hold, in MiB [default: three quarters of what is left, and 512 at least]
    #[arg(long, value_name = "MIB", conflicts_with = "no_fence", value_parser = clap::value_parser!(u64).range(512..=1 << 30))]
    memory: Option<u64>,
    /// Bring the file given with --expected to what this run finds; status 0 if it then says all
    #[arg(long, requires = "expected")]
    update: bool,
    /// Let the library write files, use the network, start processes and hold any amount of memory
    #[arg(long)]
    no_fence: bool,
    /// The Windows build of this program, for Windows libraries under Wine
    #[arg(long, value_name = "EXE")]
    windows_probe: Option<PathBuf>,
}

#[derive(Args)]
struct FuzzArgs {
    /// A library file, or the name of a known library
    candidate: OsString,
    /// The library to compare it with
    #[arg(long, value_name = "LIBRARY", default_value = "reference")]
    against: OsString,
    /// Judge the candidate by this profile: a known library's name, or a .toml file
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Draw the same sequences as the run that told this number [default: another each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many operations to perform in all
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    steps: u64,
    /// How many sequences run at a time [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// How long a sequence of 200 operations may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Pass over findings of this kind; may be given several times
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(crate::fuzz::compare::KINDS))]
    ignore: Vec<String>,
    /// Where to write the sequence that shows a difference [default: heapmin-fuzz-SEED.txt]
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    save: Option<PathBuf>,
    /// Let the libraries write files, use the network, start processes and hold any amount of memory
    #[arg(long)]
    no_fence: bool,
    /// Run the sequence in this file instead of random ones
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "steps"])]
    replay: Option<PathBuf>,
    /// The Windows build of this program, for Windows libraries under Wine
    #[arg(long, value_name = "EXE")]
    windows_probe: Option<PathBuf>,
}

#[derive(Args)]
struct BenchArgs {
    /// Library files, or names of known libraries [default: the reference and every allocator that is here]
    candidates: Vec<OsString>,
    /// Measure only what this pattern names; may be given several times
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// How many runs each figure is the median of
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    repeat: u16,
    /// How long a run may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Measure the calls in this file as well
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The form of the figures
    #[arg(long, value_enum, default_value_t = ReportFormat::Human)]
    format: ReportFormat,
    /// Write them to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw resident memory over time, and the time of a release over the size of the heap, as SVG files into this folder
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
}

#[derive(Args)]
struct ListArgs {
    /// The form of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    format: ListFormat,
    /// Show the libraries known by name instead
    #[arg(long, conflicts_with = "format")]
    candidates: bool,
}

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

/// Runs the command; returns its exit status.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    if !matches!(cli.command, Command::Probe) {
        signals::end_in_good_order();
    }
    let status = match cli.command {
        Command::Check(args) => check::check(&args),
        Command::List(args) => list::list(&args),
        Command::Explain { clause } => explain::explain(&clause),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Probe => probe::run(BUILD, |name| {
            clauses::act_of(name).or_else(|| crate::bench::act::act_of(name))
        }),
    };
    ExitCode::from(status.unwrap_or_else(|error| match signals::interrupted() {
        // What was interrupted failed for that reason.
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

/// The ways in which cases make the system refuse.
fn fault_modes() -> PossibleValuesParser {
    let mut modes: Vec<_> = clauses::cases()
        .iter()
        .filter_map(|case| case.fault)
        .collect();
    modes.sort_unstable();
    PossibleValuesParser::new(modes)
}

/// Tells the user what to mend.
fn say(error: &InputError) {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    note(&format!("{red}error:{red:#} {error}"));
}

/// Puts a line on standard error. If nobody can have it there, the run goes on.
fn note(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

/// What runs probes here, with a fence around them or without.
fn runners(
    windows_probe: Option<PathBuf>,
    no_fence: bool,
    memory: Option<u64>,
) -> Result<Runners, InputError> {
    let program = std::env::current_exe().map_err(|error| {
        InputError::new(
            format!("this program cannot find itself: {error}"),
            "start it by its path",
        )
    })?;
    let runners = Runners::new(program, BUILD, windows_probe);
    if !no_fence {
        Scratch::new().map_err(|problem| {
            let mend = "name a folder that can be written in TMPDIR";
            InputError::new(problem, mend)
        })?;
    }
    Ok(match (no_fence, memory) {
        (true, _) => runners.unfenced(),
        (false, Some(mebibytes)) => runners.with_memory(mebibytes << 20),
        (false, None) => runners,
    })
}

/// The profiles and adapters that came with this program.
///
/// # Errors
/// If a profile is wrong.
pub fn catalogue() -> Result<Catalogue, InputError> {
    let profiles: Result<Vec<_>, _> = heapmin_fixtures::PROFILES
        .iter()
        .map(|(name, text)| Profile::parse(name, text)?.with_shared(heapmin_fixtures::DEVIATIONS))
        .collect();
    let adapters = heapmin_fixtures::ADAPTERS.iter();
    Ok(Catalogue {
        profiles: profiles?,
        adapters: adapters
            .map(|(name, path)| (name.to_string(), path.into()))
            .collect(),
    })
}
