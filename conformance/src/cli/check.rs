//! `heapmin check`: candidates in, verdicts out.

use super::output::{Output, terminal_width};
use super::signals::interrupted;
use super::{AS_EXPECTED, CheckArgs, DEVIATION, FAILED, ReportFormat, catalogue, runners, say};
use crate::report;
use crate::run::{Checked, Limits, check as check_all};
use crate::select::{Selection, check_known, select};
use heapmin_harness::candidate::Candidate;
use heapmin_harness::input_error::InputError;
use heapmin_harness::profile::{Known, read_expected};
use indicatif::{ProgressBar, ProgressStyle};
use std::thread::available_parallelism;
use std::time::Duration;

/// What is checked if nobody says what.
const REFERENCE: &str = "reference";

pub fn check(args: &CheckArgs) -> Result<u8, InputError> {
    let selection = Selection {
        clauses: select(&args.only, &args.skip)?,
        fault: args.fault.clone(),
    };
    if selection.cases().is_empty() {
        let fault = args.fault.as_deref().unwrap_or_default();
        let problem = format!("none of these clauses has a case for --fault {fault}");
        return Err(InputError::new(problem, "leave --only and --skip out"));
    }
    let expected = known_deviations(args)?;
    let (candidates, refused) = candidates(args)?;
    let output = Output::create(args.output.as_deref())?;
    for error in &refused {
        say(error);
    }
    if candidates.is_empty() {
        return Ok(FAILED);
    }
    let steps = candidates.len() * selection.cases().len();
    let bar = progress_bar(steps as u64);
    let cores = available_parallelism().map_or(1, usize::from);
    let limits = Limits {
        jobs: args.jobs.map_or(cores, usize::from),
        timeout: Duration::from_secs(args.timeout),
    };
    let checked = check_all(candidates, &selection, limits, &expected, || bar.inc(1));
    bar.finish_and_clear();
    output.write(&text(&checked, args))?;
    if let Some(status) = interrupted() {
        let run: usize = checked.iter().map(|one| one.cases_run).sum();
        eprintln!("interrupted: {run} of {steps} cases were run");
        return Ok(status);
    }
    Ok(if !refused.is_empty() {
        FAILED
    } else if checked.iter().all(Checked::is_as_expected) {
        AS_EXPECTED
    } else {
        DEVIATION
    })
}

fn known_deviations(args: &CheckArgs) -> Result<Vec<Known>, InputError> {
    let Some(path) = &args.expected else {
        return Ok(Vec::new());
    };
    let known = read_expected(path)?;
    check_known(&known, &path.display().to_string())?;
    Ok(known)
}

/// The candidates that can be checked, and why the others cannot.
fn candidates(args: &CheckArgs) -> Result<(Vec<Candidate>, Vec<InputError>), InputError> {
    let catalogue = catalogue()?;
    for profile in &catalogue.profiles {
        check_known(&profile.known, &format!("the profile {}", profile.name))?;
    }
    let profile = args
        .profile
        .as_deref()
        .map(|name| {
            catalogue
                .profile(name)?
                .with_shared(heapmin_fixtures::DEVIATIONS)
        })
        .transpose()?;
    if let Some(profile) = &profile {
        check_known(&profile.known, &format!("the profile {}", profile.name))?;
    }
    let runners = runners(args.windows_probe.clone(), args.no_fence, args.memory)?;
    let names = match args.candidates.as_slice() {
        [] => &[REFERENCE.into()],
        names => names,
    };
    let mut found = Vec::new();
    let mut refused = Vec::new();
    for name in names {
        match catalogue.candidate(name, profile.as_ref(), &runners) {
            Ok(candidate) => found.push(candidate),
            Err(error) => refused.push(error),
        }
    }
    Ok((found, refused))
}

fn text(checked: &[Checked], args: &CheckArgs) -> String {
    match args.format {
        ReportFormat::Json => report::json::report(checked),
        ReportFormat::Markdown => report::markdown::report(checked),
        ReportFormat::Human => {
            let width = terminal_width().filter(|_| args.output.is_none());
            report::human::report(checked, width, args.verbose)
        }
    }
}

/// On standard error, and only if that is a terminal.
fn progress_bar(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} cases, {elapsed}");
    ProgressBar::new(steps).with_style(style.expect("the template is right"))
}
