//! One sound heap, built in every usual way, keeps every promise; a build that cannot be
//! loaded is refused in one line (`fixtures/test-libraries/builds/`,
//! docs/internals/strangers.md).
//!
//! A way that the compilers of this machine do not know is skipped, and the run says why. With
//! HEAPMIN_REQUIRE=all it fails instead, unless [`OPTIONAL`] names it.
#![cfg(target_os = "linux")]

mod required;

use heapmin_conformance::shipped::{catalogue, runners_of};
use heapmin_harness::parent::runners::Choice;
use heapmin_test_libraries::{BUILDS, Build, REJECTED, STRANGERS};
use libtest_mimic::{Arguments, Failed, Trial};
use required::is_required;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Output};
use std::sync::OnceLock;

/// The builds that all clauses judge. The others are judged by [`SOME`].
const BY_ALL: &[&str] = &[
    "plain",
    "chosen_by_the_loader",
    "host_errno",
    "address_sanitizer",
];

/// Clauses with quick cases. In these a routine calls another one, or a function that no other
/// library calls.
const SOME: &[&str] = &[
    "*.exported",
    "calloc.zeroed",
    "aligned-recalloc.new-bytes-zero",
    "heapmin.empty-heap",
    "heapwalk.every-live-block-once",
    "errno.per-thread",
    "invalid-parameter.for-all-threads",
];

/// Builds that need a program which is not required, and how to install it.
const OPTIONAL: &[(&str, &str)] = &[
    ("clang", "apt-get install clang"),
    ("lld", "apt-get install lld"),
    ("mold", "apt-get install mold"),
];

/// The build whose `calloc` calls the C library's `malloc`.
const CALLS_ELSEWHERE: &str = "foreign_malloc";

/// The build whose `errno` is in another library. Its profile does not say that it should
/// export the routines of that library.
const WITHOUT_ERRNO: &str = "errno_elsewhere";

/// Limit for a case, in seconds. Long enough for a busy machine.
const TIMEOUT: &str = "180";

/// A clause whose verdict depends on the memory of the machine.
const NEEDS_MEMORY: &str = "malloc.large-blocks";

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for build in BUILDS {
        trials.push(match build.name {
            CALLS_ELSEWHERE => trial("elsewhere", build, calls_elsewhere),
            _ => trial("judged", build, judged),
        });
    }
    for build in REJECTED {
        trials.push(trial("refused", build, refused));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test of one build, if it could be built and can be run here.
fn trial(kind: &str, build: &'static Build, test: fn(&Build) -> Result<(), Failed>) -> Trial {
    let name = format!("{kind}::{}", build.name);
    let reason = match build.left_out {
        Some(reason) => Some(reason.to_owned()),
        None if is_dll(build) => windows_is_missing(build),
        None => None,
    };
    let Some(reason) = reason else {
        return Trial::test(name, move || test(build));
    };
    let install = OPTIONAL.iter().find(|(name, _)| *name == build.name);
    if install.is_none() && is_required("all") {
        return Trial::test(name, move || Err(reason.into()));
    }
    let reason = match install {
        Some((_, install)) => install,
        None => reason.lines().next().unwrap_or_default(),
    };
    eprintln!("skipped: {name}: {reason}");
    Trial::test(name, || Ok(())).with_ignored_flag(true)
}

fn is_dll(build: &Build) -> bool {
    build.path.ends_with(".dll")
}

/// What is missing on this machine to load a DLL.
fn windows_is_missing(build: &Build) -> Option<String> {
    let runners = runners_of(env!("CARGO_BIN_EXE_heapmin").into(), Choice::default());
    let catalogue = catalogue().expect("our own profiles are right");
    let candidate = catalogue.candidate(build.path, None, &runners);
    candidate.err().map(|error| error.to_string())
}

/// The verdict, with the reason of one that is unsupported, and the observation of each clause
/// in each case.
type Verdicts = BTreeMap<(String, String), (String, String)>;

/// Checks that a build keeps every promise, and that the same clauses are judged as with the
/// flags of the strangers.
fn judged(build: &Build) -> Result<(), Failed> {
    if BY_ALL.contains(&build.name) {
        let found = verdicts(build.path, build.words, &[])?;
        return all_that_apply_are_judged(&found);
    }
    let found = verdicts(build.path, build.words, SOME)?;
    if is_dll(build) {
        // On Windows the heap has another lock and other calls for memory.
        return Ok(());
    }
    static OF_STRANGER: OnceLock<Verdicts> = OnceLock::new();
    let mut strangers = STRANGERS.iter();
    let stranger = strangers.find(|(name, _)| *name == "boundary_tags");
    let (_, stranger) = stranger.ok_or("the stranger was not built")?;
    let expected = OF_STRANGER.get_or_init(|| {
        let verdicts = verdicts(stranger, &[], SOME);
        verdicts.unwrap_or_else(|error| panic!("the stranger: {error:?}"))
    });
    let differs = |(key, (verdict, _)): &(&(String, String), &(String, String))| {
        let clause = key.0.as_str();
        let is_not_exported = build.name == WITHOUT_ERRNO
            && clause.contains("errno")
            && clause.ends_with("exported")
            && verdict.starts_with("unsupported");
        !is_not_exported && expected.get(key).is_none_or(|(it, _)| it != verdict)
    };
    let different: Vec<_> = found.iter().filter(differs).collect();
    match different.is_empty() && found.len() == expected.len() {
        true => Ok(()),
        false => Err(format!("{} results, different: {different:#?}", found.len()).into()),
    }
}

/// Checks that each clause has a verdict in one of its cases, or does not apply in any.
fn all_that_apply_are_judged(found: &Verdicts) -> Result<(), Failed> {
    let mut of_clauses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ((clause, _), (verdict, _)) in found {
        of_clauses.entry(clause).or_default().push(verdict);
    }
    let is_unjudged = |(clause, verdicts): &(&str, Vec<&str>)| {
        *clause != NEEDS_MEMORY
            && verdicts.iter().all(|it| it.starts_with("unsupported"))
            && !verdicts
                .iter()
                .all(|it| *it == "unsupported: not-applicable")
    };
    let unjudged: Vec<_> = of_clauses.into_iter().filter(is_unjudged).collect();
    match unjudged.is_empty() {
        true => Ok(()),
        false => Err(format!("not judged: {unjudged:#?}").into()),
    }
}

/// The verdicts of a run that finds everything as expected.
fn verdicts(path: &str, arguments: &[&str], patterns: &[&str]) -> Result<Verdicts, Failed> {
    let output = check(path, arguments, patterns)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|_| said.clone())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = report["candidates"][0]["results"].as_array();
    let results = results.into_iter().flatten().map(|it| {
        let key = (text(&it["clause"]), text(&it["case"]));
        let verdict = match it["reason"].as_str() {
            Some(reason) => format!("{}: {reason}", text(&it["verdict"])),
            None => text(&it["verdict"]),
        };
        (key, (verdict, text(&it["observed"])))
    });
    let results: Verdicts = results.collect();
    if output.status.code() == Some(0) && !results.is_empty() {
        return Ok(results);
    }
    let deviates = |(_, (verdict, _)): &(&(String, String), &(String, String))| {
        !["pass", "recorded"].contains(&verdict.as_str()) && !verdict.starts_with("unsupported")
    };
    let deviations: Vec<_> = results.iter().filter(deviates).collect();
    Err(format!("{}: {deviations:#?}; {said}", output.status).into())
}

fn check(path: &str, arguments: &[&str], patterns: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.args(["check", path, "--format", "json", "--timeout", TIMEOUT]);
    // The profile is that of a library which stands in for the system's heap; these do not.
    command.args(["--skip", "process.*"]);
    if !arguments.contains(&"--profile") {
        let profile = match path.ends_with(".dll") {
            true => "reference-dll",
            false => "reference",
        };
        command.args(["--profile", profile]);
    }
    for pattern in patterns {
        command.args(["--only", pattern]);
    }
    command.args(arguments).output()
}

/// Checks that no clause is judged by the routines of another library, and that the report
/// names a routine and that library.
fn calls_elsewhere(build: &Build) -> Result<(), Failed> {
    let output = check(build.path, build.words, SOME)?;
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let results = report["candidates"][0]["results"].as_array();
    let results: Vec<_> = results.into_iter().flatten().collect();
    let is_error = |it: &&Value| it["verdict"] == "error" || it["reason"] == "not-applicable";
    let observed = results.iter().filter_map(|it| it["observed"].as_str());
    let named = observed.filter(|it| it.contains("malloc") && it.contains("libc"));
    let is_named_once = named.count() == 1;
    let all_errors = !results.is_empty() && results.iter().all(is_error);
    match is_named_once && all_errors && output.status.code() == Some(1) {
        true => Ok(()),
        false => Err(format!("{}: {results:#?}", output.status).into()),
    }
}

/// Checks that the command refuses a build in one line that says why.
fn refused(build: &Build) -> Result<(), Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    let output = command.args(["check", build.path]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = said.lines().collect();
    match *lines.as_slice() {
        [line]
            if output.status.code() == Some(2)
                && output.stdout.is_empty()
                && line.contains(build.path)
                && build.words.iter().all(|word| line.contains(word)) =>
        {
            Ok(())
        }
        _ => {
            let report = String::from_utf8_lossy(&output.stdout);
            let report = report.lines().count();
            let lines = lines.get(..lines.len().min(5));
            Err(format!("{}, a report of {report} lines: {lines:#?}", output.status).into())
        }
    }
}
