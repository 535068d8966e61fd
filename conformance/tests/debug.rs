//! `heapmin debug`: one case under gdb or another tool, stopped right before the deviation.
//!
//! A tool that is not on this machine is skipped, and the run says so. With
//! HEAPMIN_REQUIRE=all, gdb, strace and Wine are required.
#![cfg(target_os = "linux")]

mod required;

use heapmin_test_libraries::{MUTANTS, STAND_IN, candidate};
use required::{has, skip};
use rstest::rstest;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// `heapmin debug` in a folder of its own, without the user's settings for debuggers.
fn debug_in(folder: &Path, arguments: &[&str], commands: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.arg("debug").args(arguments).current_dir(folder);
    command.env("HOME", folder).env_remove("DEBUGINFOD_URLS");
    with_input(command.env("LC_ALL", "C"), commands)
}

/// Starts a command and writes a text to its standard input.
fn with_input(command: &mut Command, text: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    // A tool that reads no commands closes the pipe.
    let _ = stdin.write_all(text.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

/// What a session printed: standard output, and standard error. Its status is 0.
fn session(arguments: &[&str], commands: &str) -> (String, String) {
    let folder = TempDir::new().expect("a folder");
    let output = debug_in(folder.path(), arguments, commands);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    (out, err)
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Checks that a text has each of these words, in this order.
#[track_caller]
fn has_in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let Some(at) = rest.find(word) else {
            panic!("{word:?} is missing in {text}");
        };
        rest = &rest[at + word.len()..];
    }
}

/// Without line breaks, which depend on the length of a path.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Prints the host's `errno`. At the stop, the language of the frame is Rust.
const ERRNO: &str = "\
set language c
printf \"errno is %d.\\n\", *(int *)((long (*)(void)) __errno_location)()
";

#[test]
fn gdb_stops_right_before_the_call_that_deviates() {
    if !has("gdb") {
        return;
    }
    let library = candidate("sets_errno_on_success");
    let into = "tbreak *$rax\ncontinue\ninfo symbol $pc\n";
    let commands = format!("{ERRNO}{into}finish\n{ERRNO}delete\ncontinue\n");
    let (out, err) = session(&["heapmin.success-keeps-errno", library], &commands);
    // The seventh call is the first with another errno than 0. The library sets it to 0.
    has_in_order(
        &out,
        &[
            "received signal SIGTRAP",
            "errno is 2.",
            "_heapmin in section .text of ",
            "libsets_errno_on_success.so",
            "errno is 0.",
            "exited normally",
        ],
    );
    assert_eq!(out.matches("SIGTRAP").count(), 1, "{out}");
    let err = on_one_line(&err);
    for wanted in [
        "observed fail: errno was ENOENT (2) before a successful call and 0 after it",
        "in the step \"_heapmin, errno 2, last error 0\", in call 7 of the case, _heapmin()",
        "stops right before that call",
        "try tbreak *$rax",
        "the case came to its end",
    ] {
        assert!(err.contains(wanted), "{wanted}: {err}");
    }
}

#[test]
fn after_the_stop_a_crash_is_shown_in_the_function_of_the_library() {
    if !has("gdb") {
        return;
    }
    let library = candidate("crashes_in_heapmin");
    let (out, err) = session(&["heapmin", library], "bt 1\ncontinue\nbt 1\n");
    has_in_order(
        &out,
        &[
            "received signal SIGTRAP",
            "#0",
            "breakpoint",
            "received signal SIGSEGV",
            "in _heapmin ()",
            "#0",
            "in _heapmin ()",
            "libcrashes_in_heapmin.so",
        ],
    );
    let err = on_one_line(&err);
    assert!(err.contains("observed crash: killed by SIGSEGV"), "{err}");
    let end = "the process ended in the step \"_heapmin, errno 0, last error 0\" before";
    assert!(err.contains(end), "{err}");
}

#[test]
fn a_library_that_dies_at_loading_is_not_loaded_at_the_stop() {
    if !has("gdb") {
        return;
    }
    let library = candidate("crashes_on_load");
    let (out, err) = session(
        &["heapmin.exported", library],
        "info sharedlibrary\ncontinue\n",
    );
    has_in_order(&out, &["SIGTRAP", "libc.so", "Continuing", "SIGABRT"]);
    let (before, _) = out.split_once("Continuing").expect("it went on");
    assert!(!before.contains("libcrashes_on_load.so"), "{before}");
    assert!(err.contains("before the library is loaded"), "{err}");
}

#[test]
fn faults_and_threads_do_not_stop_the_debugger() {
    if !has("gdb") {
        return;
    }
    let library = candidate("gives_up_after_refusal");
    let arguments = ["heapmin", library];
    let (out, err) = session(&arguments, "info symbol $rax\ncontinue\n");
    has_in_order(
        &out,
        &[
            "SIGTRAP",
            "_heapmin in section .text of ",
            "exited normally",
        ],
    );
    assert!(!out.contains("received signal SIGSYS"), "{out}");
    assert!(on_one_line(&err).contains("case fault-"), "{err}");

    let mutant = MUTANTS
        .iter()
        .find(|it| it.breaks.contains(&"heapmin.errno-per-thread"));
    let library = mutant.expect("a mutant breaks the clause").path;
    let arguments = ["heapmin.errno-per-thread", library];
    let (out, _) = session(&arguments, "info symbol $rax\nthread\ncontinue\n");
    has_in_order(
        &out,
        &[
            "SIGTRAP",
            "_heapmin in section .text of ",
            "thread is 2 ",
            "exited normally",
        ],
    );
}

#[test]
fn keep_going_runs_to_the_end_or_to_the_crash() {
    if !has("gdb") {
        return;
    }
    let library = candidate("crashes_in_heapmin");
    let (out, err) = session(&["heapmin", library, "--keep-going"], "bt 1\n");
    has_in_order(&out, &["SIGSEGV", "#0", "in _heapmin ()"]);
    assert!(!out.contains("SIGTRAP"), "{out}");
    assert!(err.contains("stops     nowhere"), "{err}");
    let library = candidate("sets_errno_on_success");
    let (out, _) = session(&["heapmin", library, "--keep-going"], "");
    assert!(
        out.contains("exited normally") && !out.contains("SIGTRAP"),
        "{out}"
    );
}

#[test]
fn a_named_case_that_does_not_deviate_stops_before_its_first_step() {
    if !has("gdb") {
        return;
    }
    let library = candidate("crashes_in_heapmin");
    let arguments = ["heapmin.exported", library, "--case", "load"];
    let (out, err) = session(&arguments, "info sharedlibrary\ncontinue\n");
    has_in_order(
        &out,
        &["SIGTRAP", "libcrashes_in_heapmin.so", "exited normally"],
    );
    assert!(err.contains("before the first step of the case"), "{err}");
}

#[test]
fn only_the_probe_has_the_library_preloaded_and_the_limit() {
    if !has("gdb") {
        return;
    }
    let case = "process-address-limit-640-preloaded";
    let arguments = [
        "process.usable-under-address-limit",
        STAND_IN,
        "--preload",
        "--case",
        case,
    ];
    let file = Path::new(STAND_IN).file_name().expect("a file");
    let file = file.to_str().expect("a plain name");
    let commands = format!(
        "\
shell grep -c {file} /proc/$PPID/maps
shell ulimit -v
info sharedlibrary
python print(open(f'/proc/{{gdb.selected_inferior().pid}}/limits').read())
continue
"
    );
    let (out, _) = session(&arguments, &commands);
    has_in_order(&out, &["SIGTRAP", "unlimited", file, "exited normally"]);
    let (before, _) = out.split_once("unlimited").expect("gdb has no limit");
    assert!(before.ends_with("(gdb) 0\n(gdb) "), "{before}");
    // A gdb without Python does not read the limit.
    let is_limited = on_one_line(&out).contains("Max address space 671088640");
    assert!(is_limited || !out.contains("Max address space"), "{out}");
}

#[test]
fn a_command_of_the_user_runs_the_probe_without_a_stop() {
    if has("gdb") {
        let library = candidate("crashes_in_heapmin");
        let with = "gdb --batch -ex run -ex bt --args";
        let (out, _) = session(&["heapmin", library, "--with", with], "");
        has_in_order(
            &out,
            &[
                "SIGSEGV",
                "#0",
                "in _heapmin ()",
                "libcrashes_in_heapmin.so",
            ],
        );
        assert!(!out.contains("SIGTRAP"), "{out}");
    }
    let library = candidate("sets_errno_on_success");
    if has("strace") {
        let (_, err) = session(&["heapmin", library, "--with", "strace -f"], "");
        has_in_order(
            &err,
            &["execve(", "libsets_errno_on_success.so", "exited with 0"],
        );
        assert!(!err.contains("SIGTRAP"), "{err}");
        let err = on_one_line(&err);
        assert!(err.contains("in call 7 of the case, _heapmin()"), "{err}");
        assert!(err.ends_with("the case came to its end"), "{err}");
    }
    if has("valgrind") {
        let library = candidate("crashes_in_heapmin");
        let (_, err) = session(&["heapmin", library, "--with", "valgrind -q"], "");
        has_in_order(&err, &["Invalid write", "_heapmin (in", "SIGSEGV"]);
    }
}

/// What the debugger or the system says of a core file.
#[rstest]
#[case::crash("crashes_in_heapmin", "in _heapmin ()", "SIGSEGV")]
#[case::deviation("sets_errno_on_success", "breakpoint", "SIGTRAP")]
fn a_core_file_is_kept_and_found(
    #[case] library: &str,
    #[case] function: &str,
    #[case] signal: &str,
) {
    let folder = TempDir::new().expect("a folder");
    let library = candidate(library);
    let output = debug_in(
        folder.path(),
        &["heapmin.success-keeps-errno", library, "--keep-core"],
        "",
    );
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{err}");
    let pattern = fs::read_to_string("/proc/sys/kernel/core_pattern").expect("Linux has it");
    if let Some(receiver) = pattern.strip_prefix('|') {
        let name = receiver.split(' ').next().expect("a first word").trim();
        assert!(
            err.contains(&format!("passes core files to {name}")),
            "{err}"
        );
        return;
    }
    let line = err.lines().find(|line| line.starts_with("core file: "));
    let line = line.unwrap_or_else(|| panic!("no core file: {err}"));
    let (_, command) = line.split_once("to open it: ").expect("a command");
    if has("gdb") {
        let words: Vec<&str> = command.split(' ').collect();
        let mut gdb = Command::new(words[0]);
        gdb.args(["--batch", "-ex", "bt 1"]).args(&words[1..]);
        let (out, _) = texts(&gdb.env("HOME", folder.path()).output().expect("gdb starts"));
        has_in_order(&out, &[signal, "#0", function]);
    }
}

#[test]
fn a_debugger_that_is_missing_is_named_with_the_command_that_installs_it() {
    let folder = TempDir::new().expect("a folder");
    let library = candidate("crashes_in_heapmin");
    for (more, wanted, mend) in [
        (
            &[][..],
            "gdb and lldb were not found",
            "`apt-get install gdb`",
        ),
        (
            &["--debugger", "lldb"],
            "lldb was not found",
            "`apt-get install lldb`",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_heapmin"))
            .args(["debug", "heapmin", library])
            .args(more)
            .env("PATH", folder.path())
            .output()
            .expect("the program starts");
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains(wanted) && err.contains(mend), "{err}");
        // Nothing was run before that.
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[rstest]
#[case::tool(&["heapmin", "--with", "no-such-tool -x"], "no-such-tool cannot be started")]
#[case::wine(&["heapmin", "--debugger", "winedbg"], "winedbg cannot debug this library here")]
#[case::clause(&["heapmin.exportet", "--with", "true"], "did you mean heapmin.exported?")]
#[case::case(&["heapmin.exported", "--with", "true", "--case", "loat"], "did you mean load?")]
#[case::kept(&["heapmin.exported", "--with", "true"], "name it: --case load")]
#[case::two(&["heapmin", "--with", "true", "--keep-core"], "cannot be used with")]
fn a_session_that_cannot_be_is_refused(#[case] arguments: &[&str], #[case] wanted: &str) {
    let folder = TempDir::new().expect("a folder");
    let library = candidate("crashes_in_heapmin");
    let mut all = vec![arguments[0], library];
    all.extend(&arguments[1..]);
    let output = debug_in(folder.path(), &all, "");
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains(wanted), "{err}");
}

#[test]
fn the_files_of_a_session_are_removed() {
    let folder = TempDir::new().expect("a folder");
    let library = candidate("sets_errno_on_success");
    let status = Command::new(env!("CARGO_BIN_EXE_heapmin"))
        .args(["debug", "heapmin", library, "--with", "true"])
        .env("TMPDIR", folder.path())
        .status()
        .expect("the program starts");
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
}

#[test]
fn winedbg_stops_right_before_the_call_that_deviates() {
    // Wine's own _recalloc sets errno when it frees the block.
    let arguments = ["recalloc.zero-size-gives-null", "ucrtbase"];
    let commands = "cont\nbreak *$rax\ncont\nbt\nquit\n";
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.arg("debug").args(arguments);
    let (out, err) = texts(&with_input(&mut command, commands));
    if err.contains("was not found") {
        return skip(&err);
    }
    assert!(err.contains("right before that call"), "{err}");
    has_in_order(
        &out,
        &[
            "WineDbg starting",
            "Stopped on breakpoint 1",
            "_recalloc",
            "in ucrtbase",
            "Backtrace:",
            "_recalloc(",
        ],
    );
}

#[test]
fn control_c_is_for_the_debugger() {
    let library = candidate("sets_errno_on_success");
    // Two signals within a second count as one.
    let with = "sh -c 'kill -INT $PPID; sleep 1.5; kill -INT $PPID; sleep 0.5' sh";
    let (_, err) = session(&["heapmin", library, "--with", with], "");
    assert!(err.contains("the probe did not start"), "{err}");
}
