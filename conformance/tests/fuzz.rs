//! `heapmin fuzz` finds planted bugs and shrinks their sequences, and finds nothing
//! in sound libraries.
#![cfg(target_os = "linux")]

use rstest::rstest;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fuzz(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    let command = command.arg("fuzz").args(arguments);
    command.output().expect("the program starts")
}

fn candidate(name: &str) -> &'static str {
    let file = format!("lib{name}.so");
    let candidates = heapmin_test_libraries::CANDIDATES.iter();
    let found = candidates.clone().find(|(known, _)| *known == file);
    found.expect("the candidate was built").1
}

fn in_tmp(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The number of calls in a saved sequence.
fn calls(saved: &str) -> usize {
    let lines = saved.lines();
    let lines = lines.filter(|line| !line.starts_with('#') && *line != "check()");
    lines.count()
}

#[rstest]
#[case::msize("msize_one_less", "too-small")]
#[case::realloc("realloc_forgets_the_last_byte", "lost-bytes")]
#[case::calloc("calloc_does_not_clear", "not-zero")]
#[case::crash("crashes_at_a_page", "ended")]
fn a_planted_bug_is_found_shrunk_and_found_again_by_replay(#[case] name: &str, #[case] kind: &str) {
    let path = in_tmp(&format!("fuzz-{name}.txt"));
    let file = path.to_str().expect("a path");
    let arguments = [
        candidate(name),
        "--seed",
        "3",
        "--steps",
        "20000",
        "--save",
        file,
    ];
    let output = fuzz(&arguments);
    let report = text(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{report}{}",
        text(&output.stderr)
    );
    assert!(report.contains(kind), "{report}");
    let saved = std::fs::read_to_string(&path).expect("the sequence was saved");
    assert!((1..=5).contains(&calls(&saved)), "{saved}");
    let again = fuzz(&[candidate(name), "--replay", file]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    assert!(
        text(&again.stdout).contains(kind),
        "{}",
        text(&again.stdout)
    );
    let sound = fuzz(&["reference", "--replay", file]);
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stdout));
}

#[rstest]
#[case::reference("reference")]
#[case::glibc("glibc")]
fn a_sound_library_shows_no_difference(#[case] name: &str) {
    let output = fuzz(&[name, "--seed", "7", "--steps", "2000"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("no difference"));
}

#[test]
fn a_kind_given_with_ignore_is_not_a_finding() {
    let path = in_tmp("fuzz-ignored.txt");
    let file = path.to_str().expect("a path");
    let name = candidate("calloc_does_not_clear");
    let arguments = [name, "--seed", "3", "--steps", "1000", "--save", file];
    let output = fuzz(&[&arguments[..], &["--ignore", "not-zero"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn the_same_seed_gives_the_same_result_with_any_number_of_jobs() {
    let found = |jobs: &str| {
        let path = in_tmp(&format!("fuzz-jobs-{jobs}.txt"));
        let file = path.to_str().expect("a path");
        let name = candidate("msize_one_less");
        fuzz(&[
            name, "--seed", "5", "--steps", "4000", "--jobs", jobs, "--save", file,
        ]);
        std::fs::read_to_string(&path).expect("it was saved")
    };
    assert_eq!(found("1"), found("3"));
}

#[rstest]
#[case::no_header("a = malloc(1)\n", "does not begin with the line")]
#[case::garbled("# heapmin fuzz, version 1\n\na = maloc(1)\n", "line 3")]
#[case::other_slot("# heapmin fuzz, version 1\na = realloc(b, 1)\n", "line 2")]
#[case::empty("# heapmin fuzz, version 1\n", "has no operation")]
fn a_wrong_line_of_a_sequence_is_refused_with_its_number(
    #[case] content: &str,
    #[case] problem: &str,
) {
    let path = in_tmp(&format!("fuzz-garbled-{}.txt", content.len()));
    std::fs::write(&path, content).expect("it can be written");
    let output = fuzz(&["reference", "--replay", path.to_str().expect("a path")]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(
        message.contains(problem) && message.contains("docs/guide/fuzz.md"),
        "{message}"
    );
}

#[rstest]
#[case::no_such_file(&["reference", "--replay", "/no/such/file"])]
#[case::no_such_library(&["/no/such/library.so"])]
#[case::no_such_other(&["reference", "--against", "no-such-name"])]
#[case::no_steps(&["reference", "--steps", "0"])]
fn wrong_arguments_end_with_status_2(#[case] arguments: &[&str]) {
    let output = fuzz(arguments);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("panicked"));
}
