//! The command line: reports and exit statuses.
#![cfg(target_os = "linux")]

mod program;

use heapmin_test_libraries::candidate;
use program::{heapmin, heapmin_in};
use rstest::rstest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("the report is JSON")
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_json_report_has_the_documented_fields_and_its_summary_adds_up() {
    let output = heapmin(&["check", "--format", "json", "--only", "*.e*"]);
    assert_eq!(output.status.code(), Some(0));
    let report = json(&output);
    assert_eq!(
        keys(&report),
        [
            "build",
            "candidates",
            "clauses",
            "duration_ms",
            "machine",
            "options",
            "schema",
            "specification",
            "started",
            "status",
            "suite"
        ]
    );
    assert_eq!(report["schema"], 2);
    let candidate = &report["candidates"][0];
    assert_eq!(
        keys(candidate),
        [
            "arch",
            "cases",
            "cases_run",
            "errno",
            "fence",
            "fenced",
            "format",
            "given_back",
            "judged",
            "maker",
            "name",
            "path",
            "profile",
            "results",
            "run_by",
            "runner",
            "sha256",
            "summary",
            "version"
        ]
    );
    assert_eq!(candidate["format"], "elf");
    let results = candidate["results"].as_array().unwrap();
    for result in results {
        let mut fields = vec![
            "basis",
            "basis_reason",
            "case",
            "clause",
            "duration_ms",
            "expected",
            "known",
            "level",
            "observed",
            "sources",
            "state",
            "verdict",
        ];
        if result["verdict"] == "unsupported" {
            fields.insert(9, "reason");
        }
        if !result["missing"].is_null() {
            fields.insert(8, "missing");
        }
        assert_eq!(keys(result), fields);
    }
    let has_reason = |result: &Value| result["reason"] == "not-applicable";
    assert!(results.iter().any(has_reason), "_get_heap_handle");
    assert_eq!(keys(&candidate["judged"]), ["applicable", "clauses"]);
    let summary = candidate["summary"].as_object().unwrap();
    assert_eq!(
        keys(&candidate["summary"]),
        ["crash", "error", "fail", "pass", "timeout", "unsupported"]
    );
    for (verdict, count) in summary {
        let counted = results
            .iter()
            .filter(|result| result["verdict"] == verdict.as_str())
            .count();
        assert_eq!(count.as_u64(), Some(counted as u64), "{verdict}");
    }
}

#[test]
fn the_json_list_has_the_documented_fields() {
    let list = json(&heapmin(&["list", "--format", "json"]));
    assert_eq!(keys(&list), ["clauses", "schema"]);
    let clauses = list["clauses"].as_array().unwrap();
    assert!(
        clauses
            .iter()
            .any(|clause| clause["id"] == "heapmin.releases-memory")
    );
    for clause in clauses {
        assert_eq!(
            keys(clause),
            [
                "basis",
                "basis_reason",
                "cases",
                "id",
                "level",
                "page",
                "routine",
                "sources",
                "summary"
            ]
        );
    }
}

#[rstest]
#[case::as_expected("heapmin.exported", "", 0)]
#[case::unlisted("heapmin.success-keeps-errno", "", 1)]
#[case::listed(
    "heapmin.success-keeps-errno",
    "clause = 'heapmin.success-keeps-errno'",
    0
)]
#[case::listed_as_something_else(
    "heapmin.success-keeps-errno",
    "clause = 'heapmin.success-keeps-errno'\nverdict = 'crash'",
    1
)]
#[case::no_longer_occurs("heapmin.exported", "clause = 'heapmin.exported'", 1)]
#[case::not_checked("heapmin.exported", "clause = 'heapmin.success-keeps-errno'", 0)]
fn the_exit_status_is_1_if_a_deviation_is_unlisted_or_a_listed_one_is_gone(
    #[case] clause: &str,
    #[case] known: &str,
    #[case] status: i32,
) {
    let name = format!("known-{clause}-{}.toml", known.len());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let entry = if known.is_empty() {
        String::new()
    } else {
        format!("[[known]]\nwhy = 'a test'\n{known}\n")
    };
    std::fs::write(&path, entry).unwrap();
    let library = candidate("sets_errno_on_success");
    let output = heapmin(&[
        "check",
        library,
        "--only",
        clause,
        "--expected",
        path.to_str().unwrap(),
    ]);
    assert_eq!(
        output.status.code(),
        Some(status),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn the_human_report_shows_the_promise_and_the_observation() {
    let output = heapmin(&[
        "check",
        candidate("fails_with_einval"),
        "--only",
        "*sets-enosys",
    ]);
    let report = String::from_utf8(output.stdout).unwrap();
    for part in [
        "heapmin.failure-sets-enosys: fail",
        "(_heapmin, Return value)",
        "expected  if a call fails, or the system refuses a request, errno ENOSYS after",
        "errno EINVAL (22)",
        "0 pass, 2 fail",
    ] {
        assert!(report.contains(part), "{part:?} is not in\n{report}");
    }
    assert!(!report.contains('\u{1b}'), "colours are for terminals only");
}

#[test]
fn the_closing_line_shows_how_much_memory_was_released() {
    let output = heapmin(&["check", "--only", "heapmin.releases-memory"]);
    let report = String::from_utf8(output.stdout).unwrap();
    let line = report.lines().last().unwrap();
    assert!(
        line.starts_with("reference: 3 pass, 0 fail; given back 26"),
        "{line}"
    );
}

/// A clause of each level, with the meaning of the level.
#[rstest]
#[case::must("heapmin.exported", "must", "a library must keep it")]
#[case::should(
    "heapmin.recovers",
    "should",
    "it serves the purpose of the page; a good library keeps it"
)]
#[case::record("heapmin.doserrno", "record", "it is recorded and never judged")]
fn a_level_is_listed_and_explained(#[case] id: &str, #[case] level: &str, #[case] meaning: &str) {
    let list = String::from_utf8(heapmin(&["list"]).stdout).unwrap();
    let row = list.lines().find(|line| line.contains(&format!(" {id} ")));
    let row: Vec<_> = row.expect("it is listed").split_whitespace().collect();
    assert_eq!(row[..2], [id, level]);
    let text = String::from_utf8(heapmin(&["explain", id]).stdout).unwrap();
    let line = format!("level     {level} ({meaning}");
    assert!(text.contains(&line), "{text}");
}

/// The fence allows child processes in a case that needs them.
#[test]
fn a_case_that_forks_is_judged() {
    let report = json(&heapmin(&[
        "check",
        "--format",
        "json",
        "--only",
        "malloc.after-fork",
    ]));
    let results = report["candidates"][0]["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        assert_eq!(result["verdict"], "pass", "{result}");
    }
}

#[test]
fn explain_names_the_libraries_that_break_a_clause() {
    let output = heapmin(&["explain", "heapmin.failure-sets-enosys"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("start-values"), "{text}");
    let broken_by = text.lines().filter(|line| line.contains("broken by"));
    let mut by_ucrtbase = broken_by.filter(|line| line.contains("Wine's ucrtbase"));
    assert!(by_ucrtbase.next().is_some(), "{text}");
    assert!(
        by_ucrtbase.next().is_none(),
        "one line for one reason: {text}"
    );
}

#[rstest]
#[case("heapmin.exported", false)]
#[case("heapmin.success-returns-zero", true)]
fn explain_says_that_no_library_breaks_a_clause_and_how_faults_are_made(
    #[case] id: &str,
    #[case] has_fault: bool,
) {
    let text = String::from_utf8(heapmin(&["explain", id]).stdout).unwrap();
    let broken: Vec<_> = text.lines().filter(|it| it.contains("broken by")).collect();
    assert_eq!(broken, ["  broken by no library that has a profile"]);
    assert_eq!(text.contains("  fault     made without a hook"), has_fault);
}

#[test]
fn explain_does_not_name_libraries_that_break_only_other_clauses() {
    let of = |id| String::from_utf8(heapmin(&["explain", id]).stdout).unwrap();
    let text = of("heapmin.releases-partial");
    let broken = text.lines().filter(|it| it.contains("broken by")).count();
    assert!((1..20).contains(&broken), "{text}");
    assert!(
        !text.contains("returns NULL but does not set ENOMEM"),
        "{text}"
    );
}

#[test]
fn other_candidates_are_checked_if_one_is_not_a_library() {
    let output = heapmin(&[
        "check",
        "--only",
        "heapmin.exported",
        "reference",
        "/nowhere.so",
    ]);
    assert_eq!(output.status.code(), Some(2));
    let (stdout, stderr) = (
        output.stdout,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(String::from_utf8_lossy(&stdout).contains("1 pass"));
    assert!(stderr.contains("/nowhere.so"), "{stderr}");
}

#[test]
fn the_report_shows_the_fence_in_force() {
    let only = ["check", "--only", "heapmin.exported"];
    let report = |more: &[&str]| {
        let output = heapmin(&[&only[..], more].concat());
        String::from_utf8(output.stdout).unwrap()
    };
    let fenced = report(&["--memory", "700"]);
    assert!(fenced.contains("\nfence: "), "{fenced}");
    assert!(fenced.contains("; 700 MiB of memory"), "{fenced}");
    assert!(report(&["--no-fence"]).contains("\nno fence\n"));
}

/// The README has the routines and verdicts that the program prints. Amounts of
/// memory may differ between machines.
#[test]
fn the_readme_shows_what_the_program_prints() {
    let rows = |text: &str| -> Vec<String> {
        let rows = text.lines().filter(|line| {
            let number = line.split_whitespace().nth(1);
            // The clause on blocks of 4 GiB needs much memory.
            let depends = line.starts_with(" malloc ");
            // What is below the table is indented further.
            let is_row = line.starts_with(' ') && !line.starts_with("  ") && !depends;
            is_row && number.is_some_and(|it| it.parse::<u32>().is_ok())
        });
        rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    let readme = include_str!("../../README.md");
    let (_, block) = readme
        .split_once("<!-- what `heapmin check` prints")
        .expect("the marker");
    let shown = rows(block.split("```").nth(1).expect("a block"));
    assert!(shown.len() > 20, "{shown:?}");
    let output = heapmin(&["check"]);
    assert_eq!(shown, rows(&String::from_utf8(output.stdout).unwrap()));
    assert_eq!(output.status.code(), Some(0));
}

/// This repository has a folder named `reference`.
#[test]
fn a_known_name_takes_precedence_over_a_folder_of_that_name() {
    let repository = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let output = heapmin_in(repository, &["check", "--only", "heapmin.exported"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The adapters are built for Linux only.
#[cfg(target_os = "linux")]
#[test]
fn a_profile_judges_a_known_library_and_does_not_replace_it() {
    let only = ["--only", "heapmin.exported", "--format", "json"];
    let output = heapmin(&[&["check", "glibc", "--profile", "reference"], &only[..]].concat());
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let candidate = &report["candidates"][0];
    let path = candidate["path"].as_str().unwrap();
    assert!(path.ends_with("libglibc.so"), "{path}");
    assert_eq!(candidate["profile"], "reference");
}

#[test]
fn a_report_in_a_file_has_no_escape_sequences() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report.txt");
    let output = heapmin(&[
        "check",
        "--only",
        "heapmin.exported",
        "--output",
        path.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty());
    let report = std::fs::read_to_string(path).unwrap();
    assert!(
        report.contains("heapmin.exported") && !report.contains('\u{1b}'),
        "{report}"
    );
}

/// With --verbose each clause has its row with the reason.
#[test]
fn a_library_of_three_routines_has_a_report_of_one_screen() {
    let library = candidate("three_routines");
    // Its faults are not the subject here, and blocks of 4 GiB need the memory.
    let skipped = [
        "--skip",
        "malloc.large-blocks",
        "--skip",
        "heapmin.failure*",
        "--skip",
        "heapmin.unsupported-os",
    ];
    let report = |more: &[&str]| {
        let output = heapmin(&[&["check", library], &skipped[..], more].concat());
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = report(&[]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.len() <= 24, "{text}");
    let lacking = "the library does not export _heapchk, _msize, calloc, realloc, ";
    let lacking: Vec<_> = lines.iter().filter(|it| it.starts_with(lacking)).collect();
    assert_eq!(lacking.len(), 1, "{text}");
    let judged = json(&heapmin(
        &[&["check", library, "--format", "json"], &skipped[..]].concat(),
    ));
    let judged = &judged["candidates"][0]["judged"];
    let number = |field: &str| judged[field].as_u64().unwrap();
    let (clauses, applicable) = (number("clauses"), number("applicable"));
    let missing = applicable - clauses;
    let end = format!(": {missing} clauses were not judged");
    assert!(lacking[0].ends_with(&end), "{end}\n{text}");
    let end = format!("; judged {clauses} of {applicable} clauses that apply");
    assert!(lines.last().unwrap().ends_with(&end), "{end}\n{text}");
    assert!(report(&["--verbose"]).contains(" recalloc.exported "));
}

#[rstest]
#[case::all(&[], 1)]
#[case::without_the_two(&["--skip", "heapmin.success-returns-zero", "--skip", "heapmin.failure-returns-minus-one"], 0)]
#[case::without_one(&["--skip", "heapmin.success-returns-zero"], 0)]
#[case::only_others(&["--only", "malloc.*"], 0)]
#[case::with_one_fault(&["--fault", "succeeds"], 0)]
fn a_run_that_judges_no_result_of_heapmin_fails_unless_it_left_them_out(
    #[case] arguments: &[&str],
    #[case] status: i32,
) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("decorated.toml");
    let entry = "[[known]]\nclause = 'heapmin.exported'\nwhy = 'decorated'\n";
    std::fs::write(&path, entry).unwrap();
    let gate = ["--format", "json", "--expected", path.to_str().unwrap()];
    let check = ["check", candidate("decorated")];
    let output = heapmin(&[&check, &gate[..], arguments].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    let complaint = "this run says nothing about _heapmin: none of heapmin.success-returns-zero, heapmin.failure-returns-minus-one was judged (the library does not export _heapmin)";
    assert_eq!(said.contains(complaint), status == 1, "{said}");
}

#[rstest]
#[case::judged("three_routines", "malloc.zero-size", "must", None)]
#[case::lacking(
    "three_routines",
    "calloc.zero-size",
    "must",
    Some("the library does not export calloc: calloc.zero-size")
)]
#[case::no_errno(
    "errno_has_no_place",
    "malloc.success-keeps-errno",
    "must",
    Some("cannot locate the library's errno: malloc.success-keeps-errno")
)]
#[case::another_level("returns_zero", "heapmin.recovers", "must", None)]
#[case::never_reached(
    "returns_zero",
    "heapmin.recovers",
    "should",
    Some(
        "the fault was never reached: _heapmin made no system call that releases memory: heapmin.recovers"
    )
)]
#[case::lower_level_too(
    "three_routines",
    "calloc.zero-size",
    "should",
    Some("the library does not export calloc: calloc.zero-size")
)]
#[case::not_applicable("three_routines", "get-heap-handle.*", "should", None)]
#[case::recorded("three_routines", "heapmin.doserrno", "should", None)]
fn must_judge_fails_for_a_clause_of_the_level_that_was_not_judged(
    #[case] library: &str,
    #[case] clause: &str,
    #[case] level: &str,
    #[case] cause: Option<&str>,
) {
    let check = ["check", candidate(library), "--format", "json"];
    let only = ["--only", clause, "--must-judge", level];
    let output = heapmin(&[&check[..], &only].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(cause.is_some().into()), "{said}");
    match cause {
        None => assert_eq!(said, ""),
        Some(cause) => {
            let end = format!(": --must-judge {level}: not judged: {cause}\n");
            assert!(said.ends_with(&end), "{said}");
        }
    }
    // Without the option, such a clause fails nothing.
    assert_eq!(
        heapmin(&[&check[..], &only[..2]].concat()).status.code(),
        Some(0)
    );
}

#[test]
fn must_judge_refuses_the_level_that_is_only_recorded() {
    let output = heapmin(&["check", "--must-judge", "record"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_promises_of_a_release_can_be_judged_and_compared() {
    let output = heapmin(&[
        "check",
        "--only",
        "errno",
        "--promises",
        "2026.1",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(0));
    let report = json(&output);
    assert_eq!(report["options"]["promises"], "2026.1");
    assert_eq!(report["specification"], "2026.1");
    let since = heapmin(&["list", "--changed-since", "2026.1"]);
    assert_eq!(since.status.code(), Some(0));
    let unknown = heapmin(&["check", "--promises", "2025.9"]);
    assert_eq!(unknown.status.code(), Some(2));
    let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        said.contains("no release of the promises is called 2025.9"),
        "{said}"
    );
}
