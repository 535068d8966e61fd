//! `heapmin check`: checks candidates and reports the verdicts.

use super::check_options::CheckArgs;
use super::doctor::all_names;
use super::messages::{note, remark, say};
use super::reports::Reports;
use super::signals::interrupted;
use super::{AS_EXPECTED, DEVIATION, FAILED, REFERENCE, catalogue, color, progress, runners};
use crate::expected::gate::{self, Findings};
use crate::expected::profiles::{Profiles, known_deviations};
use crate::expected::{File, listed, status};
use crate::judged;
use crate::load::{Refused, load_all};
use crate::pace::Pace;
use crate::promises::Release;
use crate::record::{self, Complaint, Kind, Options, Run, Setting};
use crate::repeat::compare;
use crate::run::{Checked, Limits, Progress, check as check_all};
use crate::select::{Selection, clause, select};
use crate::views::Format;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use indicatif::ProgressBar;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime};

pub(super) fn check(args: &CheckArgs) -> Result<u8, InputError> {
    let started = (SystemTime::now(), Instant::now());
    let release = args.promises.as_deref().map(Release::named).transpose()?;
    let mut clauses = select(&args.clauses.only, &args.clauses.skip)?;
    if let Some(release) = &release {
        clauses.retain(|clause| release.level(clause).is_some());
    }
    let selection = Selection::new(clauses, args.fault.clone());
    if selection.cases().is_empty() {
        let fault = args.fault.as_deref().unwrap_or_default();
        let problem = format!("none of the selected clauses has a case with the fault {fault}");
        return Err(InputError::new(problem, "remove --only and --skip"));
    }
    let selection = match args.partition {
        Some(partition) => selection.part(partition),
        None => selection,
    };
    let path = args.expected.as_deref();
    let mut expected = path.map(|path| File::open(path, args.update)).transpose()?;
    let (mut candidates, mut refused) = candidates(args)?;
    let reports = reports(args, &candidates)?;
    let cores = available_parallelism().map_or(1, usize::from);
    let jobs = args.jobs.map_or(cores, usize::from);
    let until = args
        .max_time
        .map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let pace = Pace::measured(candidates.iter().map(|it| &it.runner), jobs, cores);
    for candidate in &mut candidates {
        let memory = pace.memory(&candidate.runner);
        candidate.runner.sees_memory = memory.is_seen;
        candidate.runner.frees_threads = memory.frees_threads;
    }
    let pace = match args.timeout {
        Some(seconds) => Pace::fixed(Duration::from_secs(seconds)),
        None => pace,
    };
    let (candidates, rejected) = load_all(candidates, jobs, &pace);
    refused.extend(rejected);
    for it in &refused {
        say(&it.error);
    }
    if candidates.is_empty() {
        let status = interrupted().unwrap_or(FAILED);
        if args.reports.format != Format::Human || !args.reports.more.is_empty() {
            let setting = setting(args, started, jobs);
            let mut run = record::make(&[], &refused, Findings::default(), setting);
            run.status = status;
            reports.write(&run)?;
        }
        return Ok(status);
    }
    let steps = candidates.len() * selection.cases().len() * args.repeat as usize;
    let bar = progress_bar(steps as u64);
    let limits = Limits {
        jobs,
        pace: &pace,
        until,
    };
    let profiles = Profiles::of(&candidates)?;
    let run = || check_all(candidates.clone(), &selection, limits, |it| show(&bar, it));
    let mut checked = repeated(args.repeat, until, run);
    bar.finish_and_clear();
    profiles.mark(&mut checked);
    if let Some(file) = &expected {
        status::mark(&mut checked, file.known());
    }
    let stopped = interrupted();
    // A part of a run must not change the file.
    let obstacle = match stopped {
        Some(_) => Some("the run was interrupted"),
        None if !refused.is_empty() => Some("a candidate was refused"),
        None => None,
    };
    let updated = match &mut expected {
        Some(file) if obstacle.is_none() => file.update(&mut checked),
        _ => Ok(None),
    };
    let mut findings = gate::compare(&checked, &profiles, expected.as_ref());
    if args.partition.is_some() {
        // Only the whole run can tell: `merge --expected` does.
        let is_of_the_whole = |it: &Complaint| matches!(it.kind, Kind::Stale | Kind::Lost);
        findings.complaints.retain(|it| !is_of_the_whole(it));
        findings.notes.clear();
    }
    findings.notes.extend(updated.clone().unwrap_or_default());
    if let (true, Some(file), Some(obstacle)) = (args.update, &expected, obstacle) {
        let note = format!("{} was not updated, because {obstacle}", file.name);
        findings.notes.push(note);
    }
    let mut run = record::make(&checked, &refused, findings, setting(args, started, jobs));
    run.interrupted = stopped.is_some();
    if let Some(release) = &release {
        run.set_levels(|id| release.level(clause(id).ok()?));
    }
    run.known = listed::listed(&checked, &profiles, expected.as_ref());
    if args.require_bug {
        run.complain(listed::require_bug(&run.known));
    }
    run.complain(judged::essential_complaints(&run));
    if let Some(level) = args.must_judge {
        run.complain(judged::level_complaints(&run, level.into()));
    }
    run.status = match stopped {
        Some(status) => status,
        None if updated.is_err() || !refused.is_empty() => FAILED,
        None if run.complaints.is_empty() => AS_EXPECTED,
        None => DEVIATION,
    };
    if !reports.are_read_here() {
        write_findings(&run);
    }
    if args.reports.format != Format::Human {
        write_missing_restrictions(&run);
    }
    reports.write(&run)?;
    if stopped.is_some() {
        let run: usize = checked.iter().map(|one| one.cases_run).sum();
        let steps = checked.len() * selection.cases().len();
        note(&format!("interrupted: {run} of {steps} cases were run"));
    } else {
        updated?;
    }
    Ok(run.status)
}

/// What the record has besides the results.
fn setting(args: &CheckArgs, started: (SystemTime, Instant), jobs: usize) -> Setting {
    Setting {
        started: started.0,
        duration: started.1.elapsed(),
        options: Options {
            arguments: std::env::args_os().skip(1).map(|it| shown(&it)).collect(),
            only: args.clauses.only.clone(),
            skip: args.clauses.skip.clone(),
            fault: args.fault.clone(),
            profile: args.judged_by.profile.clone(),
            expected: args.expected.as_ref().map(|it| shown(it.as_os_str())),
            heap: args.surroundings.heap.as_ref().map(|it| shown(it)),
            preload: args.clauses.preload,
            jobs,
            timeout_s: args.timeout,
            max_time_s: args.max_time,
            repeat: args.repeat,
            fence: !args.no_fence,
            promises: args.promises.clone(),
            partition: args.partition.map(|it| it.to_string()),
            must_judge: args.must_judge.map(Into::into),
        },
        observations: args.reports.verbose,
    }
}

/// The results of several runs, compared with each other. A run that did not come to its
/// end is left out, unless it is the first.
fn repeated(repeats: u32, until: Option<Instant>, run: impl Fn() -> Vec<Checked>) -> Vec<Checked> {
    let mut runs: Vec<Vec<Checked>> = run().into_iter().map(|one| vec![one]).collect();
    if repeats == 1 {
        return runs.into_iter().flatten().collect();
    }
    for _ in 1..repeats {
        let again = run();
        let is_over = until.is_some_and(|until| Instant::now() >= until);
        if is_over || interrupted().is_some() {
            break;
        }
        for (of_candidate, one) in runs.iter_mut().zip(again) {
            of_candidate.push(one);
        }
    }
    runs.into_iter().map(compare).collect()
}

/// The reports of this run. None of them may be a file that the run reads: a candidate, or
/// the `--expected` file.
fn reports<'a>(args: &'a CheckArgs, candidates: &[Candidate]) -> Result<Reports<'a>, InputError> {
    let read = (candidates.iter().map(|one| &*one.path))
        .chain(args.expected.as_deref())
        .chain(args.surroundings.heap.iter().map(Path::new))
        .chain(args.judged_by.profile.iter().map(Path::new));
    Reports::create(&args.reports, read)
}

/// Writes what is not as expected to standard error: the log of a CI job must show why a run
/// failed.
fn write_findings(run: &Run) {
    for complaint in &run.complaints {
        note(&complaint.message);
    }
    for line in &run.notes {
        remark(line);
    }
}

/// Writes the restrictions that were not in force to standard error. Only the report
/// for people has them.
fn write_missing_restrictions(run: &Run) {
    for library in &run.candidates {
        let missing = library.fence.iter().flat_map(|fence| &fence.missing);
        for part in missing {
            remark(&format!("{}: not in force: {part}", library.name));
        }
    }
}

/// The candidates that can be checked, and an error for each of the others.
fn candidates(args: &CheckArgs) -> Result<(Vec<Candidate>, Vec<Refused>), InputError> {
    let catalogue = catalogue()?;
    let profile = (args.judged_by.profile)
        .as_deref()
        .map(|name| catalogue.profile(name))
        .transpose()?;
    if let Some(profile) = &profile {
        known_deviations(profile)?;
    }
    let runners = runners(args.runner.choice(args.no_fence, args.memory))?;
    let surroundings = args.surroundings.chosen();
    let names = match args.candidates.as_slice() {
        [] if args.all => {
            let mut leave_out = |why: &str| remark(&format!("not checked: {why}"));
            let names = all_names(&runners, &mut leave_out)?;
            names.into_iter().map(Into::into).collect()
        }
        [] => vec![REFERENCE.into()],
        names => names.to_vec(),
    };
    let mut found = Vec::new();
    let mut refused = Vec::new();
    for name in &names {
        let candidate = catalogue
            .candidate(name, profile.as_ref(), &runners)
            .and_then(|candidate| surroundings.of(candidate, &catalogue))
            .and_then(|candidate| candidate.check_heap().map(|()| candidate))
            .and_then(|candidate| match args.clauses.preload {
                true => candidate.standing_in(),
                false => Ok(candidate),
            });
        match candidate {
            Ok(candidate) => found.push(candidate),
            Err(error) => refused.push(Refused {
                name: shown(name),
                error,
            }),
        }
    }
    Ok((found, refused))
}

/// A progress bar with the case that began last.
fn progress_bar(steps: u64) -> ProgressBar {
    let message = match color::is_on_stderr() {
        true => "{wide_msg:.dim}",
        false => "{wide_msg}",
    };
    let template = format!("{{bar:30}} {{pos}}/{{len}} cases, {{elapsed}}  {message}");
    progress::bar(steps, &template)
}

/// Shows how far the run is, with the case that began last.
fn show(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Begins(candidate, case) => {
            bar.set_message(format!("{}: {}", candidate.name, case.name));
        }
        Progress::Ends => bar.inc(1),
    }
}
