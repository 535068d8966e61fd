//! What loads a library: this system, an emulator, or a command of the user's; and what
//! `heapmin doctor` says of each. A runner that this machine does not have is skipped, and
//! the run says why. With HEAPMIN_REQUIRE=all it fails instead.
#![cfg(target_os = "linux")]

mod program;
mod required;

use program::heapmin;
use required::skip;
use rstest::rstest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn check(arguments: &[&str]) -> (Option<i32>, Value) {
    let json = ["check", "--format", "json"];
    let output = heapmin(&[&json, arguments].concat());
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code(), report)
}

/// The verdicts of a clause.
fn verdicts(report: &Value, clause: &str) -> Vec<String> {
    let results = report["candidates"][0]["results"].as_array();
    let results = results.expect("one candidate was checked").iter();
    let of_clause = results.filter(|result| result["clause"] == clause);
    of_clause
        .map(|result| result["verdict"].as_str().unwrap_or_default().to_owned())
        .collect()
}

const MEMORY: &str = "heapmin.releases-memory";

#[rstest]
#[case::the_same_process("env")]
#[case::a_child("sh -c '\"$@\"; exit $?' sh")]
#[case::a_grandchild("sh -c 'sh -c \"\\\"\\$@\\\"; exit\" sh \"$@\"; exit' sh")]
fn a_command_may_start_the_probe_in_any_process_below_it(#[case] command: &str) {
    let (status, report) = check(&["--runner", command, "--only", MEMORY, "reference"]);
    assert_eq!(status, Some(0), "{report}");
    let verdicts = verdicts(&report, MEMORY);
    assert!(
        !verdicts.is_empty() && verdicts.iter().all(|it| it == "pass"),
        "{report}"
    );
}

#[test]
fn memory_is_not_judged_if_a_control_does_not_see_it_fall() {
    // The probe is a child of the system's first process, so its memory is not measured.
    let away = "sh -c 'exec 3<&0; (\"$@\" <&3 &); exec sleep 9999' sh";
    let arguments = ["--runner", away, "--only", "heapmin.*", "reference"];
    let (_, report) = check(&arguments);
    let all = |clause: &str, verdict: &str| {
        let found = verdicts(&report, clause);
        assert!(
            !found.is_empty() && found.iter().all(|it| it == verdict),
            "{clause}: {found:?}"
        );
    };
    all(MEMORY, "unsupported");
    all("heapmin.releases-partial", "unsupported");
    all("heapmin.success-returns-zero", "pass");
    let text = report.to_string();
    assert!(text.contains("a control"), "{text}");
}

#[rstest]
#[case::not_there("no-such-program", "cannot be started")]
#[case::does_not_start_it("true", "does not start by `true`")]
#[case::an_open_quote("sh -c '", "a quote is not closed")]
#[case::empty("", "the command is empty")]
fn a_command_that_starts_no_probe_is_refused(#[case] command: &str, #[case] why: &str) {
    let output = heapmin(&["check", "--runner", command, "reference"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains(why), "{said}");
}

#[test]
fn wine_that_is_not_there_is_refused() {
    let output = heapmin(&["check", "--wine", "/no/wine", "msvcrt"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("--wine /no/wine"), "{said}");
}

#[test]
fn doctor_lists_each_target_and_what_is_missing() {
    let output = heapmin(&["doctor"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for target in [
        "windows-x86_64",
        "windows-x86",
        "linux-x86",
        "linux-aarch64",
    ] {
        let is_row = |line: &&str| line.split_whitespace().next() == Some(target);
        let row = text.lines().find(is_row);
        let row = row.unwrap_or_else(|| panic!("{target}: {text}"));
        let is_missing = text.contains(&format!("\n  {target}: "));
        assert_eq!(row.contains(" no "), is_missing, "{text}");
    }
}

/// Builds a library of the fixtures for another processor.
fn build(compiler: &[&str], name: &str, folder: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/test-libraries/candidates")
        .join(format!("{name}.c"));
    let library = folder.join(format!("lib{name}.so"));
    let mut command = Command::new(compiler[0]);
    command
        .args(&compiler[1..])
        .args(["-shared", "-fPIC", "-O1", "-pthread", "-o"])
        .arg(&library)
        .arg(source);
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(library),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The headers of the kernel are for 64 bits; Debian has them in this folder.
const FOR_32_BITS: [&str; 4] = ["gcc", "-m32", "-I", "/usr/include/x86_64-linux-gnu"];

#[rstest]
#[case::x86("linux-x86", "gcc-12-multilib", &FOR_32_BITS)]
#[case::aarch64("linux-aarch64", "gcc-aarch64-linux-gnu", &["aarch64-linux-gnu-gcc"])]
fn a_faulty_library_for_another_processor_is_caught(
    #[case] target: &str,
    #[case] package: &str,
    #[case] compiler: &[&str],
) {
    let doctor = heapmin(&["doctor"]);
    let text = String::from_utf8_lossy(&doctor.stdout);
    if let Some(missing) = text.split("\nmissing\n").nth(1)
        && let Some(line) = missing
            .lines()
            .position(|line| line.trim_start().starts_with(&format!("{target}: ")))
    {
        let lines: Vec<_> = missing.lines().skip(line).take(2).collect();
        return skip(&lines.join(" "));
    }
    let folder = tempfile::tempdir().unwrap();
    let faults = [
        ("calloc_does_not_clear", "calloc.zeroed-after-reuse"),
        ("returns_one", "heapmin.success-returns-zero"),
        ("loses_a_byte", "heapmin.preserves-live-blocks"),
    ];
    for (name, clause) in faults {
        let library = match build(compiler, name, folder.path()) {
            Ok(library) => library,
            Err(why) => return skip(&format!("{why}; run `apt-get install {package}`")),
        };
        let path = library.to_str().unwrap();
        let (status, report) = check(&["--only", clause, path]);
        assert_eq!(status, Some(1), "{report}");
        assert!(
            verdicts(&report, clause).contains(&"fail".into()),
            "{name}: {report}"
        );
    }
}
