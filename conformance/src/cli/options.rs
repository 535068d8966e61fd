//! Options that several commands have.

use super::reports;
use crate::views::Format;
use clap::{Args, ValueEnum, ValueHint};
use heapmin_harness::parent::runners::Choice;
use heapmin_harness::parent::surroundings::Surroundings;
use std::ffi::OsString;
use std::path::PathBuf;

/// The clauses that are checked.
#[derive(Args)]
#[command(next_help_heading = "What to check")]
pub(super) struct ClausesArgs {
    /// Check only clauses whose id matches this pattern
    ///
    /// Or the clauses of this family or routine (heapmin, _heapmin). Can be given several times.
    #[arg(long, value_name = "GLOB", value_hint = ValueHint::Other)]
    pub(super) only: Vec<String>,
    /// Skip clauses whose id matches this pattern
    ///
    /// Or the clauses of this family or routine. Can be given several times.
    #[arg(long, value_name = "GLOB", value_hint = ValueHint::Other)]
    pub(super) skip: Vec<String>,
    /// Also check the clauses about libraries that replace the system's heap (LD_PRELOAD)
    #[arg(long)]
    pub(super) preload: bool,
}

/// The profile by which a library is judged.
#[derive(Args)]
#[command(next_help_heading = "The library")]
pub(super) struct ProfileArgs {
    /// Profile to judge by: the name of a known library, or a .toml file
    #[arg(long, value_name = "NAME", value_hint = ValueHint::FilePath)]
    pub(super) profile: Option<String>,
}

/// What a library needs besides its file.
#[derive(Args)]
#[command(next_help_heading = "The library")]
pub(super) struct SurroundingsArgs {
    /// Library that has the heap routines which a candidate lacks
    ///
    /// Such as its malloc and free: a path, or a name that the loader finds.
    #[arg(long, value_name = "LIBRARY", value_hint = ValueHint::FilePath)]
    pub(super) heap: Option<OsString>,
    /// Folder in which the loader searches for libraries that a candidate needs
    ///
    /// Can be given several times.
    #[arg(long = "library-path", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub(super) search_folders: Vec<PathBuf>,
    /// Environment variable for the process that loads a candidate
    ///
    /// Can be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(super) env: Vec<(String, String)>,
}

impl SurroundingsArgs {
    /// The surroundings that the user chose.
    pub(super) fn chosen(&self) -> Surroundings {
        Surroundings {
            heap: self.heap.clone(),
            search_folders: self.search_folders.clone(),
            environment: self.env.clone(),
        }
    }
}

/// What starts the process that loads a library.
#[derive(Args)]
#[command(next_help_heading = "What loads the library")]
pub(super) struct RunnerArgs {
    /// Command that starts the probe, such as `valgrind -q`
    ///
    /// Or another Wine. The program and its arguments are added to the command.
    #[arg(long, value_name = "CMD", value_parser = words, value_hint = ValueHint::CommandString)]
    pub(super) runner: Option<Words>,
    /// Program that starts Wine [default: wine or wine64 in the path]
    #[arg(long, value_name = "PATH", conflicts_with = "runner", value_hint = ValueHint::ExecutablePath)]
    pub(super) wine: Option<PathBuf>,
    /// Windows build of heapmin, which runs Windows libraries under Wine
    #[arg(long, value_name = "EXE", value_hint = ValueHint::FilePath)]
    pub(super) windows_probe: Option<PathBuf>,
}

impl RunnerArgs {
    /// The choice of the user. `memory` is the limit of a probe in MiB.
    pub(super) fn choice(&self, is_unfenced: bool, memory: Option<u64>) -> Choice {
        Choice {
            windows_probe: self.windows_probe.clone(),
            wine: self.wine.clone(),
            command: self.runner.clone().map(|words| words.0),
            is_unfenced,
            memory: memory.map(|mebibytes| mebibytes << 20),
        }
    }
}

/// The reports of a run.
#[derive(Args)]
#[command(next_help_heading = "Reports")]
pub(super) struct ReportsArgs {
    /// Format of the report
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub(super) format: Format,
    /// Show a row for each clause, even if there are many
    ///
    /// With JSON, add what was observed in each case.
    #[arg(long, short, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,
    /// Also write a report in this format to this file
    ///
    /// Can be given several times. The formats are those of --format.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = reports::more)]
    pub(super) more: Vec<(Format, PathBuf)>,
    /// Write the name of each file without its folder, to publish the reports
    #[arg(long)]
    pub(super) redact_paths: bool,
}

/// The formats of a list.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// For people
    Human,
    /// For programs
    Json,
}

/// The words of a command.
#[derive(Clone)]
pub(super) struct Words(pub(super) Vec<String>);

/// Parses a command as a shell does, without running one.
pub(super) fn words(text: &str) -> Result<Words, String> {
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
