//! One test for each candidate and clause, and one for each candidate and
//! routine: `reference::heapmin.releases-memory` judges, and
//! `reference::observes::heapmin` compares the observations with the snapshot.
//!
//! A candidate that is not on this machine is skipped, and the run says why.
//! With HEAPMIN_REQUIRE=all it fails instead, unless its profile says why it
//! may be absent. HEAPMIN_REQUIRE=all,genuine requires Microsoft's own
//! libraries too. HEAPMIN_CANDIDATES=every-clause judges all clauses also of libraries that
//! share their sources with another. HEAPMIN_REPORT=FILE compares a report of another machine instead.

mod report;
#[path = "../required/mod.rs"]
mod required;
mod snapshots;

use heapmin_conformance::clause::Case;
use heapmin_conformance::clauses;
use heapmin_conformance::pace::Pace;
use heapmin_conformance::shipped::{catalogue, runners_of};
use heapmin_conformance::snapshot::stable;
use heapmin_conformance::test::{Subject, clause_trial, concerns};
use heapmin_harness::library::inspect::{Format, Maker};
use heapmin_harness::library::profile::{Profile, Source};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::text::input_error::InputError;
use libtest_mimic::{Arguments, Failed, Trial};
use required::is_required;
use snapshots::{compare, is_by_chance, is_general, routines};
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Libraries that are built from the sources of another one, or nearly: of Wine's, msvcrt,
/// msvcr120 or ucrtbase; of Microsoft's, msvcr120 or the newest ucrtbase. Of these, only the clauses
/// of `_heapmin` are judged, unless the variable has this value.
const ALIKE: [&str; 13] = [
    "api-ms-win-crt-heap-l1-1-0",
    "crtdll",
    "genuine-msvcr110",
    "genuine-ucrtbase-10.0.17134",
    "msvcr70",
    "msvcr71",
    "msvcr80",
    "msvcr90",
    "msvcr100",
    "msvcr110",
    "msvcrt20",
    "msvcrt40",
    "msvcrtd",
];
const EVERY: (&str, &str) = ("HEAPMIN_CANDIDATES", "every-clause");
const HEART: &str = "heapmin";

/// Limit for a case. Long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Some(report) = std::env::var_os("HEAPMIN_REPORT") {
        return libtest_mimic::run(&arguments, report::trials(Path::new(&report))).exit_code();
    }
    let catalogue = catalogue().expect("our own profiles are right");
    let runners = runners_of(env!("CARGO_BIN_EXE_heapmin").into(), Choice::default());
    let mut trials = Vec::new();
    for profile in &catalogue.profiles {
        if profile.source != Source::Path && concerns(&arguments, &profile.name) {
            trials.extend(trials_of(profile, &catalogue, &runners));
        }
    }
    for (name, file) in GENUINE {
        if concerns(&arguments, name) {
            trials.extend(genuine_trials(name, file, &catalogue, &runners));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Microsoft's own libraries, by their places in target/genuine.
const GENUINE: [(&str, &str); 4] = [
    ("genuine-msvcr110", "x64/11.0.50727.1/msvcr110.dll"),
    ("genuine-msvcr120", "x64/12.0.21005.1/msvcr120.dll"),
    (
        "genuine-ucrtbase-10.0.17134",
        "x64/10.0.17134.12/ucrtbase.dll",
    ),
    ("genuine-ucrtbase", "x64/10.0.26100.1742/ucrtbase.dll"),
];

fn trials_of(profile: &Profile, catalogue: &Catalogue, runners: &Runners) -> Vec<Trial> {
    let name = &profile.name;
    match catalogue.candidate(name, None, runners) {
        Ok(candidate) => all_trials(name, candidate),
        Err(error) if is_required("all") && profile.if_absent.is_none() => {
            vec![failing(format!("{name}::is-there"), error)]
        }
        Err(error) => vec![skipped(name, &error.to_string())],
    }
}

/// The tests of one of Microsoft's own libraries, if fixtures/fetch-genuine has fetched it.
fn genuine_trials(name: &str, file: &str, catalogue: &Catalogue, runners: &Runners) -> Vec<Trial> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/genuine")
        .join(file);
    let found = match path.is_file() {
        true => catalogue.candidate(&*path.to_string_lossy(), None, runners),
        false => Err(InputError::new(
            format!("{name} not found"),
            "fetch it: fixtures/fetch-genuine",
        )),
    };
    match found {
        Ok(candidate) => all_trials(name, candidate),
        Err(error) if is_required("genuine") => vec![failing(format!("{name}::is-there"), error)],
        Err(error) => vec![skipped(name, &error.to_string())],
    }
}

fn all_trials(name: &str, candidate: Candidate) -> Vec<Trial> {
    let pace = Arc::new(Pace::fixed(TIMEOUT));
    let subject = match Subject::new(name, candidate, pace, None) {
        Ok(subject) => Arc::new(subject),
        Err(error) => return vec![failing(format!("{name}::profile"), error)],
    };
    let is_whole = !ALIKE.contains(&name) || std::env::var(EVERY.0).is_ok_and(|it| it == EVERY.1);
    let is_meant = |family: &str| is_whole || family == HEART;
    let family = |id: &'static str| id.split('.').next().unwrap_or_default();
    let clauses = clauses::all().filter(|clause| is_meant(family(clause.id)));
    let judged = clauses.map(|clause| clause_trial(&subject, clause));
    let observed = routines().into_iter().filter(is_general);
    let observed = observed.filter(|(routine, _)| is_meant(routine));
    let observed = observed.map(|(routine, cases)| observing(&subject, routine, cases));
    judged.chain(observed).collect()
}

fn skipped(name: &str, reason: &str) -> Trial {
    eprintln!("skipped: {reason}");
    let skipped = Trial::test(format!("{name}::skipped"), || Ok(()));
    skipped.with_kind("skipped").with_ignored_flag(true)
}

fn failing(name: String, error: InputError) -> Trial {
    Trial::test(name, move || Err(Failed::from(error.to_string())))
}

/// Compares the observations of a routine's cases with the snapshot. The test is ignored if this
/// library on this system has no snapshots.
fn observing(subject: &Arc<Subject>, routine: &'static str, cases: Vec<&'static Case>) -> Trial {
    let subject = subject.clone();
    let name = format!("{}::observes::{routine}", subject.name);
    let group = snapshot_group(&subject);
    let is_taken = snapshots::is_taken(&group);
    let trial = Trial::test(name, move || {
        let mut text = String::new();
        for case in cases.iter().filter(|case| !is_by_chance(&group, case)) {
            let observation = subject.observation(case);
            if !observation.has_started() {
                let ending = &observation.ending;
                return Err(Failed::from(format!("the probe did not start: {ending:?}")));
            }
            writeln!(text, "# {}\n{}", case.name, stable(observation))?;
        }
        compare(&group, routine, &text)
    });
    match is_taken {
        true => trial,
        false => trial.with_kind("no snapshot").with_ignored_flag(true),
    }
}

/// The folder of a library's snapshots. One name can mean several libraries: Wine's and
/// Microsoft's, the reference built for Linux and for Windows.
fn snapshot_group(subject: &Subject) -> String {
    let (name, candidate) = (&subject.name, &subject.candidate);
    let source = candidate.profile.as_ref().map(|profile| profile.source);
    match (candidate.image.format, candidate.image.maker, source) {
        (Format::Pe, _, Some(Source::Reference)) => "reference-dll".into(),
        (Format::Pe, Maker::Wine, _) => format!("{name}-of-wine"),
        (Format::Pe, _, _) if candidate.runner.is_wine() => format!("{name}-under-wine"),
        (Format::Pe, _, _) => format!("{name}-on-windows"),
        _ => name.clone(),
    }
}
