//! `--report`, `heapmin report` and `--redact-paths`: a saved run gives every report that the
//! run itself gives.
#![cfg(target_os = "linux")]

mod program;

use program::heapmin_in;
use rstest::rstest;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A library that breaks two clauses of `heapmin.success-*`.
const BROKEN: &str = "sets_errno_on_success";
const ONLY: [&str; 2] = ["--only", "heapmin.success-*"];

/// A folder with a library `mine.so`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = heapmin_test_libraries::candidate(BROKEN);
    fs::copy(path, folder.path().join("mine.so")).expect("the folder can be written");
    folder
}

fn check(folder: &Path, more: &[&str]) -> Output {
    let arguments = [&["check", "./mine.so"], &ONLY[..], more].concat();
    heapmin_in(folder, &arguments)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_saved_run_gives_the_reports_that_the_run_gave() {
    let folder = folder();
    let folder = folder.path();
    let seen = check(
        folder,
        &["--report", "json=run.json", "--report", "markdown=run.md"],
    );
    assert_eq!(seen.status.code(), Some(1));
    let human = heapmin_in(folder, &["report", "run.json"]);
    assert_eq!(text(&human.stdout), text(&seen.stdout));
    assert_eq!(human.status.code(), Some(1), "the status is the run's");
    let again = ["report", "run.json", "--format", "markdown"];
    let markdown = heapmin_in(folder, &again).stdout;
    assert_eq!(
        text(&markdown),
        text(&fs::read(folder.join("run.md")).unwrap())
    );
    let json = heapmin_in(folder, &["report", "run.json", "--format", "json"]).stdout;
    assert_eq!(
        text(&json),
        text(&fs::read(folder.join("run.json")).unwrap())
    );
    assert!(
        text(&json).contains("\"call\": \"_heapmin()\""),
        "the calls are there"
    );
}

#[test]
fn several_saved_runs_are_shown_as_one() {
    let folder = folder();
    let folder = folder.path();
    check(folder, &["--output", "1.json", "--format", "json"]);
    let good = [
        "check",
        "--only",
        "heapmin.success-*",
        "--report",
        "json=2.json",
    ];
    assert_eq!(heapmin_in(folder, &good).status.code(), Some(0));
    let both = heapmin_in(folder, &["report", "2.json", "1.json"]);
    let report = text(&both.stdout);
    assert!(
        report.contains("\nreference: ") && report.contains("\n./mine.so: "),
        "{report}"
    );
    assert_eq!(both.status.code(), Some(1), "the worst of both");
}

#[test]
fn a_redacted_report_does_not_name_the_folder() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    let arguments = ["--report", "json=run.json", "--redact-paths"];
    let seen = check(folder.path(), &arguments);
    let json = fs::read_to_string(folder.path().join("run.json")).unwrap();
    for report in [json, text(&seen.stdout)] {
        assert!(!report.contains(path), "{report}");
        assert!(report.contains("mine.so"), "{report}");
    }
}

#[rstest]
#[case::no_file(&["--report", "json"], "expected FORMAT=FILE")]
#[case::no_name(&["--report", "json="], "the name of the file is missing")]
#[case::no_format(&["--report", "pdf=x"], "pdf is no format; the formats are human, json,")]
#[case::twice(&["--report", "json=x", "--output", "x"], "two reports would be written to x")]
#[case::of_the_library(&["--report", "json=mine.so"], "--report would overwrite")]
fn a_wrong_report_is_refused_before_the_run(#[case] arguments: &[&str], #[case] problem: &str) {
    let folder = folder();
    let seen = check(folder.path(), arguments);
    assert_eq!(seen.status.code(), Some(2));
    let said = text(&seen.stderr);
    assert!(said.contains(problem), "{said}");
    assert_eq!(text(&seen.stdout), "");
}

#[rstest]
#[case::missing(None, "run.json cannot be read")]
#[case::text(Some("no"), "run.json is no report of heapmin")]
#[case::other_version(Some("{\"schema\": 1}"), "run.json has schema 1")]
fn a_file_that_is_no_run_is_refused(#[case] contents: Option<&str>, #[case] problem: &str) {
    let folder = folder();
    if let Some(contents) = contents {
        fs::write(folder.path().join("run.json"), contents).unwrap();
    }
    let seen = heapmin_in(folder.path(), &["report", "run.json"]);
    assert_eq!(seen.status.code(), Some(2));
    let said = text(&seen.stderr);
    assert!(said.contains(problem), "{said}");
}

/// The number of failures and errors in a JUnit report.
fn failing(folder: &Path) -> usize {
    let text = fs::read_to_string(folder.join("run.xml")).expect("the report");
    text.matches("<failure").count() + text.matches("<error").count()
}

/// The counts of a JUnit report and the exit status never disagree.
#[rstest]
#[case::as_expected("heapmin.success-keeps-errno", "", 0)]
#[case::new("heapmin.success-keeps-errno", "case = 'start-values'\n", 1)]
#[case::stale("heapmin.success-returns-zero", "", 1)]
fn junit_fails_if_the_run_does(#[case] clause: &str, #[case] more: &str, #[case] status: i32) {
    let folder = folder();
    let folder = folder.path();
    let mut text = format!("[[known]]\nclause = '{clause}'\n{more}why = 'w'\n");
    if status == 0 {
        text += "[[judged]]\nclause = 'heapmin.success-returns-zero'\n";
    }
    fs::write(folder.join("e.toml"), text).unwrap();
    let gate = ["--expected", "e.toml", "--report", "junit=run.xml"];
    let seen = check(folder, &gate);
    assert_eq!(seen.status.code(), Some(status), "{}", text_of(&seen));
    assert_eq!(failing(folder) > 0, status != 0);
}

#[test]
fn junit_fails_for_a_judgement_that_was_lost_and_a_library_that_was_refused() {
    let folder = folder();
    let folder = folder.path();
    let lost = "[[judged]]\nclause = 'heapmin.same-heap-through-alias'\n";
    fs::write(folder.join("e.toml"), lost).unwrap();
    let gate = ["--expected", "e.toml", "--report", "junit=run.xml"];
    let only = ["--only", "heapmin.same-heap-through-alias"];
    let seen = heapmin_in(
        folder,
        &[&["check", "reference"], &gate[..], &only].concat(),
    );
    assert_eq!((seen.status.code(), failing(folder)), (Some(1), 1));
    let seen = heapmin_in(folder, &[&["check", "e.toml"], &gate[2..]].concat());
    assert_eq!((seen.status.code(), failing(folder)), (Some(2), 1));
}

fn text_of(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

/// The commonest mistake: the number that Linux gives to ENOSYS.
#[test]
fn the_number_of_this_systems_enosys_is_a_hint() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let source = folder.path().join("mine.c");
    let text = "#include <stdlib.h>\nstatic int number; int *_errno(void) { return &number; }\nint _heapmin(void) { number = 38; return -1; }\n";
    fs::write(&source, text).unwrap();
    let mut compiler = Command::new("cc");
    compiler.current_dir(folder.path());
    let built = compiler
        .args(["-shared", "-fPIC", "-o", "mine.so", "mine.c"])
        .status();
    assert!(built.expect("a C compiler").success());
    let arguments = [
        "check",
        "./mine.so",
        "--heap",
        "libc.so.6",
        "--only",
        "heapmin.failure-sets-enosys",
    ];
    let seen = text_of(&heapmin_in(folder.path(), &arguments));
    let words: Vec<_> = seen.split_whitespace().collect();
    let hint = "perhaps 38 is this system's ENOSYS; Microsoft's is 40: write `errno = \"host\"` in a profile if 38 is meant";
    assert!(words.join(" ").contains(hint), "{seen}");
}
