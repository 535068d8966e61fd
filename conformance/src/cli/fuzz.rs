//! `heapmin fuzz`: runs random sequences on two libraries and shows differences.

use super::output::Output;
use super::signals::interrupted;
use super::{AS_EXPECTED, DEVIATION, FuzzArgs, catalogue, runners};
use crate::expected::profiles::known_deviations;
use crate::fuzz::compare::{Finding, Whose};
use crate::fuzz::{Found, Outcome, Pair, TRIES, file};
use heapmin_harness::parent::surroundings::Surroundings;
use heapmin_harness::text::input_error::InputError;
use indicatif::{ProgressBar, ProgressStyle};
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::Duration;

pub(super) fn fuzz(args: &FuzzArgs) -> Result<u8, InputError> {
    let pair = pair(args)?;
    match &args.replay {
        Some(path) => replay(&pair, path),
        None => search(&pair, args),
    }
}

fn pair(args: &FuzzArgs) -> Result<Pair, InputError> {
    let catalogue = catalogue()?;
    let profile = args.profile.as_deref();
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
        Output::Standard.write(&format!("{a} against {b}: {steps} steps, no difference\n"))?;
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
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {elapsed}");
    let bar = ProgressBar::new(args.steps).with_style(style.expect("the template is right"));
    let outcome = pair.fuzz(seed, steps, jobs, |steps| bar.inc(steps));
    bar.finish_and_clear();
    let Outcome { steps, found } = outcome.map_err(cannot_run)?;
    let (a, b) = (&pair.candidate.name, &pair.against.name);
    let mut text = format!("{a} against {b}: seed {seed}, {steps} steps");
    let Some(found) = found else {
        let status = interrupted();
        let so_far = status.map_or("", |_| " so far; interrupted");
        Output::Standard.write(&format!("{text}, no difference{so_far}\n"))?;
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
