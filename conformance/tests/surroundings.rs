//! The surroundings of a run: signals, output that cannot be written, other runs
//! at the same time, and a busy machine.
#![cfg(target_os = "linux")]

mod waiting;

use heapmin_test_libraries::{HOSTILE, candidate};
use rstest::rstest;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::Instant;
use tempfile::TempDir;
use waiting::{SOON, wait_until};

const HEAPMIN: &str = env!("CARGO_BIN_EXE_heapmin");

fn hostile(name: &str) -> &'static str {
    let mut all = HOSTILE.iter();
    all.find(|it| it.name == name)
        .expect("the library was built")
        .path
}

/// Processes that have this folder in their environment, other than this one.
fn processes_with(folder: &Path) -> Vec<i32> {
    let mark = folder.as_os_str().as_bytes();
    let entries = fs::read_dir("/proc").expect("Linux has it").flatten();
    let has_mark = |entry: &fs::DirEntry| {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.windows(mark.len()).any(|part| part == mark)
    };
    entries
        .filter(has_mark)
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// A run on the reference and on a library that hangs; returns once it hangs.
fn hanging_run(folder: &Path, format: &str) -> Child {
    let child = Command::new(HEAPMIN)
        .args(["check", "--format", format, "--profile", "reference"])
        .args(["--only", "heapmin.empty-heap", "--only", "heapmin.exported"])
        .args(["--jobs", "1", "--timeout", "600"])
        .args(["reference", hostile("loops_with_all_signals_blocked")])
        .env("TMPDIR", folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // The fourth case is the first that hangs. It uses processor time; the others
    // end at once.
    let ticks = |pid: &i32| -> u64 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<_> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        fields.get(12).and_then(|it| it.parse().ok()).unwrap_or(0)
    };
    let own = child.id() as i32;
    wait_until("a probe hangs", || {
        let others = processes_with(folder).into_iter().filter(|pid| *pid != own);
        others.into_iter().any(|pid| ticks(&pid) > 50)
    });
    child
}

fn signal(child: &Child, signal: i32) {
    // SAFETY: the child was not waited for, so its id is still its own.
    let sent = unsafe { libc::kill(child.id() as libc::pid_t, signal) };
    assert_eq!(sent, 0);
}

#[rstest]
#[case(libc::SIGINT, 130)]
#[case(libc::SIGTERM, 143)]
#[case(libc::SIGHUP, 129)]
fn a_signal_ends_the_run_and_the_report_has_the_finished_cases(
    #[case] which: i32,
    #[case] status: i32,
) {
    let folder = TempDir::new().expect("a folder");
    let child = hanging_run(folder.path(), "human");
    // Twice, as `timeout` does: to the process, and to its group.
    signal(&child, which);
    signal(&child, which);
    let start = Instant::now();
    let Output {
        status: ended,
        stdout,
        stderr,
    } = child.wait_with_output().expect("it ends");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    let (stdout, stderr) = (
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    assert_eq!(ended.code(), Some(status), "{stderr}");
    assert!(stdout.contains("reference: 2 pass"), "{stdout}");
    assert!(
        stderr.contains("interrupted: 3 of 4 cases were run"),
        "{stderr}"
    );
    wait_until("no probe is left", || {
        processes_with(folder.path()).is_empty()
    });
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_json_report_is_complete_json_after_a_signal() {
    let folder = TempDir::new().expect("a folder");
    let child = hanging_run(folder.path(), "json");
    signal(&child, libc::SIGINT);
    let output = child.wait_with_output().expect("it ends");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let count = |index: usize| {
        report["candidates"][index]["results"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!((count(0), count(1)), (Some(2), Some(1)));
}

#[test]
fn probes_end_when_the_harness_is_killed() {
    let folder = TempDir::new().expect("a folder");
    let mut child = hanging_run(folder.path(), "human");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    wait_until("no probe is left", || {
        processes_with(folder.path()).is_empty()
    });
}

fn short_check() -> Command {
    let mut command = Command::new(HEAPMIN);
    command.args(["check", "--only", "heapmin.exported"]);
    command
}

#[test]
fn a_pipe_that_is_closed_early_ends_silently_with_the_status_of_the_run() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = short_check().stdout(writer).stderr(Stdio::piped()).output();
    let output = output.expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*stderr), (Some(0), ""));
}

#[rstest]
#[case(&[])]
#[case(&["--format", "json"])]
fn standard_output_on_a_full_disk_is_an_error(#[case] arguments: &[&str]) {
    let full = File::options().write(true).open("/dev/full");
    let output = short_check()
        .args(arguments)
        .stdout(full.expect("Linux has it"))
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("standard output cannot be written"),
        "{stderr}"
    );
}

#[test]
fn the_report_goes_to_standard_output_if_its_file_is_on_a_full_disk() {
    let output = short_check().args(["--output", "/dev/full"]).output();
    let output = output.expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("/dev/full cannot be written"), "{stderr}");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("reference: 1 pass"), "{stdout}");
}

#[test]
fn the_report_is_complete_if_standard_error_is_on_a_full_disk() {
    let full = File::options().write(true).open("/dev/full");
    let output = short_check()
        .args(["--format", "json", "no-such-library.so", "reference"])
        .stderr(full.expect("Linux has it"))
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(verdicts(&output.stdout).len(), 1);
}

#[test]
fn a_missing_folder_for_temporary_files_is_reported_once() {
    let output = short_check().env("TMPDIR", "/no/such/folder").output();
    let output = output.expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("/no/such/folder"), "{stderr}");
    assert!(stderr.contains("TMPDIR"), "{stderr}");
}

#[test]
fn a_report_never_overwrites_a_file_that_the_run_reads() {
    let folder = TempDir::new().expect("a folder");
    let list = folder.path().join("expected.toml");
    fs::write(&list, "# mine\n").expect("it can be written");
    let library = folder.path().join("lib.so");
    fs::copy(heapmin_test_libraries::SOUND, &library).expect("it can be copied");
    for over in [&list, &library] {
        let before = fs::read(over).expect("it is there");
        let output = short_check()
            .arg(&library)
            .arg("--expected")
            .arg(&list)
            .arg("--output")
            .arg(over)
            .output()
            .expect("it starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("--output would overwrite"), "{stderr}");
        assert!(fs::read(over).expect("it is there") == before);
    }
}

/// Clause, case and verdict of each result.
fn verdicts(stdout: &[u8]) -> Vec<[String; 3]> {
    let report: serde_json::Value = serde_json::from_slice(stdout).expect("it is JSON");
    let results = report["candidates"][0]["results"].as_array();
    let of = |it: &serde_json::Value| {
        ["clause", "case", "verdict"].map(|key| it[key].as_str().unwrap_or_default().to_owned())
    };
    results.expect("a list").iter().map(of).collect()
}

/// The verdicts on the reference, with the words in `front` before the command.
fn verdicts_with(front: &[&str]) -> Vec<[String; 3]> {
    let mut words = front.iter().copied().chain([HEAPMIN]);
    let output = Command::new(words.next().expect("at least the command itself"))
        .args(words)
        .args([
            "check",
            "--format",
            "json",
            "--only",
            "heapmin.*",
            "--only",
            "malloc.*",
        ])
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    verdicts(&output.stdout)
}

#[test]
fn verdicts_do_not_depend_on_other_runs_on_one_core_or_on_low_priority() {
    let alone = verdicts_with(&[]);
    let beside: Vec<_> = thread::scope(|scope| {
        let fronts: [&[&str]; 3] = [&[], &["nice", "-n", "19"], &["taskset", "-c", "0"]];
        let runs = fronts.map(|front| scope.spawn(move || verdicts_with(front)));
        runs.map(|run| run.join().expect("it does not panic"))
            .into()
    });
    for other in beside {
        assert_eq!(alone, other);
    }
}

/// The program that starts a run, such as `make`, may leave descriptors open in it.
#[test]
fn a_candidate_cannot_use_descriptors_that_heapmin_inherited() {
    let folder = TempDir::new().unwrap();
    let inherited = folder.path().join("inherited");
    let status = Command::new("sh")
        .args(["-c", "exec 9>\"$1\"; shift; exec \"$@\"", "sh"])
        .arg(&inherited)
        .args([HEAPMIN, "check", "--only", "heapmin.success-returns-zero"])
        .arg(candidate("prints_everywhere"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("the shell starts");
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read_to_string(&inherited).unwrap(), "");
}
