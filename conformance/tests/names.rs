//! A profile gives the names of a candidate's routines.
#![cfg(target_os = "linux")]

use heapmin_test_libraries::candidate;
use rstest::rstest;
use serde_json::Value;
use std::process::Command;

/// The verdicts of these clauses on a small candidate, by a profile with these lines:
/// verdict and observation of each.
fn results(lines: &str, clauses: &[&str]) -> Vec<(String, String)> {
    let head = "title = 'A'\nlibrary = 'a.so'\nsource = 'path'\nerrno = 'host'\n";
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let profile = folder.path().join("names.toml");
    std::fs::write(&profile, format!("{head}{lines}\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.args(["check", candidate("other_names")]);
    command.args(["--format", "json", "--profile"]).arg(profile);
    command.args(clauses.iter().flat_map(|clause| ["--only", clause]));
    let output = command.output().expect("the program starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    let results = report["candidates"][0]["results"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    results
        .iter()
        .map(|result| (text(&result["verdict"]), text(&result["observed"])))
        .collect()
}

#[rstest]
#[case::own(
    "names = { _recalloc = 'my_recalloc', _heapmin = 'my_trim' }",
    "my_recalloc"
)]
#[case::of_the_library_that_it_needs(
    "names = { _recalloc = 'reallocarray', _heapmin = 'my_trim' }\n\
     needs = { file = 'libc.so.6', install = '' }",
    "reallocarray in libc.so.6"
)]
fn a_routine_is_found_under_its_other_name(#[case] lines: &str, #[case] place: &str) {
    let seen = results(lines, &["heapmin.exported", "recalloc.exported"]);
    let expected = ["my_trim", place].map(|name| {
        (
            "pass".to_owned(),
            format!("found under its other name, {name}"),
        )
    });
    assert_eq!(seen, expected);
}

#[test]
fn a_routine_with_another_name_is_judged() {
    let lines = "names = { _recalloc = 'my_recalloc', _heapmin = 'my_trim' }";
    let seen = results(lines, &["recalloc.new-bytes-zero"]);
    assert_eq!(seen[0].0, "fail", "{seen:?}");
}

/// The loader would find the second name in the C library, on which the candidate depends.
#[rstest]
fn a_name_that_the_candidate_does_not_export_is_a_failure(
    #[values("my_recaloc", "reallocarray")] name: &str,
) {
    let lines = format!("names = {{ _recalloc = '{name}', _heapmin = 'my_trim' }}");
    let seen = results(&lines, &["recalloc.exported", "recalloc.keeps-contents"]);
    let missing = format!("no {name}, its other name in the profile");
    assert_eq!(seen[0], ("fail".into(), missing));
    assert_eq!(seen[1].0, "unsupported", "{seen:?}");
}
