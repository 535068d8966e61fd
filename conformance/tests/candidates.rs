//! One test for each candidate and clause, and one for each candidate and
//! routine: `reference::heapmin.releases-memory` judges, and
//! `reference::observes::heapmin` compares the observations with the snapshot.
//!
//! A candidate that is not on this machine is skipped, and the run says why.
//! With HEAPMIN_REQUIRE=all it fails instead, unless its profile says why it
//! may be absent. HEAPMIN_REQUIRE=all,genuine requires Microsoft's own
//! libraries too. HEAPMIN_CANDIDATES=every-clause judges all clauses also of libraries that
//! share their sources with another. HEAPMIN_REPORT=FILE compares a report of another machine instead.

use heapmin_conformance::beneath;
use heapmin_conformance::clause::{Case, Clause};
use heapmin_conformance::clauses;
use heapmin_conformance::cli::{catalogue, runners_of};
use heapmin_conformance::expected::gate;
use heapmin_conformance::expected::profiles::Profiles;
use heapmin_conformance::observe::observe;
use heapmin_conformance::pace::Pace;
use heapmin_conformance::run::{Limits, conclude};
use heapmin_conformance::select::Selection;
use heapmin_conformance::snapshot::stable;
use heapmin_harness::library::inspect::{Format, Maker};
use heapmin_harness::library::profile::{Profile, Source};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::wire::observation::Observation;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Wine's libraries that are built from the sources of another one: msvcrt, msvcr71, msvcr120 or
/// ucrtbase. Of these, only the clauses of `_heapmin` are judged, unless the variable has this
/// value.
const ALIKE: [&str; 10] = [
    "api-ms-win-crt-heap-l1-1-0",
    "crtdll",
    "msvcr70",
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

/// A candidate with the observations of its cases. Each case runs once, when a test first needs it.
struct Subject {
    name: String,
    candidate: Candidate,
    profiles: Profiles,
    seen: BTreeMap<&'static str, OnceLock<Observation>>,
}

impl Subject {
    fn observation(&self, case: &Case) -> &Observation {
        self.seen[case.name].get_or_init(|| observe(&self.candidate, case, TIMEOUT))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Some(report) = std::env::var_os("HEAPMIN_REPORT") {
        return libtest_mimic::run(&arguments, trials_of_report(Path::new(&report))).exit_code();
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

/// Tests that compare what a report of another machine has with snapshots: the report of
/// `heapmin check --verbose --format json`. With INSTA_UPDATE=always they make the snapshots.
fn trials_of_report(path: &Path) -> Vec<Trial> {
    let text = fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("HEAPMIN_REPORT={}: {error}", path.display()));
    let report: Value = serde_json::from_str(&text).expect("HEAPMIN_REPORT is a JSON report");
    let mut trials = Vec::new();
    for candidate in report["candidates"].as_array().into_iter().flatten() {
        let name = candidate["name"].as_str().unwrap_or_default();
        let Some(observations) = candidate["observations"].as_object() else {
            eprintln!("skipped: the report has no observations of {name}; make it with --verbose");
            continue;
        };
        let group = format!("{}-on-windows", name.replace(':', "-"));
        for (routine, cases) in routines().into_iter().filter(is_general) {
            let mut text = String::new();
            for case in cases.iter().filter(|case| !is_by_chance(&group, case)) {
                if let Some(seen) = observations.get(case.name).and_then(Value::as_str) {
                    writeln!(text, "# {}\n{seen}", case.name).expect("writing to a string");
                }
            }
            let (group, name) = (group.clone(), format!("{group}::observes::{routine}"));
            if !text.is_empty() {
                trials.push(Trial::test(name, move || compare(&group, routine, &text)));
            }
        }
    }
    trials
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

/// Whether the arguments may select tests of this candidate. A runner that starts a process for
/// each test gives the test's full name; the other candidates are then not prepared.
fn concerns(arguments: &Arguments, name: &str) -> bool {
    match &arguments.filter {
        Some(filter) if arguments.exact => filter.starts_with(&format!("{name}::")),
        _ => true,
    }
}

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
    let profiles = match Profiles::of([&candidate]) {
        Ok(profiles) => profiles,
        Err(error) => return vec![failing(format!("{name}::profile"), error)],
    };
    let subject = Arc::new(Subject {
        name: name.to_owned(),
        candidate,
        profiles,
        seen,
    });
    let is_whole = !ALIKE.contains(&name) || std::env::var(EVERY.0).is_ok_and(|it| it == EVERY.1);
    let is_meant = |family: &str| is_whole || family == HEART;
    let family = |id: &'static str| id.split('.').next().unwrap_or_default();
    let clauses = clauses::all().filter(|clause| is_meant(family(clause.id)));
    let judged = clauses.map(|clause| judging(&subject, clause));
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

/// Judges all cases of a clause: every deviation must be known, and every known deviation must
/// occur.
fn judging(subject: &Arc<Subject>, clause: &'static Clause) -> Trial {
    let subject = subject.clone();
    let name = format!("{}::{}", subject.name, clause.id);
    Trial::test(name, move || {
        let cases = clause.cases.iter();
        let observations: Vec<_> = cases
            .map(|case| (*case, subject.observation(case).clone()))
            .collect();
        let selection = Selection::new(vec![clause], None);
        let checked = conclude(subject.candidate.clone(), &selection, &observations);
        let mut runs = [(checked, observations)];
        let limits = Limits {
            jobs: 1,
            pace: &Pace::fixed(TIMEOUT),
            until: None,
        };
        beneath::mark(&mut runs, limits);
        let mut checked = runs.map(|(checked, _)| checked);
        subject.profiles.mark(&mut checked);
        let complaints = gate::compare(&checked, &subject.profiles, None).complaints;
        let mut complaints: Vec<_> = complaints.into_iter().map(|it| it.message).collect();
        if complaints.is_empty() {
            return Ok(());
        }
        let unexpected = checked[0].outcomes.iter().filter(|it| it.is_unexpected());
        complaints.extend(unexpected.map(|outcome| {
            format!(
                "{} in the case {}\n  expected {}\n  observed {}",
                outcome.judgement.verdict.name(),
                outcome.case.name,
                clause.expects(),
                outcome.judgement.observed
            )
        }));
        Err(Failed::from(complaints.join("\n")))
    })
}

/// Whether a snapshot has a routine's cases. What a heap does in a process depends on the
/// machine's limits: only verdicts are compared.
fn is_general((_, cases): &(&str, Vec<&Case>)) -> bool {
    cases.iter().all(|it| it.stand_in.is_none())
}

/// Cases that are judged but are in no snapshot, since their observations vary: with the memory
/// of the machine, or, in Wine's libraries, with the addresses that an overflow reaches.
const NO_SNAPSHOT: [&str; 4] = [
    "malloc-over-2-gib",
    "malloc-over-4-gib",
    "aligned-realloc-no-memory",
    "aligned-offset-realloc-no-memory",
];

/// The cases of each routine: by the first part of their clauses' ids, such as `heapmin`. A case
/// of several clauses belongs to the first.
fn routines() -> Vec<(&'static str, Vec<&'static Case>)> {
    let mut routines: Vec<(&str, Vec<&Case>)> = Vec::new();
    for clause in clauses::all() {
        let (name, _) = clause.id.split_once('.').expect("an id has two parts");
        for case in clause.cases {
            let is_known = routines
                .iter()
                .any(|(_, cases)| cases.iter().any(|known| known.name == case.name));
            if is_known || NO_SNAPSHOT.contains(&case.name) {
                continue;
            }
            match routines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, cases)) => cases.push(case),
                None => routines.push((name, vec![case])),
            }
        }
    }
    routines
}

/// Compares the observations of a routine's cases with the snapshot. The test is ignored if this
/// library on this system has no snapshots.
fn observing(subject: &Arc<Subject>, routine: &'static str, cases: Vec<&'static Case>) -> Trial {
    let subject = subject.clone();
    let name = format!("{}::observes::{routine}", subject.name);
    let group = snapshot_group(&subject);
    let is_taken = path_of(&group, "").is_dir() || families_of(&group).next().is_some();
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
    if is_taken || std::env::var_os("INSTA_UPDATE").is_some() {
        trial
    } else {
        trial.with_kind("no snapshot").with_ignored_flag(true)
    }
}

/// Whether it depends on chance what is observed in a case, so that no snapshot has it.
fn is_by_chance(group: &str, case: &Case) -> bool {
    // Which request meets the refusal depends on the memory that the heap has left.
    let is_refused = case.fault == Some("out-of-memory");
    // mimalloc resizes in place if the address happens to be a multiple of the wrong alignment.
    let is_unaligned = group == "mimalloc" && case.name.ends_with("-not-a-power-of-two");
    // Whether glibc notices a damaged neighbour depends on what else its heap has held.
    let is_damaged = group == "glibc" && case.name == "damage-overrun";
    is_refused || is_unaligned || is_damaged
}

/// Compares with the group's own snapshot or, if it has none of this routine, with that of a
/// family.
fn compare(group: &str, routine: &str, text: &str) -> Result<(), Failed> {
    let file = format!("{routine}.snap");
    let is_there = |folder: &str| path_of(folder, &file).is_file();
    let mut families = families_of(group);
    let narrowest = families_of(group).find(|(family, _)| is_there(family.folder));
    let family = match is_there(group) {
        true => None,
        false => narrowest.or_else(|| families.next_back()),
    };
    let Some((family, loaded)) = family else {
        assert_snapshot(group, routine, text);
        return Ok(());
    };
    let text = text.replace(&format!("loaded: {loaded}\n"), "loaded: {file}\n");
    // Insta may update the family's snapshot from the observations of one member. From those of
    // several, the last one would win.
    let mut members = family.members.iter().map(|(member, _)| *member);
    let writer = members.find(|member| !is_there(member));
    if writer == Some(group) {
        assert_snapshot(family.folder, routine, &text);
        return Ok(());
    }
    same_as_family(family, group, &file, &text).map_err(|difference| {
        let (folder, writer) = (family.folder, writer.unwrap_or_default());
        Failed::from(format!(
            "{difference}\n\
             {group} shares this snapshot with the other members of the family {folder}.\n\
             If all of them changed, update it: run the test {writer}::observes::{routine} with \
             INSTA_UPDATE=always.\n\
             If only {group} changed, give it its own: copy fixtures/snapshots/{folder}/{file} to \
             fixtures/snapshots/{group}/ and run this test with INSTA_UPDATE=always."
        ))
    })
}

/// Returns the first difference from the family's snapshot as an error.
fn same_as_family(family: &Family, group: &str, file: &str, text: &str) -> Result<(), String> {
    let path = path_of(family.folder, file);
    let snapshot = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let (header, snapshot) = snapshot.split_once("\n---\n").unwrap_or_default();
    let expected: Vec<_> = snapshot.trim_end().lines().collect();
    let observed: Vec<_> = text.trim_end().lines().collect();
    if expected == observed {
        return Ok(());
    }
    let pairs = expected.iter().zip(&observed);
    let same = pairs
        .take_while(|(expected, observed)| expected == observed)
        .count();
    let line = |lines: &[&str]| (*lines.get(same).unwrap_or(&"the end")).to_owned();
    Err(format!(
        "{group} differs from fixtures/snapshots/{}/{file}:{}\n  expected {}\n  observed {}",
        family.folder,
        header.lines().count() + same + 2,
        line(&expected),
        line(&observed),
    ))
}

fn assert_snapshot(folder: &str, routine: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => Path::new("..").join(SNAPSHOTS).join(folder),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(routine, text);
    });
}

/// From this package's folder.
const SNAPSHOTS: &str = "../fixtures/snapshots";

fn path_of(folder: &str, file: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join(SNAPSHOTS).join(folder).join(file)
}

/// Snapshot groups that share a snapshot of each routine for which they have none of their own.
struct Family {
    folder: &'static str,
    /// Each with the file that the loader loads. The family's snapshots have `{file}` instead.
    members: &'static [(&'static str, &'static str)],
}

/// The narrower family first. The first member without its own snapshot updates the family's.
const FAMILIES: [Family; 7] = [
    Family {
        folder: "genuine-ucrtbase",
        members: &[
            ("genuine-ucrtbase-under-wine", "ucrtbase.dll"),
            ("genuine-ucrtbase-10.0.17134-under-wine", "ucrtbase.dll"),
        ],
    },
    Family {
        folder: "genuine-msvcr110-and-msvcr120",
        members: &[
            ("genuine-msvcr120-under-wine", "msvcr120.dll"),
            ("genuine-msvcr110-under-wine", "msvcr110.dll"),
        ],
    },
    Family {
        folder: "wine-ucrtbase",
        members: &[
            ("ucrtbase-of-wine", "ucrtbase.dll"),
            ("api-ms-win-crt-heap-l1-1-0-of-wine", "ucrtbase.dll"),
        ],
    },
    Family {
        folder: "wine-since-msvcr80",
        members: &[
            ("msvcr80-of-wine", "msvcr80.dll"),
            ("msvcr90-of-wine", "msvcr90.dll"),
            ("msvcr100-of-wine", "msvcr100.dll"),
            ("msvcr110-of-wine", "msvcr110.dll"),
            ("msvcr120-of-wine", "msvcr120.dll"),
            ("ucrtbase-of-wine", "ucrtbase.dll"),
            ("api-ms-win-crt-heap-l1-1-0-of-wine", "ucrtbase.dll"),
        ],
    },
    Family {
        folder: "wine-before-msvcr70",
        members: &[
            ("msvcrtd-of-wine", "msvcrtd.dll"),
            ("msvcrt20-of-wine", "msvcrt20.dll"),
            ("msvcrt40-of-wine", "msvcrt40.dll"),
            ("crtdll-of-wine", "crtdll.dll"),
        ],
    },
    Family {
        folder: "wine-before-msvcr80",
        members: &[
            ("msvcr70-of-wine", "msvcr70.dll"),
            ("msvcr71-of-wine", "msvcr71.dll"),
            ("msvcrt-of-wine", "msvcrt.dll"),
            ("msvcrtd-of-wine", "msvcrtd.dll"),
            ("msvcrt20-of-wine", "msvcrt20.dll"),
            ("msvcrt40-of-wine", "msvcrt40.dll"),
            ("crtdll-of-wine", "crtdll.dll"),
        ],
    },
    Family {
        folder: "adapters",
        members: &[
            ("glibc", "libglibc.so"),
            ("jemalloc", "libjemalloc.so"),
            ("mimalloc", "libmimalloc.so"),
            ("tcmalloc", "libtcmalloc.so"),
        ],
    },
];

/// The families of which a group is a member, each with the file that the loader loads.
fn families_of(group: &str) -> impl DoubleEndedIterator<Item = (&'static Family, &'static str)> {
    FAMILIES.iter().filter_map(move |family| {
        let mut members = family.members.iter();
        let (_, file) = members.find(|(member, _)| *member == group)?;
        Some((family, *file))
    })
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
