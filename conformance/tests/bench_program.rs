//! The command `heapmin bench -- PROGRAM`. The tests do not judge times.
#![cfg(target_os = "linux")]

mod refused;

mod waiting;

use heapmin_test_libraries::{CANDIDATES, PROGRAMS, STAND_IN};
use refused::is_refused;
use rstest::rstest;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use waiting::wait_until;

const HEAPMIN: &str = env!("CARGO_BIN_EXE_heapmin");

fn bench(arguments: &[&str], program: &[&str]) -> Output {
    let mut command = Command::new(HEAPMIN);
    command.args(["bench", "--repeat", "2"]).args(arguments);
    command.arg("--").args(program);
    command.output().expect("the program starts")
}

fn path_of(name: &str) -> &'static str {
    let mut all = PROGRAMS.iter();
    let (_, path) = all.find(|(it, _)| *it == name).expect("it was built");
    path
}

/// The results of a program on the reference and on glibc.
#[track_caller]
fn results(program: &[&str], status: i32) -> Vec<Value> {
    let output = bench(&["reference", "glibc", "--format", "json"], program);
    assert_eq!(output.status.code(), Some(status), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert_eq!(report["schema"], 1);
    assert_eq!(report["program"]["command"], serde_json::json!(program));
    assert_eq!(report["setting"]["candidates"][0]["name"], "reference");
    let results = report["program"]["results"].as_array().expect("a list");
    let names: Vec<_> = results.iter().map(|row| &row["candidate"]).collect();
    assert_eq!(names, ["reference", "glibc"]);
    results.clone()
}

#[track_caller]
fn median(result: &Value, figure: &str) -> f64 {
    let median = result["figures"][figure]["median"].as_f64();
    median.unwrap_or_else(|| panic!("{figure}: {result}"))
}

/// The program holds 64 MiB at its first stop, and frees and releases them before its
/// second.
#[test]
fn the_most_memory_and_the_memory_at_the_last_stop_are_measured() {
    for result in results(&[path_of("releases")], 0) {
        assert!(median(&result, "time_ms") > 0.0);
        let (most, at_stop) = (
            median(&result, "most_resident_mib"),
            median(&result, "at_stop_mib"),
        );
        assert!((64.0..96.0).contains(&most), "{result}");
        assert!((0.01..8.0).contains(&at_stop), "{result}");
    }
}

/// The system also counts the memory that the process has before it starts the program: a
/// copy of heapmin's.
#[test]
fn the_most_memory_of_a_small_program_is_its_own() {
    for result in results(&["true"], 0) {
        let most = median(&result, "most_resident_mib");
        assert!((0.5..8.0).contains(&most), "{result}");
        assert!(result["figures"]["at_stop_mib"].is_null(), "{result}");
    }
}

#[test]
fn the_most_memory_of_a_child_process_counts_and_its_stop_does_not() {
    // The shell waits for its child, and continues it.
    let script = "\"$0\" & child=$!; while kill -CONT $child 2>/dev/null; do sleep 0.01; done; \
                  wait $child";
    for result in results(&["sh", "-c", script, path_of("releases")], 0) {
        assert!(median(&result, "most_resident_mib") > 64.0, "{result}");
        assert!(result["figures"]["at_stop_mib"].is_null(), "{result}");
    }
}

#[test]
fn the_program_runs_on_the_preloaded_allocator_and_on_no_other() {
    let preloaded = "grep -q libheapmin_crt /proc/self/maps";
    let script = format!(
        "case $LD_PRELOAD in *heapmin_crt*) {preloaded};; '') ! {preloaded};; *) false;; esac"
    );
    let mut command = Command::new(HEAPMIN);
    command.args(["bench", "--repeat", "1", "reference", "glibc", "--"]);
    command.args(["sh", "-c", &script]);
    // It must not reach the program: heapmin's own allocator is no candidate.
    command.env("LD_PRELOAD", STAND_IN);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_program_that_fails_under_one_allocator_is_reported_with_what_it_printed() {
    let script = "test -z \"$LD_PRELOAD\" || { echo torn apart >&2; exit 3; }";
    let results = results(&["sh", "-c", script], 1);
    assert_eq!(results[0]["problem"], "it exited with status 3");
    assert!(median(&results[1], "time_ms") > 0.0);
    let output = bench(&["reference", "glibc"], &["sh", "-c", script]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("reference: it exited with status 3"),
        "{error}"
    );
    assert!(error.contains("torn apart"), "{error}");
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("it exited with status 3"), "{table}");
}

#[rstest]
#[case("echo worn out >&2; exit 7", &["exited with status 7", "worn out", "--timeout"])]
#[case("kill -SEGV $$", &["killed by SIGSEGV"])]
#[case("sleep 600", &["did not end within 1 s"])]
fn a_program_that_fails_by_itself_is_refused(#[case] script: &str, #[case] words: &[&str]) {
    let output = bench(&["glibc", "--timeout", "1"], &["sh", "-c", script]);
    is_refused(
        &output,
        &[words, &["sh fails on the system's heap"]].concat(),
    );
}

#[rstest]
#[case("no-such-program", &["no-such-program: no such program"])]
#[case("/no/such/program", &["/no/such/program: no such program"])]
#[case("/etc/passwd", &["/etc/passwd is not a program", "chmod +x"])]
#[case("/etc", &["/etc is not a program"])]
fn a_file_that_is_no_program_is_refused(#[case] name: &str, #[case] words: &[&str]) {
    is_refused(&bench(&["glibc"], &[name]), words);
}

#[rstest]
#[case("is_static", "it is linked statically")]
#[case("has_own_malloc", "it has its own malloc")]
fn a_program_on_which_a_preloaded_library_has_no_effect_is_refused(
    #[case] name: &str,
    #[case] why: &str,
) {
    let words = ["LD_PRELOAD has no effect on", name, why];
    is_refused(&bench(&["glibc"], &[path_of(name)]), &words);
    // The same for the interpreter of a script.
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script");
    fs::write(&script, format!("#!{}\n", path_of(name))).expect("it can be written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let script = script.to_str().expect("UTF-8");
    is_refused(&bench(&["glibc"], &[script]), &words);
}

#[test]
fn a_program_that_runs_as_another_user_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy");
    fs::copy(path_of("releases"), &copy).expect("it can be copied");
    // Only root may do this.
    if chown(&copy, Some(65_534), None).is_err() {
        eprintln!("skipped: run as root to make a program of another user");
        return;
    }
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).expect("root may do it");
    let output = bench(&["glibc"], &[copy.to_str().expect("UTF-8")]);
    is_refused(&output, &["LD_PRELOAD has no effect on", "set-user-id"]);
}

#[test]
fn a_library_that_the_loader_does_not_load_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    // The loader splits LD_PRELOAD at a space.
    let library = folder.path().join("two words.so");
    fs::copy(CANDIDATES[0].1, &library).expect("it can be copied");
    let output = bench(&[library.to_str().expect("UTF-8")], &["true"]);
    is_refused(&output, &["does not load", "two words.so", "no space"]);
}

#[rstest]
#[case(&["--only", "day"])]
#[case(&["--trace", "x.trace"])]
#[case(&["--plots", "."])]
fn options_of_the_benches_are_refused(#[case] options: &[&str]) {
    is_refused(
        &bench(options, &["true"]),
        &["cannot be used with", options[0]],
    );
}

#[test]
fn tables_are_written() {
    let output = bench(
        &["reference", "--format", "markdown"],
        &["sh", "-c", "kill -STOP $$"],
    );
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(
        table.contains("## program: sh -c kill -STOP $$\n"),
        "{table}"
    );
    assert!(table.contains("| allocator | time (ms)"), "{table}");
    assert!(table.contains("\n| reference |"), "{table}");
}

fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !(stat.is_empty() || stat.contains(") Z "))
}

/// A shell that starts a child, writes the child's number to `place` and runs this command.
fn shell(place: &Path, then: &str) -> String {
    let place = place.display();
    format!("sleep 600 & echo $! > {place}.new; mv {place}.new {place}; {then}")
}

#[test]
fn ctrl_c_ends_the_program_and_its_children() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("number");
    let mut child = Command::new(HEAPMIN)
        .args(["bench", "glibc", "--", "sh", "-c", &shell(&place, "wait")])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    wait_until("the child runs", || place.exists());
    // SAFETY: the process is not reaped, so it has its number.
    let sent = unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGINT) };
    assert_eq!(sent, 0);
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    let number = fs::read_to_string(&place).expect("it was written");
    wait_until("the child is killed", || !is_alive(number.trim()));
}

#[test]
fn children_that_outlive_the_program_are_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("number");
    let output = bench(&["glibc"], &["sh", "-c", &shell(&place, "exit 0")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let number = fs::read_to_string(&place).expect("it was written");
    wait_until("the child is killed", || !is_alive(number.trim()));
}
