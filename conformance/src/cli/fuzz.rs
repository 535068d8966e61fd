//! `heapmin fuzz`: runs random sequences on two libraries and shows differences.

use super::messages::is_quiet;
use super::options::{ProfileArgs, RunnerArgs};
use super::output::Output;
use super::signals::interrupted;
use super::{AS_EXPECTED, DEVIATION, catalogue, progress, runners};
use crate::expected::profiles::known_deviations;
use crate::fuzz::compare::{Finding, Whose};
use crate::fuzz::{Found, Outcome, Pair, TRIES, file};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueHint};
use heapmin_harness::library::routines::ROUTINES;
use heapmin_harness::parent::surroundings::Surroundings;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::nearest;
use heapmin_harness::wire::step::MOST_THREADS;
use std::ffi::OsString;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  heapmin fuzz ./libmine.so --against ./libold.so --steps 5000
  heapmin fuzz ./libmine.so --seed 7 --steps 2000 --without _heapwalk";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct FuzzArgs {
    /// Library file, or name of a known library
    #[arg(value_hint = ValueHint::FilePath)]
    candidate: OsString,
    /// Library to compare the candidate with
    #[arg(
        long,
        value_name = "LIBRARY",
        default_value = "reference",
        value_hint = ValueHint::FilePath,
        help_heading = WHAT
    )]
    against: OsString,
    /// Seed of the random sequences, as shown by an earlier run [default: random]
    #[arg(long, value_name = "N", help_heading = WHAT)]
    seed: Option<u64>,
    /// Number of operations to run in all
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000),
        help_heading = WHAT
    )]
    steps: u64,
    /// Maximum number of threads in a sequence
    ///
    /// Every fourth sequence has threads, and with 0 or 1 none.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 3,
        value_parser = clap::value_parser!(u8).range(0..=i64::from(MOST_THREADS)),
        help_heading = WHAT
    )]
    threads: u8,
    /// Do not call this routine in random sequences
    ///
    /// Can be given several times.
    #[arg(
        long,
        value_name = "ROUTINE",
        value_parser = routine,
        help_heading = WHAT
    )]
    without: Vec<String>,
    /// Ignore findings of this kind
    ///
    /// Can be given several times.
    #[arg(
        long,
        value_name = "KIND",
        value_parser = PossibleValuesParser::new(crate::fuzz::compare::KINDS),
        help_heading = WHAT
    )]
    ignore: Vec<String>,
    /// Run the sequence in this file instead of random ones
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["seed", "steps"],
        value_hint = ValueHint::FilePath,
        help_heading = WHAT
    )]
    replay: Option<PathBuf>,
    /// Number of sequences to run in parallel [default: number of processors]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..),
        help_heading = HOW
    )]
    jobs: Option<u16>,
    /// Time limit for each sequence of 200 operations, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=86_400),
        help_heading = HOW
    )]
    timeout: u64,
    /// Run the libraries without restrictions on files, network, processes and memory
    #[arg(long, help_heading = HOW)]
    no_fence: bool,
    /// Write the sequence that shows a difference to this file, which must not exist
    ///
    /// [default: heapmin-fuzz-SEED.txt]
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "replay",
        value_hint = ValueHint::FilePath,
        help_heading = "Reports"
    )]
    save: Option<PathBuf>,
    #[command(flatten)]
    judged_by: ProfileArgs,
    #[command(flatten)]
    runner: RunnerArgs,
}

const WHAT: &str = "What to run";
const HOW: &str = "How to run it";

/// Parses the name of a routine. The parser's own message would list all of them.
fn routine(name: &str) -> Result<String, String> {
    if ROUTINES.contains(&name) {
        return Ok(name.to_owned());
    }
    Err(match nearest(name, ROUTINES.iter().copied()) {
        Some(near) => format!("no routine has this name; did you mean {near}?"),
        None => "no routine has this name; `heapmin list` shows the routines".into(),
    })
}

pub(super) fn fuzz(args: &FuzzArgs) -> Result<u8, InputError> {
    let pair = pair(args)?;
    match &args.replay {
        Some(path) => replay(&pair, path),
        None => search(&pair, args),
    }
}

fn pair(args: &FuzzArgs) -> Result<Pair, InputError> {
    let catalogue = catalogue()?;
    let profile = args.judged_by.profile.as_deref();
    let profile = profile.map(|name| catalogue.profile(name)).transpose()?;
    if let Some(profile) = &profile {
        known_deviations(profile)?;
    }
    let runners = runners(args.runner.choice(args.no_fence, None))?;
    let with_heap = |candidate| {
        let candidate = Surroundings::default().of(candidate, &catalogue)?;
        candidate.check_heap().map(|()| candidate)
    };
    Ok(Pair {
        candidate: with_heap(catalogue.candidate(&args.candidate, profile.as_ref(), &runners)?)?,
        against: with_heap(catalogue.candidate(&args.against, None, &runners)?)?,
        timeout: Duration::from_secs(args.timeout),
        ignored: args.ignore.clone(),
        without: args.without.clone(),
        threads: args.threads,
    })
}

fn replay(pair: &Pair, path: &Path) -> Result<u8, InputError> {
    let steps = file::read(path)?;
    let found = pair.check_often(&steps, TRIES).map_err(cannot_run)?;
    let Some(finding) = found else {
        let (a, b) = (&pair.candidate.name, &pair.against.name);
        let steps = steps.len();
        if !is_quiet() {
            Output::Standard.write(&format!("{a} against {b}: {steps} steps, no difference\n"))?;
        }
        return Ok(AS_EXPECTED);
    };
    let found = Found { steps, finding };
    Output::Standard.write(&describe(pair, &found))?;
    Ok(DEVIATION)
}

fn search(pair: &Pair, args: &FuzzArgs) -> Result<u8, InputError> {
    let seed = args.seed.unwrap_or_else(|| {
        // The keys of a RandomState come from the system's random source.
        RandomState::new().hash_one(0u8) >> 32
    });
    let path = finding_file(args.save.as_deref(), seed)?;
    let steps = usize::try_from(args.steps).unwrap_or(usize::MAX);
    let cores = available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or(cores, usize::from);
    let bar = progress::bar(args.steps, "{bar:40} {pos}/{len} steps, {elapsed}");
    let outcome = pair.fuzz(seed, steps, jobs, |steps| bar.inc(steps));
    bar.finish_and_clear();
    let Outcome { steps, found } = outcome.map_err(cannot_run)?;
    let (a, b) = (&pair.candidate.name, &pair.against.name);
    let mut text = format!("{a} against {b}: seed {seed}, {steps} steps");
    let Some(found) = found else {
        let status = interrupted();
        let so_far = status.map_or("", |_| " so far; interrupted");
        if !is_quiet() || status.is_some() {
            Output::Standard.write(&format!("{text}, no difference{so_far}\n"))?;
        }
        return Ok(status.unwrap_or(AS_EXPECTED));
    };
    writeln!(text, ", one difference\n{}", describe(pair, &found)).expect("writing to a string");
    Output::create(Some(&path))?.write(&file::text(&found, &about(pair, &found.finding, seed)))?;
    writeln!(
        text,
        "again: heapmin fuzz {a} --against {b} --replay {}",
        path.display()
    )
    .expect("writing to a string");
    Output::Standard.write(&text)?;
    Ok(interrupted().unwrap_or(DEVIATION))
}

/// The file for a finding, which does not exist yet: a finding of days must not be written
/// over.
fn finding_file(save: Option<&Path>, seed: u64) -> Result<PathBuf, InputError> {
    if let Some(path) = save {
        return match path.exists() {
            false => Ok(path.to_owned()),
            true => Err(InputError::new(
                format!("{} exists, and may be a finding", path.display()),
                "name another file with --save, or delete this one",
            )),
        };
    }
    let name = |number: u32| match number {
        1 => format!("heapmin-fuzz-{seed}.txt"),
        _ => format!("heapmin-fuzz-{seed}-{number}.txt"),
    };
    let mut names = (1..).map(|number| PathBuf::from(name(number)));
    Ok(names.find(|path| !path.exists()).expect("a free name"))
}

fn about(pair: &Pair, finding: &Finding, seed: u64) -> Vec<String> {
    vec![
        format!(
            "{} against {}, seed {seed}",
            pair.candidate.name, pair.against.name
        ),
        format!("{}: {}", whose(pair, finding), finding.what),
    ]
}

fn whose(pair: &Pair, finding: &Finding) -> String {
    match finding.whose {
        Whose::Candidate => format!("{}, {}", pair.candidate.name, finding.kind),
        Whose::Against => format!(
            "{} (not the candidate), {}",
            pair.against.name, finding.kind
        ),
        Whose::Either => finding.kind.to_owned(),
    }
}

fn describe(pair: &Pair, found: &Found) -> String {
    let mut text = format!("{}: {}\n", whose(pair, &found.finding), found.finding.what);
    for (index, step) in found.steps.iter().enumerate() {
        let here = match index == found.finding.index {
            true => "   <- here",
            false => "",
        };
        writeln!(text, "  {step}{here}").expect("writing to a string");
    }
    text
}

fn cannot_run(reason: String) -> InputError {
    InputError::new(reason, "run `heapmin check` on the library first")
}
