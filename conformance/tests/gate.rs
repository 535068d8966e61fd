//! The gates for CI systems: the action for GitHub, its example in `fixtures/gate`, and the
//! template for GitLab. Each script runs as its CI system runs it. Without `jq`, which the
//! machines of GitHub have, the tests of the action are skipped; with HEAPMIN_REQUIRE=all they
//! fail instead.
#![cfg(target_os = "linux")]

mod required;

use quick_junit::{Report, TestCaseStatus};
use required::has;
use rstest::rstest;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const HEAPMIN: &str = env!("CARGO_BIN_EXE_heapmin");
/// Clauses of several routines that need little time.
const ONLY: &str = "--only\nheapmin.success-*\n--only\nheapmin.exported\n--only\n_errno\n";
/// The most that GitHub takes as the summary of a step, in bytes.
const MOST_OF_A_SUMMARY: usize = 1 << 20;

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a step of the action printed and wrote.
struct Step {
    log: String,
    /// Its outputs, by name.
    outputs: BTreeMap<String, String>,
    summary: String,
}

impl Step {
    /// The step that ran in this folder.
    fn of(folder: &Path, log: String) -> Step {
        let outputs = read(&folder.join("output"));
        let mut named = BTreeMap::new();
        for line in outputs.lines() {
            let (name, value) = line.split_once('=').expect("NAME=VALUE");
            let before = named.insert(name.to_owned(), value.to_owned());
            assert_eq!(before, None, "{name} is written twice");
        }
        Step {
            log,
            outputs: named,
            summary: read(&folder.join("summary")),
        }
    }

    fn output(&self, name: &str) -> &str {
        self.outputs
            .get(name)
            .unwrap_or_else(|| panic!("no output {name}"))
    }

    /// The token, what is printed while the runner reads no commands, and what comes after it.
    fn log_parts(&self) -> (&str, &str, &str) {
        let rest = self.log.strip_prefix("::stop-commands::");
        let (token, rest) = rest
            .and_then(|it| it.split_once('\n'))
            .unwrap_or_else(|| panic!("{}", self.log));
        let (inside, after) = rest
            .split_once(&format!("\n::{token}::\n"))
            .expect("the commands begin again");
        (token, inside, after)
    }

    fn report(&self, name: &str) -> String {
        read(&Path::new(self.output("folder")).join(name))
    }
}

/// What a run of the example must show.
struct Wanted {
    run: &'static str,
    status: &'static str,
    new: &'static str,
    known: &'static str,
    stale: &'static str,
    /// The test cases that fail, and those that are known deviations.
    junit: [usize; 2],
    /// The line after that of the expected results at which the annotation is, and its text.
    annotation: Option<(usize, &'static str)>,
    badge: &'static str,
    summary: &'static str,
}

const RUNS: [Wanted; 4] = [
    Wanted {
        run: "green",
        status: "0",
        new: "0",
        known: "0",
        stale: "0",
        junit: [0, 0],
        annotation: None,
        badge: "7 of 8 promises",
        summary: "## heapmin: ✔ every result is as expected\n",
    },
    Wanted {
        run: "regression",
        status: "1",
        new: "2",
        known: "0",
        stale: "0",
        junit: [2, 0],
        annotation: Some((
            1,
            "./libsmall.so%3A heapmin.success-keeps-errno fail::errno was ENOENT (2) before",
        )),
        badge: "2 new deviations",
        summary: "## heapmin: ✘ new deviations: 2\n",
    },
    Wanted {
        run: "listed",
        status: "0",
        new: "0",
        known: "2",
        stale: "0",
        junit: [0, 2],
        annotation: None,
        badge: "6 of 8 promises",
        summary: "## heapmin: ✔ every result is as expected\n",
    },
    Wanted {
        run: "mended",
        status: "1",
        new: "0",
        known: "0",
        stale: "1",
        junit: [1, 0],
        annotation: Some((2, "heapmin.success-keeps-errno::expected.toml:")),
        badge: "1 not as expected",
        summary: "## heapmin: ✘ other complaints: 1\n",
    },
];

#[test]
fn the_gate_of_the_example_follows_a_deviation_through_its_life() {
    if !has("jq") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder can be made");
    let runs = Command::new(file("fixtures/gate/runs"))
        .args([HEAPMIN.as_ref(), folder.path()])
        .env("OPTIONS", ONLY)
        .output()
        .expect("bash runs it");
    let said = text(&runs.stdout) + &text(&runs.stderr);
    assert_eq!(runs.status.code(), Some(0), "{said}");
    for wanted in RUNS {
        let folder = folder.path().join(wanted.run);
        let step = Step::of(&folder, read(&folder.join("log")));
        is_as_wanted(&step, &wanted);
        let written: BTreeSet<_> = step.outputs.keys().cloned().collect();
        assert_eq!(written, section("outputs"));
        for badge in ["badge.json", "badge.svg"] {
            let published = read(&folder.join("badge").join(badge));
            assert!(published.contains(wanted.badge), "{published}");
        }
    }
}

#[track_caller]
fn is_as_wanted(step: &Step, wanted: &Wanted) {
    let run = wanted.run;
    for (name, value) in [
        ("status", wanted.status),
        ("new", wanted.new),
        ("known", wanted.known),
        ("stale", wanted.stale),
        ("refused", "0"),
    ] {
        assert_eq!(step.output(name), value, "{run}: {name}");
    }
    let (_, people, commands) = step.log_parts();
    assert!(people.contains("\n./libsmall.so: "), "{run}: {people}");
    let commands: Vec<_> = commands.lines().collect();
    assert_eq!(
        commands.len(),
        usize::from(wanted.annotation.is_some()),
        "{run}: {commands:?}"
    );
    if let Some((line, text)) = wanted.annotation {
        let line = line + read(&file("fixtures/gate/expected.toml")).lines().count();
        let annotation = format!("::error file=expected.toml,line={line},title={text}");
        assert!(commands[0].starts_with(&annotation), "{run}: {commands:?}");
    }
    let report: Value =
        serde_json::from_str(&read(Path::new(step.output("report")))).expect("the report is JSON");
    let results = report["candidates"][0]["results"]
        .as_array()
        .expect("a list");
    let junit = step.report("run.xml");
    let junit = Report::deserialize_from_str(&junit).expect("it is JUnit");
    let cases: Vec<_> = (junit.test_suites.iter().flat_map(|it| &it.test_cases)).collect();
    let stale: usize = wanted.stale.parse().expect("a number");
    assert_eq!(cases.len(), results.len() + stale, "{run}");
    let count = |is_meant: fn(&TestCaseStatus) -> bool| {
        cases.iter().filter(|it| is_meant(&it.status)).count()
    };
    let failing = count(|it| matches!(it, TestCaseStatus::NonSuccess { .. }));
    let known = count(
        |it| matches!(it, TestCaseStatus::Skipped { ty: Some(ty), .. } if ty.as_str() == "heapmin.known"),
    );
    assert_eq!([failing, known], wanted.junit, "{run}");
    assert!(
        step.summary.starts_with(wanted.summary),
        "{run}: {}",
        step.summary
    );
    assert!(step.summary.len() < MOST_OF_A_SUMMARY, "{run}");
    assert!(step.report("run.html").contains("</html>"), "{run}");
}

/// Runs the script of the action in this folder, as a runner does. `HEAPMIN` and the inputs are
/// in the environment.
fn step(folder: &Path, environment: &[(&str, &str)]) -> (Output, Step) {
    for name in ["output", "summary"] {
        fs::write(folder.join(name), "").expect("the folder can be written");
    }
    let output = Command::new(file(".github/actions/check/check"))
        .current_dir(folder)
        .env("GITHUB_OUTPUT", folder.join("output"))
        .env("GITHUB_STEP_SUMMARY", folder.join("summary"))
        .env("GITHUB_ENV", folder.join("env"))
        .env("GITHUB_PATH", folder.join("path"))
        .env("GITHUB_STATE", folder.join("state"))
        .env("RUNNER_TEMP", folder)
        .envs(environment.iter().copied())
        .output()
        .expect("bash runs it");
    let step = Step::of(folder, text(&output.stdout));
    (output, step)
}

/// A program in the place of heapmin, which runs this script.
fn program(folder: &Path, script: &str) -> String {
    let path = folder.join("program");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the folder can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path.to_str().expect("plain text").to_owned()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

#[test]
fn the_words_of_a_library_are_no_commands_for_the_runner() {
    if !has("jq") {
        return;
    }
    let folder = folder();
    let forged = "printf '::error::one\\n'; printf '::error::two' >&2; exit 1";
    let forged = program(folder.path(), forged);
    let run = || {
        step(
            folder.path(),
            &[("HEAPMIN", &forged), ("LIBRARIES", "a.so")],
        )
    };
    let ((output, first), (_, second)) = (run(), run());
    assert_eq!(output.status.code(), Some(1));
    let (token, inside, after) = first.log_parts();
    assert_eq!(inside, "::error::one\n::error::two");
    assert_eq!(token.len(), 32, "{token}");
    assert!(token.chars().all(|it| it.is_ascii_hexdigit()), "{token}");
    assert_ne!(
        token,
        second.log_parts().0,
        "a library could know the token"
    );
    let own = "::error title=heapmin::heapmin ended with status 1 and checked nothing; its message is above\n";
    assert_eq!(after, own);
}

#[test]
fn a_library_does_not_find_the_files_of_the_runner() {
    if !has("jq") {
        return;
    }
    let folder = folder();
    let shows = program(folder.path(), "env");
    let (_, step) = step(folder.path(), &[("HEAPMIN", &shows), ("LIBRARIES", "a.so")]);
    let (_, environment, _) = step.log_parts();
    assert!(environment.contains("RUNNER_TEMP="), "{environment}");
    assert!(!environment.contains("GITHUB_"), "{environment}");
}

#[test]
fn each_line_of_an_input_is_one_argument() {
    if !has("jq") {
        return;
    }
    let folder = folder();
    let shows = program(folder.path(), "for it; do echo \"<$it>\"; done");
    let inputs = [
        ("HEAPMIN", &*shows),
        ("LIBRARIES", "-a b.so\n\n$(touch c).so\r\n"),
        ("OPTIONS", "--only\nheapmin.*\n--env=A=b c\n"),
        ("EXPECTED", "e f.toml"),
        ("PROFILE", "p"),
        ("PROMISES", "2026.1"),
    ];
    let (_, step) = step(folder.path(), &inputs);
    let (_, arguments, _) = step.log_parts();
    let (options, rest) = arguments.split_once("<--report>\n").expect("a report");
    assert_eq!(
        options,
        "<check>\n<--only>\n<heapmin.*>\n<--env=A=b c>\n<--expected>\n<e f.toml>\n\
         <--profile>\n<p>\n<--promises>\n<2026.1>\n"
    );
    assert!(
        rest.ends_with("<-->\n<-a b.so>\n<$(touch c).so>\n"),
        "{rest}"
    );
    assert!(!folder.path().join("c").exists());
}

#[rstest]
#[case::no_library(&[("LIBRARIES", "\n")], "the input libraries is empty")]
#[case::no_program(&[("LIBRARIES", "a.so"), ("HEAPMIN", "./none")], "the input heapmin names no program")]
#[case::no_file(&[("LIBRARIES", "a.so")], "a.so: no such file")]
#[case::no_list(&[("LIBRARIES", "a.so"), ("EXPECTED", "none.toml")], "checked nothing")]
fn a_wrong_input_ends_with_an_annotation_and_status_2(
    #[case] inputs: &[(&str, &str)],
    #[case] message: &str,
) {
    if !has("jq") {
        return;
    }
    let folder = folder();
    let inputs = [&[("HEAPMIN", HEAPMIN)], inputs].concat();
    let (output, step) = step(folder.path(), &inputs);
    let said = step.log.clone() + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let last = step.log.lines().last().unwrap_or_default();
    assert!(last.starts_with("::error title="), "{said}");
    assert!(last.contains(message), "{said}");
    assert_eq!(step.output("status"), "2");
}

/// The names in a section of action.yml.
fn section(name: &str) -> BTreeSet<String> {
    let action = read(&file(".github/actions/check/action.yml"));
    let (_, section) = action
        .split_once(&format!("\n{name}:\n"))
        .expect("the section");
    let lines = section
        .lines()
        .take_while(|it| it.is_empty() || it.starts_with(' '));
    let names = lines.filter_map(|it| it.strip_prefix("  ")?.strip_suffix(':'));
    let names = names.filter(|it| !it.starts_with(' '));
    names.map(str::to_owned).collect()
}

#[test]
fn no_input_is_pasted_into_a_script() {
    let action = read(&file(".github/actions/check/action.yml"));
    let inputs = section("inputs");
    for input in &inputs {
        let read = format!("inputs.{input}");
        let lines: Vec<_> = action.lines().filter(|it| it.contains(&read)).collect();
        assert!(!lines.is_empty(), "the action does not use {input}");
        for line in lines {
            let (key, _) = line.trim().split_once(": ").unwrap_or_default();
            let is_variable = !key.is_empty() && key.chars().all(|it| it.is_ascii_uppercase());
            assert!(is_variable || ["if", "name"].contains(&key), "{line}");
        }
    }
    let runs = action.matches("\n      run: ").count();
    assert_eq!(action.matches("\n      shell: bash\n").count(), runs);
}

/// The texts that use the action as a caller does.
#[rstest]
#[case::example("fixtures/gate/.github/workflows/heap.yml")]
#[case::book("docs/guide/gate.md")]
#[case::ci(".github/workflows/ci.yml")]
fn a_caller_uses_inputs_and_outputs_that_the_action_has(#[case] path: &str) {
    let text = read(&file(path));
    let (inputs, outputs) = (section("inputs"), section("outputs"));
    let mut steps = 0;
    for step in text.split("/.github/actions/check").skip(1) {
        let Some((_, with)) = step.split_once("\n        with:\n") else {
            continue;
        };
        steps += 1;
        for line in with.lines().map_while(|it| it.strip_prefix("          ")) {
            // The lines of a text with several are further to the right.
            if let (false, Some((name, _))) = (line.starts_with(' '), line.split_once(':')) {
                assert!(inputs.contains(name), "{path}: {name}");
            }
        }
    }
    assert!(steps > 0, "{path} does not use the action");
    for rest in text.split("steps.heap.outputs.").skip(1) {
        let name: String = rest.chars().take_while(|it| it.is_alphanumeric()).collect();
        assert!(outputs.contains(&name), "{path}: {name}");
    }
}

/// The template for GitLab.
fn template() -> String {
    read(&file(".gitlab/heapmin.yml"))
}

/// The script of a job of the template.
fn script(job: &str) -> String {
    let template = template();
    let (_, rest) = template
        .split_once(&format!("\n.{job}:\n"))
        .and_then(|(_, job)| job.split_once("\n  script:\n    - |\n"))
        .expect("the job has a script");
    let lines = rest.lines().map_while(|it| match it {
        "" => Some(""),
        it => it.strip_prefix("      "),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A folder with the library of the example, built with these flags, and its expected results.
fn example(flags: &[&str]) -> TempDir {
    let folder = folder();
    let built = Command::new(file("fixtures/gate/build"))
        .args(flags)
        .env("OUTPUT", folder.path().join("lib small.so"))
        .status();
    assert!(built.expect("bash runs it").success());
    let expected = read(&file("fixtures/gate/expected.toml"));
    fs::write(folder.path().join("e.toml"), expected).expect("the folder can be written");
    folder
}

/// Runs a job of the template in this folder, as a runner of GitLab does.
fn run_job(folder: &Path, job: &str, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new("sh")
        .args(["-euc", &script(job)])
        .current_dir(folder)
        .env("HEAPMIN", HEAPMIN)
        .env("HEAPMIN_LIBRARIES", "./lib small.so")
        .env("HEAPMIN_EXPECTED", "e.toml")
        .env("HEAPMIN_OPTIONS", ONLY)
        .envs(environment.iter().copied())
        .output()
        .expect("sh runs it");
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code(), said)
}

/// The file that the template names as JUnit, which must be in a folder that it keeps.
fn junit_of_the_template() -> &'static str {
    const JUNIT: &str = "heapmin-reports/run.xml";
    let kept = "\n  artifacts:\n    when: always\n    paths:\n      - heapmin-reports/\n    reports:\n      junit: ";
    assert!(template().contains(&format!("{kept}{JUNIT}\n")));
    JUNIT
}

#[rstest]
#[case::sound(&[], 0)]
#[case::regression(&["-DREGRESSION"], 1)]
fn the_job_for_gitlab_fails_for_a_new_deviation_and_keeps_its_reports(
    #[case] flags: &[&str],
    #[case] status: i32,
) {
    let folder = example(flags);
    let folder = folder.path();
    let (ended, said) = run_job(folder, "heapmin", &[]);
    assert_eq!(ended, Some(status), "{said}");
    let junit = read(&folder.join(junit_of_the_template()));
    assert_eq!(junit.contains("<failure"), status == 1, "{junit}");
    for name in ["run.json", "run.html", "badge.json", "badge.svg"] {
        assert_ne!(
            read(&folder.join("heapmin-reports").join(name)),
            "",
            "{name}"
        );
    }
}

#[test]
fn the_job_for_gitlab_does_not_check_the_reference_instead_of_no_library() {
    let folder = folder();
    let environment = [("HEAPMIN_LIBRARIES", "\n"), ("HEAPMIN_EXPECTED", "")];
    let (ended, said) = run_job(folder.path(), "heapmin", &environment);
    assert_eq!(ended, Some(2), "{said}");
    assert!(said.contains("HEAPMIN_LIBRARIES is empty"), "{said}");
}

/// Only the whole run shows that a listed deviation is gone.
#[test]
fn the_jobs_for_gitlab_check_in_parts_and_join_them() {
    let folder = example(&[]);
    let folder = folder.path();
    let list = read(&folder.join("e.toml")) + &read(&file("fixtures/gate/known.toml"));
    fs::write(folder.join("e.toml"), list).expect("the folder can be written");
    for part in ["1", "2"] {
        let environment = [("CI_NODE_INDEX", part), ("CI_NODE_TOTAL", "2")];
        let (ended, said) = run_job(folder, "heapmin", &environment);
        assert_eq!(ended, Some(0), "part {part}: {said}");
    }
    let junit = folder.join(junit_of_the_template());
    assert!(!junit.exists(), "a part is not the whole");
    let (ended, said) = run_job(folder, "heapmin-merge", &[]);
    assert_eq!(ended, Some(1), "{said}");
    assert_eq!(read(&junit).matches("<failure").count(), 1);
}
