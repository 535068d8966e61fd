//! `heapmin fuzz` finds planted bugs and shrinks their sequences, and finds nothing
//! in sound libraries.
#![cfg(target_os = "linux")]

use heapmin_test_libraries::candidate;
use rstest::rstest;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fuzz(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    let command = command.arg("fuzz").args(arguments);
    command.output().expect("the program starts")
}

fn in_tmp(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // An earlier run of this test may have left it.
    let _ = std::fs::remove_file(&path);
    path
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
#[case::zeros_after_a_smaller_size("recalloc_trusts_its_capacity", "not-zero")]
#[case::over_8_mib("realloc_forgets_bytes_over_8_mib", "lost-bytes")]
#[case::large_alignment("aligns_to_2_mib_at_most", "misaligned")]
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

#[test]
fn a_list_without_a_lock_is_found_by_threads_and_only_by_them() {
    let name = candidate("keeps_small_blocks_without_a_lock");
    let path = in_tmp("fuzz-threads.txt");
    let file = path.to_str().expect("a path");
    let arguments = [name, "--seed", "3", "--steps", "20000", "--save", file];
    let output = fuzz(&arguments);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{report}");
    let saved = std::fs::read_to_string(&path).expect("the sequence was saved");
    // Shortened, with two threads at least.
    let is_step = |line: &&str| !line.starts_with('#');
    let steps = saved.lines().filter(is_step).count();
    assert!((2..=20).contains(&steps), "{saved}");
    assert!(
        saved.contains("\n2: ") || saved.contains("\n3: "),
        "{saved}"
    );
    // Threads meet by chance: the replay tries often, and this test often again.
    let is_found = || fuzz(&[name, "--replay", file]).status.code() == Some(1);
    assert!((0..20).any(|_| is_found()), "{saved}");
    let sound = fuzz(&["reference", "--replay", file]);
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stdout));
    let without = fuzz(&[name, "--seed", "3", "--steps", "4000", "--threads", "1"]);
    assert_eq!(without.status.code(), Some(0), "{}", text(&without.stdout));
}

#[rstest]
#[case::grown_after_expand(
    "a = malloc(1000)\n_expand(a, 600)\na = _recalloc(a, 1, 900)\nfree(a)\n",
    0
)]
#[case::grown_after_recalloc(
    "a = malloc(1000)\na = _recalloc(a, 1, 600)\na = _recalloc(a, 1, 900)\nfree(a)\n",
    1
)]
#[case::grown_into_the_rest_of_the_block(
    "b = malloc(1016)\nfree(b)\na = malloc(1001)\na = _recalloc(a, 1, 1010)\n",
    1
)]
#[case::grown_into_what_msize_counts(
    "b = malloc(1016)\nfree(b)\na = malloc(1001)\n_msize(a)\na = _recalloc(a, 1, 1010)\n",
    0
)]
fn bytes_are_new_to_recalloc_unless_the_caller_still_had_them(
    #[case] sequence: &str,
    #[case] status: i32,
) {
    let path = in_tmp(&format!("fuzz-new-bytes-{}.txt", sequence.len()));
    let content = format!("# heapmin fuzz, version 1\n{sequence}");
    std::fs::write(&path, content).expect("it can be written");
    let arguments = ["--replay", path.to_str().expect("a path")];
    let name = candidate("recalloc_trusts_its_capacity");
    let output = fuzz(&[&[name], &arguments[..]].concat());
    assert_eq!(
        output.status.code(),
        Some(status),
        "{}",
        text(&output.stdout)
    );
    let sound = fuzz(&[&["reference"], &arguments[..]].concat());
    assert_eq!(sound.status.code(), Some(0), "{}", text(&sound.stdout));
}

/// Every form of a line, with blocks that move between threads.
#[test]
fn a_sequence_with_threads_is_replayed() {
    let path = in_tmp("fuzz-handed-over.txt");
    let content = "# heapmin fuzz, version 1
1: a = malloc(24)
2: b = calloc(3, 5)
1: churn(100, 24)
check()
2: free(a)
1: b = _recalloc(b, 4, 6)
1: end()
_heapwalk()
1: c = _aligned_recalloc(c, 1, 1, 16)
1: c = _aligned_malloc(100, 64)
2: c = _aligned_malloc(100, 64)
_heapchk()
2: _aligned_free(c)
1: free(b)
1: _heapmin()
";
    std::fs::write(&path, content).expect("it can be written");
    let output = fuzz(&["reference", "--replay", path.to_str().expect("a path")]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.contains("15 steps, no difference"), "{report}");
}

#[test]
fn a_routine_given_with_without_is_not_called() {
    let path = in_tmp("fuzz-without.txt");
    let file = path.to_str().expect("a path");
    let name = candidate("calloc_does_not_clear");
    let arguments = [name, "--seed", "3", "--steps", "1000", "--save", file];
    let output = fuzz(&[&arguments[..], &["--without", "calloc"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
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
fn a_finding_is_never_written_over() {
    let path = in_tmp("fuzz-kept.txt");
    std::fs::write(&path, "a finding of days").unwrap();
    let file = path.to_str().expect("a path");
    let arguments = [candidate("calloc_does_not_clear"), "--steps", "1000"];
    let output = fuzz(&[&arguments[..], &["--save", file]].concat());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("exists, and may be a finding"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "a finding of days");
    // Without a name, the next free one is taken.
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
        command
            .current_dir(folder.path())
            .arg("fuzz")
            .args(arguments);
        command
            .args(["--seed", "3"])
            .output()
            .expect("the program starts");
    }
    for name in ["heapmin-fuzz-3.txt", "heapmin-fuzz-3-2.txt"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
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
#[case::no_such_thread("# heapmin fuzz, version 1\n9: free(a)\n", "line 2")]
#[case::not_for_a_thread("# heapmin fuzz, version 1\n# ok\n\n1: check()\n", "line 4")]
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
#[case::too_many_threads(&["reference", "--threads", "9"])]
#[case::no_such_routine(&["reference", "--without", "maloc"])]
fn wrong_arguments_end_with_status_2(#[case] arguments: &[&str]) {
    let output = fuzz(arguments);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("panicked"));
}
