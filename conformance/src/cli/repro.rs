//! `heapmin repro`: writes a C file that shows a deviation without this program.

use super::messages::remark;
use super::options::{ProfileArgs, RunnerArgs};
use super::output::Output;
use super::{AS_EXPECTED, catalogue, runners};
use crate::clause::{Case, Clause, Judgement, Verdict};
use crate::fuzz::file;
use crate::observe::{observe, observe_loading};
use crate::pace::Pace;
use crate::repro::{self, Style};
use crate::run::{judge_observation, numbering, seen_by};
use crate::select;
use clap::{Args, ValueEnum, ValueHint};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::surroundings::Surroundings;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::text::suggest::nearest;
use heapmin_harness::wire::observation::Observation;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  heapmin repro heapmin.exported ./libmine.so --output shows.c
  heapmin repro --script heapmin-fuzz-7.txt ./libmine.so --style wine";

#[derive(Args)]
#[command(
    override_usage = "heapmin repro [OPTIONS] CLAUSE LIBRARY
       heapmin repro [OPTIONS] --script FILE LIBRARY",
    allow_missing_positional = true,
    after_long_help = EXAMPLES
)]
pub(super) struct ReproArgs {
    /// Id of the clause, as shown by `heapmin list`
    #[arg(required_unless_present = "script", value_hint = ValueHint::Other)]
    clause: Option<String>,
    /// Library file, or name of a known library
    #[arg(value_name = "LIBRARY", value_hint = ValueHint::FilePath)]
    candidate: OsString,
    /// Case of the clause [default: the first in which the library deviates]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other, help_heading = WHAT)]
    case: Option<String>,
    /// Write the sequence in this file, which `heapmin fuzz` saved, instead of a clause
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["clause", "case"],
        value_hint = ValueHint::FilePath,
        help_heading = WHAT
    )]
    script: Option<PathBuf>,
    /// Kind of file
    #[arg(long, value_enum, default_value_t = ReproStyle::C, help_heading = WHAT)]
    style: ReproStyle,
    /// Write the file here instead of to standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = WHAT)]
    output: Option<PathBuf>,
    /// Run the library without restrictions on files, network, processes and memory
    #[arg(long, help_heading = "How to run it")]
    no_fence: bool,
    #[command(flatten)]
    judged_by: ProfileArgs,
    #[command(flatten)]
    runner: RunnerArgs,
}

const WHAT: &str = "What to write";

/// The kinds of files.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReproStyle {
    /// A program
    C,
    /// A test of Wine's own kind
    Wine,
}

impl From<ReproStyle> for Style {
    fn from(style: ReproStyle) -> Style {
        match style {
            ReproStyle::C => Style::Plain,
            ReproStyle::Wine => Style::Wine,
        }
    }
}

pub(super) fn repro(args: &ReproArgs) -> Result<u8, InputError> {
    // Before the library runs: these mistakes need no library.
    let clause = args.clause.as_deref().map(select::clause).transpose()?;
    clause.map(repro::refuse).transpose()?;
    let case = clause
        .map(|clause| case(clause, args))
        .transpose()?
        .flatten();
    let steps = args.script.as_deref().map(file::read).transpose()?;
    let candidate = candidate(args)?;
    let pace = Pace::measured([&candidate.runner], 1, 1);
    let memory = pace.memory(&candidate.runner);
    let mut candidate = candidate;
    candidate.runner.sees_memory = memory.is_seen;
    candidate.runner.frees_threads = memory.frees_threads;
    let timeout = pace.of(&candidate.runner).full;
    let style = args.style.into();
    let output = Output::create(args.output.as_deref())?;
    let text = match (clause, steps, &args.script) {
        (Some(clause), ..) => {
            let cases = case.map_or(clause.cases, |case| std::slice::from_ref(case));
            let run = |case: &&'static Case| {
                let observation = observe(&candidate, case, timeout);
                let judgement = judge_observation(clause, case, &candidate, &observation);
                (*case, observation, judgement)
            };
            let (case, observation, judgement) = first_deviation(cases.iter().map(run));
            say_what_was_seen(clause, case, &candidate, &judgement);
            let seen = seen_by(clause, case, &candidate, &observation);
            let deviates = judgement.verdict.is_deviation();
            let observed = on_one_line(&judgement.observed);
            repro::of_clause(&seen, Some((&observed, deviates)), style)?
        }
        (None, Some(steps), Some(path)) => {
            let name = file_name(path);
            let loaded = observe_loading(&candidate, timeout);
            let numbering = numbering(&candidate, &loaded);
            repro::of_script(&steps, &name, &candidate, numbering, style)?
        }
        (None, ..) => unreachable!("clap requires a clause or a script"),
    };
    output.write(&text)?;
    Ok(AS_EXPECTED)
}

/// The first run that deviates, else the first that was judged, else the first.
fn first_deviation(
    runs: impl Iterator<Item = (&'static Case, Observation, Judgement)>,
) -> (&'static Case, Observation, Judgement) {
    let mut best = None;
    for run in runs {
        let rank = |verdict: Verdict| (verdict.is_judged(), verdict.is_deviation());
        let verdict = run.2.verdict;
        let is_better = |(_, _, best): &(_, _, Judgement)| rank(verdict) > rank(best.verdict);
        if best.as_ref().is_none_or(is_better) {
            best = Some(run);
        }
        if verdict.is_deviation() && verdict.is_judged() {
            break;
        }
    }
    best.expect("a clause has a case")
}

fn say_what_was_seen(clause: &Clause, case: &Case, candidate: &Candidate, seen: &Judgement) {
    let (name, id) = (&candidate.name, clause.id);
    let observed = on_one_line(&seen.observed);
    remark(&match seen.verdict {
        Verdict::Pass => format!("{name} keeps {id} (case {}): {observed}", case.name),
        Verdict::Unsupported => format!("{id} was not judged for {name}: {observed}"),
        verdict => format!(
            "{name}: {id} is `{}` in the case {}: {observed}",
            verdict.name(),
            case.name
        ),
    });
}

/// The case that the user names.
fn case(
    clause: &'static Clause,
    args: &ReproArgs,
) -> Result<Option<&'static &'static Case>, InputError> {
    let Some(wanted) = &args.case else {
        return Ok(None);
    };
    let found = clause.cases.iter().find(|case| case.name == wanted);
    found.map(Some).ok_or_else(|| {
        let names: Vec<&str> = clause.cases.iter().map(|case| case.name).collect();
        let near = nearest(wanted, names.iter().copied());
        let mend = match near {
            Some(near) => format!("did you mean {near}?"),
            None => format!("its cases are {}", names.join(", ")),
        };
        InputError::new(format!("{} has no case {wanted}", clause.id), mend)
    })
}

fn candidate(args: &ReproArgs) -> Result<Candidate, InputError> {
    let catalogue = catalogue()?;
    let profile = args.judged_by.profile.as_deref();
    let profile = profile.map(|name| catalogue.profile(name)).transpose()?;
    let runners = runners(args.runner.choice(args.no_fence, None))?;
    let candidate = catalogue.candidate(&args.candidate, profile.as_ref(), &runners)?;
    Surroundings::default().of(candidate, &catalogue)
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    on_one_line(&name.to_string_lossy())
}
