//! Whatever a library does, its cases end in the right verdict within the time
//! limit, the run goes on, and nothing is left behind: no process, no file.
#![cfg(target_os = "linux")]

mod files;
mod run;

use heapmin_test_libraries::{HOSTILE, Hostile};
use libtest_mimic::{Arguments, Failed, Trial};
use run::{Run, verdicts};
use std::process::ExitCode;

/// Seconds for each case of a library that hangs; it takes them all.
const SHORT: &str = "3";
/// Plenty for the others, also on a busy machine.
const LONG: &str = "60";
/// For a run in which one library hangs and the others do not.
const MIDDLE: &str = "10";
/// The number of trials that run at the same time. Most of them only wait for a
/// time limit.
const TRIALS: usize = 6;
/// What a library that leaves the probe alone must pass.
const HARMLESS: &[&str] = &["heapmin.*", "malloc.*", "errno.*"];
/// What a probe may hold: more than any case here needs.
const MEBIBYTES: &str = "700";

fn main() -> ExitCode {
    let gaps = gaps();
    let mut trials: Vec<Trial> = HOSTILE
        .iter()
        .map(|it| Trial::test(it.name, || hostile(it)).with_ignored_flag(is_let_in(it, &gaps)))
        .collect();
    trials.push(Trial::test("without-a-fence::children", unfenced_children));
    trials.push(Trial::test("page-of-the-book", page_of_the_book));
    trials.push(Trial::test("the-run-goes-on", the_run_goes_on));
    trials.extend(files::trials());
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(TRIALS);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// What this system does not keep a library from.
fn gaps() -> String {
    let run = Run::new(&["reference"]).map(|run| run.only(&["heapmin.exported"]));
    let output = run.map(|run| run.output_while(|_| Ok(())));
    let stderr = output.map(|output| output.map(|output| output.stderr));
    match stderr {
        Ok(Ok(stderr)) => String::from_utf8_lossy(&stderr).into_owned(),
        // Every trial will say why.
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

/// Whether there is nothing in this library's way here. Where everything is
/// required, as in CI, that is no excuse.
fn is_let_in(hostile: &Hostile, gaps: &str) -> bool {
    let parts = [
        ("writes_files_everywhere", "scratch folder"),
        ("leaves_children_in_sessions_of_their_own", "no network"),
        ("forks_a_hundred_times", "no network"),
        ("kills_every_process_it_can", "no network"),
        ("uses_the_network", "no network"),
    ];
    let needs = |(name, part): &(&str, &str)| *name == hostile.name && gaps.contains(part);
    let is_let_in = parts.iter().any(needs) && std::env::var_os("HEAPMIN_REQUIRE").is_none();
    if is_let_in {
        eprintln!("skipped: {}: {gaps}", hostile.name);
    }
    is_let_in
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
        return Err("there is no result".into());
    }
    let is_wrong = |it: &&run::Result| {
        let unjudged = verdict == "pass" && it.verdict == "unsupported";
        let under_a_fault = refused == Some(&it.verdict) && it.observed.contains("the fault hit");
        it.verdict != verdict && !unjudged && !under_a_fault
    };
    let wrong: Vec<_> = all.iter().filter(is_wrong).collect();
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("{verdict} was due: {wrong:#?}").into()),
    }
}

fn library(name: &str) -> &'static str {
    let mut all = HOSTILE.iter();
    all.find(|it| it.name == name).expect("it was built").path
}

/// Children that the library is let make are killed with the probe.
fn unfenced_children() -> Result<(), Failed> {
    let run = Run::new(&[library("leaves_children_running")])?;
    let run = run.only(&["heapmin.empty-heap"]).arguments(&["--no-fence"]);
    let report = run.report()?;
    match verdicts(&report["candidates"][0]).as_slice() {
        [only] if only.verdict == "pass" => Ok(()),
        other => Err(format!("{other:#?}").into()),
    }
}

/// One candidate that dies, one that hangs and one that prints do not disturb
/// the reference between them.
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
        ["crash", "crash"],
        ["timeout", "timeout"],
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

/// The book's table is that of the fixtures. With UPDATE_BOOK=1 it is written anew.
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
        let mend = "UPDATE_BOOK=1 cargo test --test hostile page-of-the-book writes it anew";
        return Err(format!("docs/internals/hostile.md is not up to date: {mend}").into());
    }
    std::fs::write(PAGE, format!("{before}{START}{wanted}"))?;
    Ok(())
}
