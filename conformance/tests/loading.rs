//! How libraries are loaded, which of them are refused, and when a run ends.
#![cfg(target_os = "linux")]

use heapmin_test_libraries::candidate;
use rstest::rstest;
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

/// The exit status, standard output and standard error of `heapmin check`.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    let output = command.arg("check").args(arguments).output();
    let output = output.expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_library_without_blocks_is_refused_and_the_message_says_how_to_name_its_heap() {
    let path = candidate("only_heapmin");
    let (status, _, said) = check(&[path]);
    assert_eq!(status, Some(2));
    assert_eq!(
        said,
        format!(
            "error: {path} exports no malloc and no free, so its blocks come from another library; name that library with --heap LIB, or with the key `heap` of a profile\n"
        )
    );
}

#[rstest]
#[case::by_path(candidate("returns_zero"))]
#[case::by_the_name_that_the_loader_finds("libc.so.6")]
fn a_library_without_blocks_is_judged_with_the_heap_that_is_named(#[case] heap: &str) {
    let arguments = ["--heap", heap, "--only", "calloc.*", "--format", "json"];
    let path = candidate("only_heapmin");
    let (status, report, said) = check(&[&[path], &arguments[..]].concat());
    assert_eq!(status, Some(0), "{said}");
    let report: Value = serde_json::from_str(&report).unwrap();
    let of = &report["candidates"][0];
    assert_eq!(of["heap"]["library"], heap);
    let routines = of["heap"]["routines"].as_array().unwrap();
    assert!(routines.contains(&"malloc".into()), "{routines:?}");
    assert!(!routines.contains(&"_heapmin".into()), "{routines:?}");
    assert!(of["summary"]["pass"].as_u64() > Some(3), "{of}");
}

#[test]
fn a_heap_without_a_missing_routine_is_refused() {
    let path = candidate("only_heapmin");
    let (status, _, said) = check(&[path, "--heap", path]);
    assert_eq!(status, Some(2));
    assert!(said.contains("exports no malloc and no free"), "{said}");
    let (status, _, said) = check(&[path, "--heap", "no/such.so"]);
    assert_eq!(status, Some(2));
    assert!(said.contains("--heap no/such.so: no such file"), "{said}");
}

#[test]
fn a_refused_candidate_is_in_the_json_report_with_the_reason() {
    let refused = candidate("only_heapmin");
    let arguments = ["--format", "json", "--only", "heapmin.exported"];
    for others in [vec![], vec!["reference"]] {
        let (status, report, _) = check(&[&[refused], &others[..], &arguments].concat());
        assert_eq!(status, Some(2));
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(report["candidates"].as_array().unwrap().len(), others.len());
        let entry = &report["refused"][0];
        assert_eq!(entry["name"], refused);
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.contains("exports no malloc"), "{reason}");
    }
}

#[test]
fn a_library_that_hangs_everywhere_is_reported_within_minutes() {
    let start = Instant::now();
    let path = candidate("hangs_everywhere");
    let arguments = [path, "--only", "calloc.*", "--format", "json"];
    let (status, report, _) = check(&arguments);
    // Two rounds of 10 s on two processors, and half a second for each other case.
    assert!(start.elapsed() < Duration::from_secs(240));
    assert_eq!(status, Some(1));
    let report: Value = serde_json::from_str(&report).unwrap();
    let results = report["candidates"][0]["results"].as_array().unwrap();
    let cases = |verdict: &str| {
        let of = results.iter().filter(|it| it["verdict"] == verdict);
        let mut cases: Vec<_> = of.map(|it| it["case"].as_str().unwrap()).collect();
        cases.sort_unstable();
        cases.dedup();
        cases.len()
    };
    assert_eq!(cases("timeout"), 3);
    assert!(cases("error") > 3, "{}", cases("error"));
    let mut errors = results.iter().filter(|it| it["verdict"] == "error");
    let is_not_run = |it: &Value| {
        let observed = it["observed"].as_str().unwrap();
        observed.contains("not run: it did not finish within")
    };
    assert!(errors.all(is_not_run));
}

#[test]
fn max_time_ends_a_run_and_the_other_cases_are_not_run() {
    let start = Instant::now();
    let path = candidate("hangs_everywhere");
    let (status, report, _) = check(&[path, "--max-time", "2", "--format", "json"]);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(status, Some(1));
    let report: Value = serde_json::from_str(&report).unwrap();
    let results = report["candidates"][0]["results"].as_array().unwrap();
    let of = |verdict| results.iter().filter(move |it| it["verdict"] == verdict);
    assert_eq!(of("timeout").count(), 0);
    let mut errors = of("error").map(|it| &it["observed"]);
    assert!(errors.all(|it| *it == "not run: the time of --max-time is over"));
}

#[test]
fn repeat_reports_a_verdict_or_observation_that_changes() {
    let path = candidate("changes_with_time");
    let (status, report, said) = check(&[path, "--only", "expand.*", "--repeat", "8"]);
    assert_eq!(status, Some(1), "{said}");
    assert!(report.contains("changed in 8 runs"), "{report}");
    let arguments = ["--only", "expand.*", "--repeat", "3", "--format", "json"];
    let (status, report, said) = check(&arguments);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("3 runs, no verdict and no observation changed"));
    let report: Value = serde_json::from_str(&report).unwrap();
    let repeated = &report["candidates"][0]["repeated"];
    assert_eq!(repeated["runs"], 3);
    assert_eq!(repeated["changed"].as_array().unwrap().len(), 0);
}
