//! `heapmin diff` and `heapmin bisect`: what changed between versions of a library.
#![cfg(target_os = "linux")]

mod program;

use program::heapmin_in;
use rstest::rstest;
use std::fs;
use std::process::Output;
use tempfile::TempDir;

/// A library that keeps `heapmin.success-keeps-errno`, one that breaks it, and one in which it
/// is not judged.
const GOOD: &str = "returns_zero";
const BAD: &str = "sets_errno_on_success";
const UNJUDGED: &str = "fails_as_promised";
const CLAUSE: &str = "heapmin.success-keeps-errno";

/// A folder with these libraries, by these names.
fn folder(libraries: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (name, library) in libraries {
        let path = heapmin_test_libraries::candidate(library);
        fs::copy(path, folder.path().join(name)).expect("the folder can be written");
    }
    folder
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[rstest]
#[case::regressed("good.so", "bad.so", 1, "regressed: ")]
#[case::mended("bad.so", "good.so", 0, "mended: ")]
#[case::lost("good.so", "none.so", 1, "no longer judged: ")]
#[case::newly("none.so", "good.so", 0, "newly judged: ")]
#[case::same(
    "good.so",
    "good.so",
    0,
    "regressed 0, no longer judged 0, mended 0, newly judged 0, another observation 0"
)]
fn two_libraries_are_checked_and_compared(
    #[case] old: &str,
    #[case] new: &str,
    #[case] status: i32,
    #[case] text: &str,
) {
    let folder = folder(&[("good.so", GOOD), ("bad.so", BAD), ("none.so", UNJUDGED)]);
    let path = |name: &str| format!("./{name}");
    let seen = heapmin_in(
        folder.path(),
        &["diff", &path(old), &path(new), "--", "--only", CLAUSE],
    );
    assert_eq!(seen.status.code(), Some(status), "{}", said(&seen));
    assert!(said(&seen).contains(text), "{}", said(&seen));
}

#[test]
fn a_saved_run_is_compared_with_a_library_and_other_options_are_a_warning() {
    let folder = folder(&[("mine.so", GOOD)]);
    let folder = folder.path();
    let save = [
        "check",
        "./mine.so",
        "--only",
        CLAUSE,
        "--format",
        "json",
        "--output",
        "old.json",
    ];
    assert_eq!(heapmin_in(folder, &save).status.code(), Some(0));
    let all = [
        "diff",
        "old.json",
        "./mine.so",
        "--",
        "--only",
        "heapmin.success-*",
    ];
    let seen = heapmin_in(folder, &all);
    let text = said(&seen);
    assert_eq!(seen.status.code(), Some(0), "{text}");
    let warning = format!("warning: options: --only {CLAUSE} before, --only heapmin.success-* now");
    assert!(text.contains(&warning), "{text}");
    let added = "the clause is new in the suite or the selection: heapmin.success-returns-zero";
    assert!(text.contains(added), "{text}");
}

#[test]
fn what_cannot_be_compared_is_refused_with_its_name() {
    let folder = folder(&[]);
    fs::write(folder.path().join("old.json"), "{}").unwrap();
    let seen = heapmin_in(folder.path(), &["diff", "old.json", "new.so"]);
    assert_eq!(seen.status.code(), Some(2));
    assert!(
        said(&seen).contains("old.json is no report of heapmin"),
        "{}",
        said(&seen)
    );
    let seen = heapmin_in(folder.path(), &["diff", "new.so", "old.json"]);
    assert_eq!(seen.status.code(), Some(2));
    assert!(
        said(&seen).contains("new.so cannot be checked: "),
        "{}",
        said(&seen)
    );
}

#[test]
fn the_first_version_that_breaks_a_clause_is_found() {
    let names = ["1.so", "2.so", "3.so", "4.so", "5.so", "6.so"];
    let versions = [UNJUDGED, GOOD, GOOD, UNJUDGED, BAD, BAD];
    let all: Vec<_> = names.into_iter().zip(versions).collect();
    let folder = folder(&all);
    let paths = names.map(|name| format!("./{name}"));
    let mut arguments = vec!["bisect", CLAUSE, "--repeat", "1"];
    arguments.extend(paths.iter().map(String::as_str));
    let seen = heapmin_in(folder.path(), &arguments);
    assert_eq!(seen.status.code(), Some(0), "{}", said(&seen));
    let found = format!(
        "./5.so is the first that breaks {CLAUSE}; ./3.so keeps it (1 between them cannot be judged)\n"
    );
    assert!(said(&seen).contains(&found), "{}", said(&seen));
    let seen = heapmin_in(folder.path(), &["bisect", CLAUSE, "./2.so", "./3.so"]);
    assert_eq!(seen.status.code(), Some(1));
    assert!(said(&seen).contains("no change found: "), "{}", said(&seen));
}

#[rstest]
#[case::keeps("cp good.so mine.so", 0)]
#[case::breaks("cp bad.so mine.so", 1)]
#[case::cannot_be_built("false", 125)]
#[case::builds_nothing("true", 125)]
#[case::not_judged("cp none.so mine.so", 125)]
fn a_build_is_judged_for_git(#[case] build: &str, #[case] status: i32) {
    let folder = folder(&[("good.so", GOOD), ("bad.so", BAD), ("none.so", UNJUDGED)]);
    let arguments = ["bisect", "--build", build, CLAUSE, "./mine.so"];
    let seen = heapmin_in(folder.path(), &arguments);
    assert_eq!(seen.status.code(), Some(status), "{}", said(&seen));
}

#[rstest]
#[case::one(&["bisect", CLAUSE, "a.so"], "one version has no other")]
#[case::two_builds(&["bisect", "--build", "true", CLAUSE, "a.so", "b.so"], "--build is for one library")]
#[case::no_clause(&["bisect", "heapmin.nothing", "a.so", "b.so"], "no clause is called heapmin.nothing")]
fn a_wrong_search_is_refused(#[case] arguments: &[&str], #[case] problem: &str) {
    let seen = heapmin_in(folder(&[]).path(), arguments);
    assert_eq!(seen.status.code(), Some(2));
    assert!(said(&seen).contains(problem), "{}", said(&seen));
}
