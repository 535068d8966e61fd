//! The options of `heapmin check`.

use super::options::{ClausesArgs, ProfileArgs, ReportsArgs, RunnerArgs, SurroundingsArgs};
use crate::clause::Level;
use crate::clauses;
use crate::partition::Partition;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  heapmin check ./libmine.so
  heapmin check ./libmine.so --expected expected.toml --quiet";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct CheckArgs {
    /// Library files, or names of known libraries [default: reference]
    ///
    /// Names are such as ucrtbase, msvcr120, or msvcr120:x86 for 32 bits. `heapmin list
    /// --candidates` shows them.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) candidates: Vec<OsString>,

    /// Check every known library that this machine can load
    #[arg(long, conflicts_with_all = ["candidates", "profile"], help_heading = WHAT)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) clauses: ClausesArgs,
    /// Run only cases in which the system refuses, or answers, in this way
    #[arg(long, value_name = "MODE", value_parser = fault_modes(), help_heading = WHAT)]
    pub(super) fault: Option<String>,
    /// Run only a part of the cases, such as slice:2/5 or hash:2/5
    ///
    /// `slice` takes each case in turn, `hash` decides by its name. `heapmin merge` joins the
    /// parts.
    #[arg(
        long,
        value_name = "PART",
        conflicts_with = "update",
        value_hint = ValueHint::Other,
        help_heading = WHAT
    )]
    pub(super) partition: Option<Partition>,

    #[command(flatten)]
    pub(super) judged_by: ProfileArgs,
    #[command(flatten)]
    pub(super) surroundings: SurroundingsArgs,

    /// Number of cases to run in parallel [default: number of processors]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = HOW
    )]
    pub(super) jobs: Option<u16>,
    /// Time limit for each case, in seconds [default: measured, at least 10]
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        help_heading = HOW
    )]
    pub(super) timeout: Option<u64>,
    /// Time limit for the whole run, in seconds
    ///
    /// Cases that were not run by then are reported as errors.
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=864_000),
        help_heading = HOW
    )]
    pub(super) max_time: Option<u64>,
    /// Run every case this many times, and report what changed
    ///
    /// The report has the clauses whose verdict or observation was not the same in every run.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=100_000),
        help_heading = HOW
    )]
    pub(super) repeat: u32,
    /// Memory limit for each probe, in MiB [default: three quarters of what is available]
    ///
    /// The default is at least 512 MiB.
    #[arg(
        long,
        value_name = "MIB",
        conflicts_with = "no_fence",
        value_parser = clap::value_parser!(u64).range(512..=1 << 30),
        help_heading = HOW
    )]
    pub(super) memory: Option<u64>,
    /// Run the library without restrictions on files, network, processes and memory
    #[arg(long, help_heading = HOW)]
    pub(super) no_fence: bool,
    #[command(flatten)]
    pub(super) runner: RunnerArgs,

    /// File of known deviations and of clauses that must be judged
    ///
    /// The known deviations are in addition to those of the profiles.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = GATE)]
    pub(super) expected: Option<PathBuf>,
    /// Update the --expected file to match this run
    ///
    /// The run exits with 0 if the file then covers every result.
    #[arg(long, requires = "expected", help_heading = GATE)]
    pub(super) update: bool,
    /// Fail if an entry of the --expected file that occurs has no `bug`
    #[arg(long, requires = "expected", help_heading = GATE)]
    pub(super) require_bug: bool,
    /// Fail if a clause of this level that applies was not judged
    ///
    /// `should` includes `must`.
    #[arg(long, value_name = "LEVEL", value_enum, help_heading = GATE)]
    pub(super) must_judge: Option<MustJudge>,
    /// Judge by the clauses and levels of this release, such as 2026.1
    ///
    /// An upgrade of heapmin then fails nothing.
    #[arg(long, value_name = "VERSION", value_hint = ValueHint::Other, help_heading = GATE)]
    pub(super) promises: Option<String>,

    #[command(flatten)]
    pub(super) reports: ReportsArgs,
}

const WHAT: &str = "What to check";
const HOW: &str = "How to run it";
const GATE: &str = "What fails the run";

/// The levels for `--must-judge`. Clauses of level `record` are never judged.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MustJudge {
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
