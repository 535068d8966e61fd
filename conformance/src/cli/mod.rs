//! The command line: a file for each command, with its arguments.

mod bench;
#[cfg(target_os = "linux")]
mod bench_program;
mod bisect;
mod check;
mod check_options;
mod checked;
mod color;
mod completions;
mod debug;
mod diff;
mod doctor;
mod explain;
mod fuzz;
mod init;
mod known;
mod list;
mod man;
mod merge;
mod messages;
mod options;
mod output;
mod progress;
mod report;
mod reports;
mod repro;
mod signals;
mod site;

use crate::own_probe;
use crate::shipped::{catalogue, runners};
use clap::{ArgAction, ColorChoice, CommandFactory, Parser, Subcommand};
use messages::{note, say, set_quiet};
use std::path::PathBuf;
use std::process::ExitCode;

/// The name of the program.
const PROGRAM: &str = "heapmin";
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

const AFTER: &str = "\
Exit status:
  0    every result is as expected
  1    a result is not as expected, `fuzz` found a difference, or the program
       that `bench` runs fails under an allocator
  2    the run itself failed
  130  Ctrl-C interrupted the run (143: SIGTERM)

Examples:
  heapmin check ./libmine.so
  heapmin init ./libmine.so";

/// Check whether C runtime heaps keep the promises of Microsoft's documentation
#[derive(Parser)]
#[command(name = PROGRAM, version, disable_help_flag = true, after_long_help = AFTER)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Write only what is not as expected, and nothing if all is
    ///
    /// Files that the options name are complete all the same. Errors are always written.
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    quiet: bool,
    /// Whether to use colours
    ///
    /// `auto` uses them on a terminal, and follows NO_COLOR, CLICOLOR and CLICOLOR_FORCE. Files
    /// never have colours.
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t = ColorChoice::Auto,
        help_heading = GLOBAL
    )]
    color: ColorChoice,
    /// Print help; -h is short, --help has details and examples
    #[arg(long, short, global = true, action = ArgAction::Help, help_heading = GLOBAL)]
    help: Option<bool>,
}

const GLOBAL: &str = "Global options";

#[derive(Subcommand)]
enum Command {
    /// Check libraries and report which promises they keep
    Check(check_options::CheckArgs),
    /// Write an expected-results file and a CI workflow for a library
    Init(init::InitArgs),
    /// Show saved runs in any format
    Report(report::ReportArgs),
    /// Join the parts of a run that was divided with --partition
    Merge(merge::MergeArgs),
    /// Show what changed between two runs, or between two libraries
    Diff(diff::DiffArgs),
    /// Find the first of several versions of a library that breaks a clause
    Bisect(bisect::BisectArgs),
    /// List the known deviations of saved runs by age
    Known(known::KnownArgs),
    /// Make a static site of saved runs: libraries, versions, clauses, changes
    Site(site::SiteArgs),
    /// List the clauses and their cases, or the known libraries
    List(list::ListArgs),
    /// Explain a clause: its source, its cases, and which known libraries break it
    Explain(explain::ExplainArgs),
    /// Run one case under a debugger, stopped right before the call that deviates
    Debug(debug::DebugArgs),
    /// List what can load libraries on this machine, and what is missing
    Doctor(doctor::DoctorArgs),
    /// Run random sequences of calls on two libraries and compare the results
    Fuzz(fuzz::FuzzArgs),
    /// Write a C file that shows a deviation without heapmin
    Repro(repro::ReproArgs),
    /// Measure the speed and memory use of the reference and of installed allocators
    Bench(bench::BenchArgs),
    /// Print a shell's completions
    Completions(completions::CompletionsArgs),
    /// Print a manual page, or write all of them
    Man(man::ManArgs),
    /// Run one case in this process; only heapmin itself starts this command
    #[command(hide = true, name = heapmin_harness::wire::job::PROBE_COMMAND)]
    Probe {
        /// File with the job, instead of standard input
        job: Option<PathBuf>,
    },
}

/// Runs the command line; returns the exit status.
pub fn run() -> ExitCode {
    color::apply(std::env::args_os().skip(1));
    let cli = Cli::parse();
    set_quiet(cli.quiet);
    if !matches!(cli.command, Command::Probe { .. }) {
        signals::end_in_good_order();
    }
    let status = match cli.command {
        Command::Check(args) => check::check(&args),
        Command::Init(args) => init::init(&args),
        Command::Report(args) => report::report(&args),
        Command::Merge(args) => merge::merge(&args),
        Command::Diff(args) => diff::diff(&args),
        Command::Bisect(args) => bisect::bisect(&args),
        Command::Known(args) => known::known(&args),
        Command::Site(args) => site::site(&args),
        Command::List(args) => list::list(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Debug(args) => debug::debug(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Fuzz(args) => fuzz::fuzz(&args),
        Command::Repro(args) => repro::repro(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => man::man(&args),
        Command::Probe { job } => own_probe::run(job.as_deref()),
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

/// The definitions of all arguments, from which help, completions and manual pages are made.
pub fn definitions() -> clap::Command {
    Cli::command()
}
