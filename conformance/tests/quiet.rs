//! `--quiet`: only what is not as expected, and nothing if all is.
#![cfg(target_os = "linux")]

mod program;

use heapmin_test_libraries::candidate;
use program::heapmin;
use rstest::rstest;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// The candidate breaks this clause, and keeps the other.
const BROKEN: &str = "heapmin.success-keeps-errno";
const KEPT: &str = "heapmin.exported";

fn library() -> &'static str {
    candidate("sets_errno_on_success")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Checks the status, and that nothing was written.
#[track_caller]
fn is_silent(output: &Output, status: i32) {
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(status));
}

/// A saved run of one clause.
fn run(folder: &Path, clause: &str) -> String {
    let file = folder.join(format!("{clause}.json"));
    let file = file.to_str().expect("a path in UTF-8").to_owned();
    heapmin(&[
        "check",
        library(),
        "--only",
        clause,
        "--format",
        "json",
        "--output",
        &file,
    ]);
    file
}

#[test]
fn a_run_with_everything_as_expected_says_nothing() {
    let folder = TempDir::new().expect("a folder");
    let expected = folder.path().join("expected.toml");
    let expected = expected.to_str().unwrap();
    let check = [
        "check",
        library(),
        "--only",
        BROKEN,
        "--expected",
        expected,
        "--quiet",
    ];
    is_silent(&heapmin(&[&check[..], &["--update"]].concat()), 0);
    is_silent(&heapmin(&check), 0);
    is_silent(&heapmin(&["-q", "report", &run(folder.path(), KEPT)]), 0);
    let kept = run(folder.path(), KEPT);
    is_silent(&heapmin(&["diff", &kept, &kept, "--quiet"]), 0);
}

#[rstest]
#[case::check("check")]
#[case::report("report")]
fn a_run_with_a_deviation_says_only_what_it_is(#[case] command: &str) {
    let folder = TempDir::new().expect("a folder");
    let saved = run(folder.path(), BROKEN);
    let output = match command {
        "check" => heapmin(&["check", library(), "--only", BROKEN, "--only", KEPT, "-q"]),
        _ => heapmin(&["report", &saved, "--quiet"]),
    };
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(text(&output.stderr), "");
    assert!(said.starts_with("new deviations: "), "{said}");
    assert!(said.contains(&format!("\n{BROKEN}: fail\n")), "{said}");
    assert!(said.contains("\nnot as expected\n"), "{said}");
    for other in ["fence", "────", KEPT] {
        assert!(!said.contains(other), "{said}");
    }
    let last = said.lines().last().unwrap();
    assert!(
        last.contains(" fail") && last.contains("; judged "),
        "{said}"
    );
}

#[test]
fn what_regressed_is_said_and_what_did_not_is_not() {
    let folder = TempDir::new().expect("a folder");
    let broken = run(folder.path(), BROKEN);
    let mended = folder.path().join("mended.json");
    let text_of_run = fs::read_to_string(&broken).unwrap();
    let pass = text_of_run.replace("\"verdict\": \"fail\"", "\"verdict\": \"pass\"");
    assert_ne!(pass, text_of_run, "the run has a deviation");
    fs::write(&mended, pass).unwrap();
    let mended = mended.to_str().unwrap();
    let worse = heapmin(&["diff", mended, &broken, "--quiet"]);
    assert_eq!(worse.status.code(), Some(1));
    assert!(
        text(&worse.stdout).contains(BROKEN),
        "{}",
        text(&worse.stdout)
    );
    is_silent(&heapmin(&["diff", &broken, mended, "--quiet"]), 0);
}

#[test]
fn a_file_and_a_report_for_programs_are_complete() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("report.txt");
    let check = ["check", library(), "--only", KEPT, "--quiet"];
    is_silent(
        &heapmin(&[&check[..], &["--output", file.to_str().unwrap()]].concat()),
        0,
    );
    assert!(fs::read_to_string(&file).unwrap().contains(KEPT));
    let json = heapmin(&[&check[..], &["--format", "json"]].concat());
    assert!(text(&json.stdout).contains("\"summary\""));
}

#[test]
fn errors_are_written_all_the_same() {
    let output = heapmin(&["check", "no/such.so", "--quiet"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no such file"));
}

#[test]
fn a_sequence_without_a_difference_says_nothing() {
    let fuzz = [
        "fuzz",
        "reference",
        "--seed",
        "1",
        "--steps",
        "50",
        "--quiet",
    ];
    is_silent(&heapmin(&fuzz), 0);
}

#[test]
fn the_versions_that_bisect_judges_are_not_listed() {
    let output = heapmin(&["bisect", KEPT, library(), library(), "--quiet"]);
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).starts_with("no change found: "));
}

#[test]
fn quiet_and_verbose_exclude_each_other() {
    let output = heapmin(&["check", "--quiet", "--verbose"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("cannot be used with"), "{said}");
}
