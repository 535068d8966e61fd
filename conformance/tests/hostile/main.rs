//! Cases of hostile libraries get the right verdict within the time limit. The run
//! continues, and leaves no process and no file.
#![cfg(target_os = "linux")]

mod files;
mod loading;
mod run;

use heapmin_test_libraries::{HOSTILE, Hostile};
use libtest_mimic::{Arguments, Failed, Trial};
use run::{Run, verdicts};
use std::process::ExitCode;

/// The time limit in seconds for a library that hangs.
const SHORT: &str = "3";
/// The time limit in seconds for other libraries, long enough for a busy machine.
const LONG: &str = "60";
/// The time limit in seconds for a run in which one library hangs and others do not.
const MIDDLE: &str = "10";
/// The number of trials that run at the same time. Most of them only wait for a
/// time limit.
const TRIALS: usize = 6;
/// The clauses that a library must pass if it does not attack the probe.
const HARMLESS: &[&str] = &["heapmin.*", "malloc.*", "errno.*"];
/// The memory limit of a probe in MiB; every case here needs less.
const MEBIBYTES: &str = "700";

fn main() -> ExitCode {
    let gaps = gaps();
    let mut trials: Vec<Trial> = HOSTILE
        .iter()
        .map(|it| {
            let test = match it.name.ends_with("_when_loaded") {
                true => loading::ends,
                false => hostile,
            };
            Trial::test(it.name, move || test(it)).with_ignored_flag(is_not_fenced(it, &gaps))
        })
        .collect();
    trials.push(Trial::test("without-a-fence::children", unfenced_children));
    trials.push(Trial::test("page-of-the-book", page_of_the_book));
    trials.push(Trial::test("the-run-goes-on", the_run_goes_on));
    trials.extend(files::trials());
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TRIALS);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What the fence cannot enforce on this system, from standard error.
fn gaps() -> String {
    let run = Run::new(&["reference"]).map(|run| run.only(&["heapmin.exported"]));
    let output = run.map(|run| run.output_while(|_| Ok(())));
    let stderr = output.map(|output| output.map(|output| output.stderr));
    match stderr {
        Ok(Ok(stderr)) => String::from_utf8_lossy(&stderr).into_owned(),
        // Every trial will fail with the reason.
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

/// Whether the part of the fence that must stop this library is missing here. With
/// HEAPMIN_REQUIRE, as in CI, the test runs anyway.
fn is_not_fenced(hostile: &Hostile, gaps: &str) -> bool {
    let parts = [
        ("writes_files_everywhere", "scratch folder"),
        ("leaves_children_in_sessions_of_their_own", "no network"),
        ("forks_a_hundred_times", "no network"),
        ("forks_again_and_again_when_loaded", "no network"),
        ("kills_every_process_it_can", "no network"),
        ("uses_the_network", "no network"),
    ];
    let needs = |(name, part): &(&str, &str)| *name == hostile.name && gaps.contains(part);
    let is_open = parts.iter().any(needs) && std::env::var_os("HEAPMIN_REQUIRE").is_none();
    if is_open {
        eprintln!("skipped: {}: {gaps}", hostile.name);
    }
    is_open
}

fn hostile(hostile: &Hostile) -> Result<(), Failed> {
    let (verdict, refused) = match hostile.verdict.split_once(", and under faults in ") {
        Some((verdict, refused)) => (verdict, Some(refused)),
        None => (hostile.verdict, None),
    };
    let patterns = match verdict {
        "pass" => HARMLESS,
        _ => &["heapmin.empty-heap", "heapmin.preserves-live-blocks"],
    };
    let seconds = match verdict {
        "timeout" => SHORT,
        _ => LONG,
    };
    let run = Run::new(&[hostile.path])?.only(patterns);
    let run = run.arguments(&["--memory", MEBIBYTES, "--timeout", seconds]);
    let report = run.report()?;
    let all = verdicts(&report["candidates"][0]);
    if all.is_empty() {
        return Err("the report has no result".into());
    }
    let is_wrong = |it: &&run::Result| {
        let unjudged = verdict == "pass" && it.verdict == "unsupported";
        it.verdict != verdict && !unjudged
    };
    let wrong: Vec<_> = all.iter().filter(is_wrong).collect();
    let mut under_faults = all
        .iter()
        .filter(|it| it.observed.contains("the fault hit"));
    let found = under_faults.clone().map(|it| &*it.verdict).next();
    if found != refused || !under_faults.all(|it| Some(&*it.verdict) == refused) {
        return Err(format!("expected {refused:?} under faults, found {found:?}").into());
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("expected {verdict}: {wrong:#?}").into()),
    }
}

fn library(name: &str) -> &'static str {
    let mut all = HOSTILE.iter();
    all.find(|it| it.name == name)
        .expect("the library was built")
        .path
}

/// Without a fence, the children of the library are killed with the probe.
fn unfenced_children() -> Result<(), Failed> {
    let run = Run::new(&[library("leaves_children_running")])?;
    let run = run.only(&["heapmin.empty-heap"]).arguments(&["--no-fence"]);
    let report = run.report()?;
    match verdicts(&report["candidates"][0]).as_slice() {
        [only] if only.verdict == "pass" => Ok(()),
        other => Err(format!("{other:#?}").into()),
    }
}

/// Candidates that die, hang and print do not affect the verdicts of the reference
/// in the same run.
fn the_run_goes_on() -> Result<(), Failed> {
    let run = Run::new(&[
        library("kills_itself_when_loaded"),
        library("loops_when_loaded"),
        "reference",
        library("floods_standard_error_and_output"),
    ])?;
    let report = run
        .only(&["heapmin.exported", "heapmin.empty-heap"])
        .arguments(&["--timeout", MIDDLE])
        .report()?;
    let all: Vec<Vec<_>> = report["candidates"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| verdicts(it).into_iter().map(|it| it.verdict).collect())
        .collect();
    let wanted = [
        ["crash", "error"],
        ["timeout", "error"],
        ["pass", "pass"],
        ["pass", "pass"],
    ];
    match all == wanted {
        true => Ok(()),
        false => Err(format!("{all:?}").into()),
    }
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/internals/hostile.md");
const START: &str = "<!-- hostile libraries: written by a test, see testing.md -->";

/// The table in the book matches the fixtures. With UPDATE_BOOK=1 it is rewritten.
fn page_of_the_book() -> Result<(), Failed> {
    let text = std::fs::read_to_string(PAGE)?;
    let (before, found) = text.split_once(START).ok_or("the page has no table")?;
    let mut wanted = String::from("\n\n| library | a case ends in |\n| --- | --- |\n");
    for it in HOSTILE {
        let name = it.name.replace('_', " ");
        wanted += &format!("| {name} | {} |\n", it.verdict);
    }
    if found == wanted {
        return Ok(());
    }
    if std::env::var_os("UPDATE_BOOK").is_none() {
        let mend =
            "run UPDATE_BOOK=1 cargo test -p heapmin-conformance --test hostile page-of-the-book";
        return Err(format!("docs/internals/hostile.md is not up to date: {mend}").into());
    }
    std::fs::write(PAGE, format!("{before}{START}{wanted}"))?;
    Ok(())
}
