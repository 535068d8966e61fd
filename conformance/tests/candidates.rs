//! One test for each candidate and clause, and one for each candidate and
//! routine: `reference::heapmin.releases-memory` judges, and
//! `reference::observes::heapmin` compares the observations with the snapshot.
//!
//! A candidate that is not on this machine is skipped, with a message. With
//! HEAPMIN_REQUIRE=all its tests fail, unless its profile says why it may be
//! absent; with HEAPMIN_REQUIRE=all,genuine Microsoft's own libraries are required
//! too.

use heapmin_conformance::BUILD;
use heapmin_conformance::clause::{Case, Clause, Verdict};
use heapmin_conformance::clauses;
use heapmin_conformance::cli::catalogue;
use heapmin_conformance::expected::names::check_known;
use heapmin_conformance::run::{judge_observation, observe};
use heapmin_conformance::snapshot::stable;
use heapmin_harness::library::inspect::{Format, Maker};
use heapmin_harness::library::profile::{Profile, Source};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::runners::Runners;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::wire::observation::Observation;
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The time limit for each case, long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(180);

/// A candidate whose cases run when first needed, each once.
struct Subject {
    name: String,
    candidate: Candidate,
    seen: BTreeMap<&'static str, OnceLock<Observation>>,
}

impl Subject {
    fn observation(&self, case: &Case) -> &Observation {
        self.seen[case.name].get_or_init(|| observe(&self.candidate, case, TIMEOUT))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let catalogue = catalogue().expect("our own profiles are right");
    let runners = Runners::new(env!("CARGO_BIN_EXE_heapmin").into(), BUILD, None);
    let mut trials = Vec::new();
    for profile in &catalogue.profiles {
        if profile.source != Source::Path && concerns(&arguments, &profile.name) {
            trials.extend(trials_of(profile, &catalogue, &runners));
        }
    }
    for file in ["msvcr120", "ucrtbase"] {
        if concerns(&arguments, &format!("genuine-{file}")) {
            trials.extend(genuine_trials(file, &catalogue, &runners));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Whether the filter may select tests of this candidate. A runner that starts a
/// process for each test gives its full name, and need not wait for other
/// candidates.
fn concerns(arguments: &Arguments, name: &str) -> bool {
    match &arguments.filter {
        Some(filter) if arguments.exact => filter.starts_with(&format!("{name}::")),
        _ => true,
    }
}

fn trials_of(profile: &Profile, catalogue: &Catalogue, runners: &Runners) -> Vec<Trial> {
    let name = &profile.name;
    if let Err(error) = check_known(&profile.known) {
        return vec![failing(format!("{name}::profile"), error)];
    }
    match catalogue.candidate(name, None, runners) {
        Ok(candidate) => all_trials(name, candidate),
        Err(error) if is_required("all") && profile.if_absent.is_none() => {
            vec![failing(format!("{name}::is-there"), error)]
        }
        Err(error) => vec![skipped(name, &error.to_string())],
    }
}

/// The trials of a library of Microsoft's, if fixtures/fetch-genuine has fetched it.
fn genuine_trials(file: &str, catalogue: &Catalogue, runners: &Runners) -> Vec<Trial> {
    let name = format!("genuine-{file}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/genuine")
        .join(format!("{file}.dll"));
    let found = match path.is_file() {
        true => catalogue.candidate(&*path.to_string_lossy(), None, runners),
        false => Err(InputError::new(
            format!("{name} is not there"),
            "fetch it: fixtures/fetch-genuine",
        )),
    };
    match found {
        Ok(candidate) => all_trials(&name, candidate),
        Err(error) if is_required("genuine") => vec![failing(format!("{name}::is-there"), error)],
        Err(error) => vec![skipped(&name, &error.to_string())],
    }
}

fn is_required(what: &str) -> bool {
    let required = std::env::var("HEAPMIN_REQUIRE").unwrap_or_default();
    required.split(',').any(|named| named == what)
}

fn all_trials(name: &str, candidate: Candidate) -> Vec<Trial> {
    let cases = clauses::cases();
    let seen = cases
        .iter()
        .map(|case| (case.name, OnceLock::new()))
        .collect();
    let name = name.to_owned();
    let subject = Arc::new(Subject {
        name,
        candidate,
        seen,
    });
    let judged = clauses::all().map(|clause| judging(&subject, clause));
    let observed = families().into_iter();
    let observed = observed.map(|(family, cases)| observing(&subject, family, cases));
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

/// The trial of a clause in all its cases: every deviation must be known, and every
/// known deviation must occur.
fn judging(subject: &Arc<Subject>, clause: &'static Clause) -> Trial {
    let subject = subject.clone();
    let name = format!("{}::{}", subject.name, clause.id);
    Trial::test(name, move || {
        let profile = subject
            .candidate
            .profile
            .as_ref()
            .expect("a profile named the candidate");
        let mut occurred = Vec::new();
        for case in clause.cases {
            let observation = subject.observation(case);
            let judgement = judge_observation(clause, case, &subject.candidate, observation);
            let entry = profile.known.iter().find(|known| {
                known.applies(clause.id, case.name, subject.candidate.image.maker)
                    && known.verdict == judgement.verdict.name()
            });
            match (judgement.verdict, entry) {
                (_, Some(entry)) => occurred.push(entry),
                (Verdict::Pass | Verdict::Unsupported, None) => {}
                (verdict, None) => {
                    return Err(Failed::from(format!(
                        "{} in the case {}\n  expected {}\n  observed {}\nIf this deviation is right, add it to fixtures/profiles/{}.toml",
                        verdict.name(),
                        case.name,
                        clause.expects(),
                        judgement.observed,
                        profile.name
                    )));
                }
            }
        }
        let concerns = |known: &&_| {
            let known: &heapmin_harness::known::Known = known;
            let maker = subject.candidate.image.maker;
            clause
                .cases
                .iter()
                .any(|case| known.applies(clause.id, case.name, maker))
        };
        match profile
            .known
            .iter()
            .filter(concerns)
            .find(|known| !occurred.contains(known))
        {
            None => Ok(()),
            Some(known) => Err(Failed::from(format!(
                "{}: the known deviation {} no longer occurs in {}: delete it",
                known.place, known.clause, profile.name
            ))),
        }
    })
}

/// Cases that have no snapshot: those that differ on a machine with less memory,
/// and those in which Wine's libraries overflow, with results that depend on
/// addresses.
const NO_SNAPSHOT: [&str; 4] = [
    "malloc-over-2-gib",
    "malloc-over-4-gib",
    "aligned-realloc-no-memory",
    "aligned-offset-realloc-no-memory",
];

/// The cases by family, which is the first part of a clause's id: `heapmin`,
/// `malloc`. A case of several families is in the first.
fn families() -> Vec<(&'static str, Vec<&'static Case>)> {
    let mut families: Vec<(&str, Vec<&Case>)> = Vec::new();
    for clause in clauses::all() {
        let (name, _) = clause.id.split_once('.').expect("an id has two parts");
        for case in clause.cases {
            let is_known = families
                .iter()
                .any(|(_, cases)| cases.iter().any(|known| known.name == case.name));
            if is_known || NO_SNAPSHOT.contains(&case.name) {
                continue;
            }
            match families.iter_mut().find(|(known, _)| *known == name) {
                Some((_, cases)) => cases.push(case),
                None => families.push((name, vec![case])),
            }
        }
    }
    families
}

/// The trial of a family: the observations of its cases must match the snapshot.
/// Some libraries on some systems have no snapshots; then the trial is skipped and
/// writes none.
fn observing(subject: &Arc<Subject>, family: &'static str, cases: Vec<&'static Case>) -> Trial {
    let subject = subject.clone();
    let name = format!("{}::observes::{family}", subject.name);
    let folder = Path::new(SNAPSHOTS).join(snapshot_group(&subject));
    let taken = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder).is_dir();
    let trial = Trial::test(name, move || {
        let mut text = String::new();
        for case in &cases {
            let observation = subject.observation(case);
            if !observation.has_started() {
                let ending = &observation.ending;
                return Err(Failed::from(format!("the probe did not start: {ending:?}")));
            }
            writeln!(text, "# {}\n{}", case.name, stable(observation))?;
        }
        insta::with_settings!({
            snapshot_path => Path::new("..").join(&folder),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(family, text);
        });
        Ok(())
    });
    if taken || std::env::var_os("INSTA_UPDATE").is_some() {
        trial
    } else {
        trial.with_kind("no snapshot").with_ignored_flag(true)
    }
}

/// The folder of the snapshots, relative to this package.
const SNAPSHOTS: &str = "../fixtures/snapshots";

/// The name of the folder with the candidate's snapshots. A profile's name alone
/// may mean different libraries: Wine's or Microsoft's, or another build of the
/// reference.
fn snapshot_group(subject: &Subject) -> String {
    let (name, candidate) = (&subject.name, &subject.candidate);
    let source = candidate.profile.as_ref().map(|profile| profile.source);
    match (candidate.image.format, candidate.image.maker, source) {
        (Format::Pe, _, Some(Source::Reference)) => "reference-dll".into(),
        (Format::Pe, Maker::Wine, _) => format!("{name}-of-wine"),
        (Format::Pe, _, _) if candidate.runner.wine.is_some() => format!("{name}-under-wine"),
        (Format::Pe, _, _) => format!("{name}-on-windows"),
        _ => name.clone(),
    }
}
