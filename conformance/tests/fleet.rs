//! `--partition` and `heapmin merge`: a run on several machines gives what one machine gives.
#![cfg(target_os = "linux")]

mod program;

use program::heapmin_in;
use rstest::rstest;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;
use tempfile::TempDir;

/// A library that breaks a clause of these, and what is always observed in the same way.
const LIBRARY: &str = "sets_errno_on_success";
const ONLY: [&str; 4] = ["--only", "heapmin.success-*", "--only", "heapmin.exported"];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    copy(folder.path(), "mine.so", LIBRARY);
    folder
}

fn copy(folder: &Path, name: &str, library: &str) {
    let path = heapmin_test_libraries::candidate(library);
    fs::copy(path, folder.join(name)).expect("the folder can be written");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a part, or the whole; returns the status.
fn check(folder: &Path, name: &str, more: &[&str]) -> i32 {
    let own = ["check", "./mine.so", "--format", "json", "--output", name];
    let seen = heapmin_in(folder, &[&own[..], &ONLY, more].concat());
    seen.status.code().expect("no signal ended it")
}

/// The record in this file, without times, amounts of memory, and what says that it was divided.
fn record(folder: &Path, name: &str) -> Value {
    let text = fs::read_to_string(folder.join(name)).expect("the report");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    without_times(&mut value);
    value
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // The limits of the fence follow from what the machine has free.
            for name in [
                "started",
                "duration_ms",
                "memory",
                "fence",
                "arguments",
                "jobs",
            ] {
                fields.remove(name);
            }
            fields.values_mut().for_each(without_times);
        }
        Value::Array(values) => values.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[rstest]
#[case::slice("slice")]
#[case::hash("hash")]
fn merged_parts_equal_the_whole_run(#[case] kind: &str) {
    let folder = folder();
    let folder = folder.path();
    let gate = "[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\n\n[[known]]\nclause = 'heapmin.success-returns-zero'\nwhy = 'gone'\n";
    fs::write(folder.join("e.toml"), gate).unwrap();
    let expected = ["--expected", "e.toml"];
    assert_eq!(
        check(folder, "whole.json", &expected),
        1,
        "an entry is stale"
    );
    for part in ["1", "2", "3"] {
        let partition = format!("{kind}:{part}/3");
        let more = ["--partition", &partition, "--expected", "e.toml"];
        let status = check(folder, &format!("{part}.json"), &more);
        assert_eq!(status, 0, "a part cannot tell that an entry is stale");
    }
    let parts = [
        "merge",
        "3.json",
        "1.json",
        "2.json",
        "--expected",
        "e.toml",
    ];
    let merged = heapmin_in(
        folder,
        &[&parts[..], &["--format", "json", "--output", "merged.json"]].concat(),
    );
    assert_eq!(merged.status.code(), Some(1), "{}", said(&merged));
    let (whole, merged) = (record(folder, "whole.json"), record(folder, "merged.json"));
    let different = whole
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, value)| merged.get(name.as_str()) != Some(value));
    let different: Vec<_> = different
        .map(|(name, value)| format!("{name}: {value}\n{}", merged[name.as_str()]))
        .collect();
    assert_eq!(different, Vec::<String>::new());
    assert_eq!(whole["complaints"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_part_fails_for_a_new_deviation() {
    let folder = folder();
    let statuses = ["1", "2", "3"].map(|part| {
        let partition = format!("slice:{part}/3");
        check(folder.path(), "part.json", &["--partition", &partition])
    });
    assert!(
        statuses.contains(&1) && !statuses.contains(&2),
        "{statuses:?}"
    );
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let folder = folder();
    let folder = folder.path();
    check(folder, "whole.json", &[]);
    check(folder, "1.json", &["--partition", "slice:1/2"]);
    check(folder, "2.json", &["--partition", "slice:2/2"]);
    check(folder, "hash.json", &["--partition", "hash:2/2"]);
    check(
        folder,
        "preload.json",
        &["--partition", "slice:2/2", "--preload"],
    );
    copy(folder, "mine.so", "returns_one");
    check(folder, "other.json", &["--partition", "slice:2/2"]);
    for (parts, problem) in [
        (
            &["1.json", "whole.json"][..],
            "whole.json is a whole run and no part",
        ),
        (&["1.json"], "the part slice:2/2 is missing"),
        (
            &["1.json", "1.json"],
            "1.json and 1.json are the same part, slice:1/2",
        ),
        (
            &["1.json", "hash.json"],
            "hash.json is hash:2/2 and 1.json is slice:1/2: parts of two divisions",
        ),
        (
            &["1.json", "preload.json"],
            "1.json and preload.json are not parts of one run: their options differ",
        ),
        (
            &["1.json", "other.json"],
            "1.json and other.json are not parts of one run: ./mine.so and ./mine.so differ",
        ),
    ] {
        let seen = heapmin_in(folder, &[&["merge"], parts].concat());
        assert_eq!(seen.status.code(), Some(2), "{}", said(&seen));
        assert!(said(&seen).contains(problem), "{}", said(&seen));
    }
    let seen = heapmin_in(folder, &["merge", "2.json", "1.json"]);
    assert!(matches!(seen.status.code(), Some(0 | 1)), "{}", said(&seen));
}
