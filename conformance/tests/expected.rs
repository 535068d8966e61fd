//! `--expected` and `--update`: what makes a run fail, the messages, and the
//! changes to the file.
#![cfg(target_os = "linux")]

use rstest::rstest;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// A folder with a library `libmine.so` and a file `expected.toml`.
struct Project(TempDir);

impl Project {
    fn new(library: &str) -> Project {
        let project = Project(tempfile::tempdir().expect("a folder can be made"));
        project.copy_of("libmine.so", library);
        project
    }

    /// Copies one of the small candidates into the folder.
    fn copy_of(&self, file: &str, name: &str) {
        let path = heapmin_test_libraries::candidate(name);
        fs::copy(path, self.path().join(file)).expect("the folder can be written");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, text: &str) {
        fs::write(self.path().join("expected.toml"), text).expect("the folder can be written");
    }

    fn read(&self) -> String {
        fs::read_to_string(self.path().join("expected.toml")).expect("the file is there")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
        command.current_dir(self.path());
        command.args(["check", "libmine.so"]).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output();
        output.expect("the program starts")
    }

    /// Checks the `heapmin.success-*` clauses with expected.toml; returns the exit
    /// status and the text on standard error.
    fn check(&self, arguments: &[&str]) -> (i32, String) {
        let gate = ["--expected", "expected.toml", "--format", "json"];
        let only = ["--only", "heapmin.success-*"];
        status(&self.run(&[&gate[..], &only, arguments].concat()))
    }

    fn update(&self) -> (i32, String) {
        self.check(&["--update"])
    }
}

fn status(output: &Output) -> (i32, String) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().expect("no signal ended it"), said)
}

/// The right known deviations of sets_errno_on_success.
const RIGHT: &str = "\
# Known deviations of libmine.

# Ticket 44.
[[known]]
clause = 'heapmin.success-keeps-errno' # since 2.1
why  =  'errno is cleared'
# The end.
";

#[rstest]
#[case::listed_and_occurs("sets_errno_on_success", RIGHT, 0, &[])]
#[case::nothing_listed_and_nothing_occurs("returns_zero", "", 0, &[])]
#[case::not_listed("sets_errno_on_success", "# None.\n", 1, &[
    "expected.toml:2: heapmin.success-keeps-errno fails and is not listed: add this entry here, or run again with --update",
    "    [[known]]\n    clause = \"heapmin.success-keeps-errno\"\n    # observed with start-values: errno was",
    "    why = \"not investigated yet\"\n",
])]
#[case::not_listed_as_this(
    "crashes_in_heapmin",
    "[[known]]\nclause = 'heapmin.success-returns-zero'\nwhy = 'w'\nverdict = 'timeout'\n",
    1,
    &[
        "expected.toml:1: heapmin.success-returns-zero no longer times out but crashes: delete this entry (lines 1 to 4)",
        "expected.toml:5: heapmin.success-returns-zero crashes and is not listed",
        "    verdict = \"crash\"\n",
    ]
)]
#[case::a_new_entry_goes_after_the_last(
    "crashes_in_heapmin",
    "[[known]]\nclause = 'heapmin.success-returns-zero'\nwhy = 'w'\nverdict = 'timeout'\n\n# The\n# end.\n",
    1,
    &["expected.toml:5: heapmin.success-returns-zero crashes and is not listed"]
)]
#[case::not_listed_where_candidates_are_named(
    "sets_errno_on_success",
    "[[judged]]\nclause = 'heapmin.success-returns-zero'\ncandidate = 'libmine.so'\n",
    1,
    &[
        "expected.toml:4: heapmin.success-keeps-errno of libmine.so fails and is not listed",
        "    candidate = \"libmine.so\"\n",
    ]
)]
#[case::no_longer_occurs("returns_zero", RIGHT, 1, &[
    "expected.toml:4: heapmin.success-keeps-errno no longer fails: delete this entry (lines 4 to 6), or run again with --update\n",
])]
#[case::no_longer_occurs_in_one_line(
    "returns_zero",
    "known = [{ clause = 'heapmin.success-keeps-errno', why = 'w' }]\n",
    1,
    &["expected.toml:1: heapmin.success-keeps-errno no longer fails: delete this entry, or run again with --update\n"]
)]
#[case::no_longer_occurs_in_a_list(
    "sets_errno_on_success",
    "[[known]]\nwhy = 'w'\nclause = [\n  'heapmin.success-keeps-errno',\n  'heapmin.success-returns-zero',\n]\n",
    1,
    &["expected.toml:5: heapmin.success-returns-zero no longer fails: delete this name from its list"]
)]
#[case::no_longer_occurs_in_a_case(
    "sets_errno_on_success",
    "[[known]]\nwhy = 'w'\nclause = 'heapmin.success-returns-zero'\ncase = ['empty-heap']\n\n[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\n",
    1,
    &["expected.toml:4: heapmin.success-returns-zero no longer fails with empty-heap: delete this name from its list"]
)]
#[case::no_longer_judged(
    "fails_as_promised",
    "[[judged]]\nclause = [\n  'heapmin.success-returns-zero', # a comment\n]\n",
    1,
    &["expected.toml:3: heapmin.success-returns-zero was judged before and is unsupported now (none of 15 calls succeeded; see the failure clauses): find out why; if that is right, delete this name from its list, or run again with --update"]
)]
#[case::judged_with_a_deviation(
    "sets_errno_on_success",
    &format!("{RIGHT}\n[[judged]]\nclause = ['heapmin.success-keeps-errno']\n"),
    0,
    &[]
)]
#[case::other_candidate(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\ncandidate = 'other.so'\n",
    0,
    &[]
)]
#[case::this_candidate(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\ncandidate = 'libmine.so'\n",
    1,
    &["expected.toml:1: heapmin.success-keeps-errno of libmine.so no longer fails"]
)]
#[case::unknown_clause(
    "returns_zero",
    "\n[[known]]\nclause = ['heapmin.success-keeps-errno',\n  'heapmin.coalesce']\nwhy = 'w'\n",
    2,
    &["expected.toml:4: no clause is called heapmin.coalesce; did you mean heapmin.coalesces?"]
)]
#[case::unknown_judged_clause(
    "returns_zero",
    "[[judged]]\nclause = 'heapmin.coalesce'\n",
    2,
    &["expected.toml:1: no clause is called heapmin.coalesce; did you mean heapmin.coalesces?"]
)]
#[case::unknown_case(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.exported'\ncase = 'lod'\nwhy = 'w'\n",
    2,
    &["expected.toml:1: heapmin.exported has no case lod; did you mean load?"]
)]
#[case::unknown_verdict(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.exported'\nverdict = 'fails'\nwhy = 'w'\n",
    2,
    &["expected.toml:1: there is no verdict fails; did you mean fail?"]
)]
#[case::verdict_that_cannot_be_known(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.exported'\nverdict = 'error'\nwhy = 'w'\n",
    2,
    &["expected.toml:1: no entry can expect the verdict error; the verdict can be fail, crash or timeout"]
)]
#[case::twice(
    "returns_zero",
    "[[known]]\nclause = ['heapmin.exported',\n'heapmin.exported']\nwhy = 'w'\n",
    2,
    &["expected.toml:3: heapmin.exported is already listed in line 2; delete one of the two entries"]
)]
#[case::several_verdicts(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\nverdict = ['fail', 'pass']\n",
    0,
    &[]
)]
#[case::versions_of_wine_without_wine(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\nuntil = { wine = '99' }\n",
    0,
    &[]
)]
#[case::no_version(
    "returns_zero",
    "[[known]]\nclause = 'heapmin.exported'\nwhy = 'w'\nsince = { wine = '8.x' }\n",
    2,
    &["expected.toml:4: \"8.x\" is not a version; write numbers with dots between them, as in \"10.0\""]
)]
#[case::a_newer_program(
    "returns_zero",
    "# The key `newer` is not known.\nneeds = '99.1'\nnewer = 1\n",
    2,
    &["expected.toml:2: the file needs heapmin 99.1 or later, this is ", "; install heapmin 99.1 or later\n"]
)]
#[case::judged_twice(
    "returns_zero",
    "[[judged]]\nclause = ['heapmin.exported',\n'heapmin.exported']\n",
    2,
    &["expected.toml:3: heapmin.exported is already listed in line 2; delete one of the two entries"]
)]
fn each_complaint_names_the_line_to_change(
    #[case] library: &str,
    #[case] text: &str,
    #[case] wanted: i32,
    #[case] parts: &[&str],
) {
    let project = Project::new(library);
    project.write(text);
    let (status, said) = project.check(&[]);
    assert_eq!(status, wanted, "{said}");
    assert_eq!(said.is_empty(), parts.is_empty(), "{said}");
    for part in parts {
        assert!(said.contains(part), "{part}\nis not in\n{said}");
    }
    assert_eq!(project.read(), text);
}

#[test]
fn entries_whose_cases_were_not_selected_are_not_compared() {
    let project = Project::new("fails_as_promised");
    let judged = "[[judged]]\nclause = 'heapmin.coalesces'\n";
    project.write(&format!("{RIGHT}\n{judged}"));
    let (code, said) = project.check(&["--skip", "*keeps-errno"]);
    let note = "expected.toml: 2 of 2 entries were not compared: not all of their cases were run\n";
    assert_eq!((code, &said[..]), (0, note));
    // With a fault, only some of the clause's cases are run.
    project.write(&format!(
        "{RIGHT}\n{}",
        judged.replace("coalesces", "success-returns-zero")
    ));
    let (code, said) = project.check(&["--fault", "succeeds"]);
    assert_eq!((code, &said[..]), (0, note));
}

#[test]
fn complaints_are_in_the_report_or_on_standard_error_if_the_report_is_in_a_file() {
    let project = Project::new("returns_zero");
    project.write(RIGHT);
    let arguments = ["--expected", "expected.toml", "--only", "heapmin.success-*"];
    let output = project.run(&arguments);
    let report = String::from_utf8_lossy(&output.stdout);
    let message = "not as expected\nexpected.toml:4: heapmin.success-keeps-errno no longer fails";
    assert!(report.contains(message), "{report}");
    assert_eq!(status(&output), (1, String::new()));
    let output = project.run(&[&arguments[..], &["--output", "report"]].concat());
    assert!(status(&output).1.contains("expected.toml:4: "));
}

#[test]
fn without_a_file_the_report_says_how_to_make_one() {
    let project = Project::new("sets_errno_on_success");
    let output = project.run(&["--only", "heapmin.success-*"]);
    let report = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        report.contains(
            "deviations that are not listed: 2; run again with `--expected FILE --update`"
        ),
        "{report}"
    );
}

#[test]
fn a_complaint_about_a_profile_names_the_line_of_the_profile() {
    let project = Project::new("returns_zero");
    let head = "title = 'Mine'\nlibrary = 'libmine.so'\nsource = 'path'\nerrno = 'host'\n";
    let own = "[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\n";
    fs::write(project.path().join("mine.toml"), format!("{head}{own}")).unwrap();
    project.write("");
    let (code, said) = project.check(&["--profile", "mine.toml"]);
    assert_eq!(
        (code, &said[..]),
        (
            1,
            "mine.toml:5: heapmin.success-keeps-errno no longer fails: delete this entry (lines 5 to 7)\n"
        )
    );
    let (code, said) = project.check(&["--profile", "glibc", "--only", "heapmin.unsupported-os"]);
    let place = "fixtures/profiles/glibc.toml:15: heapmin.unsupported-os no longer fails but is unsupported: delete";
    assert!(code == 1 && said.contains(place), "{code} {said}");
}

#[test]
fn entries_of_a_profile_count_without_being_in_the_file() {
    let project = Project::new("sets_errno_on_success");
    let head = "title = 'Mine'\nlibrary = 'libmine.so'\nsource = 'path'\nerrno = 'host'\n";
    let own = "[[known]]\nclause = 'heapmin.success-keeps-errno'\nwhy = 'w'\n";
    fs::write(project.path().join("mine.toml"), format!("{head}{own}")).unwrap();
    let (code, said) = project.check(&["--profile", "mine.toml", "--update"]);
    let text = project.read();
    assert!(code == 0 && !text.contains("[[known]]"), "{said}{text}");
    project.write(RIGHT);
    let (code, said) = project.check(&["--profile", "mine.toml"]);
    assert_eq!((code, &said[..]), (0, ""));
}

#[test]
fn update_creates_a_missing_file() {
    let project = Project::new("sets_errno_on_success");
    let (code, said) = project.check(&[]);
    assert!(code == 2 && said.contains("or add --update"), "{said}");
    let (code, said) = project.update();
    let message = "expected.toml: created; known deviations: added 1 (results: 2), removed 0; judged clauses: added 2, removed 0\n";
    assert_eq!((code, &said[..]), (0, message));
    let text = project.read();
    let added = text.lines().find_map(|line| line.strip_prefix("added = "));
    let today = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    assert_eq!(added, Some(&today[..10]), "run again if it is midnight");
    insta::assert_snapshot!(text.replace(&today[..10], "TODAY"), @r#"
    # Expected results of `heapmin check`. --update removes entries from this file and
    # adds new ones. Everything else stays as it is: comments, reasons, order.

    [[known]]
    clause = "heapmin.success-keeps-errno"
    # observed with start-values: errno was ENOENT (2) before a successful call and 0 after it
    # observed with fault-succeeds: errno was ENOENT (2) before a successful call and 0 after it
    added = TODAY
    why = "not investigated yet"

    # The clauses that were judged when this list was written. If one of them is
    # `unsupported` now, it is no longer checked, and the run fails.
    [[judged]]
    clause = [
        "heapmin.success-returns-zero",
        "heapmin.success-keeps-errno",
    ]
    "#);
    // The mode is that of any new file: 666 without the bits of the umask.
    fs::write(project.path().join("other"), "").unwrap();
    let mode = |name| fs::metadata(project.path().join(name)).unwrap().mode();
    assert_eq!(mode("expected.toml"), mode("other"));
    assert_eq!(project.check(&[]), (0, String::new()));
    assert_eq!(
        project.update(),
        (0, "expected.toml: nothing to change\n".into())
    );
}

#[test]
fn an_entry_without_a_bug_report_fails_a_run_that_requires_one() {
    let project = Project::new("sets_errno_on_success");
    project.write(RIGHT);
    assert_eq!(project.check(&[]), (0, String::new()));
    let (code, said) = project.check(&["--require-bug"]);
    let message = "expected.toml:4: heapmin.success-keeps-errno is a known deviation without a bug report: add `bug = \"ADDRESS\"` to this entry\n";
    assert_eq!((code, &said[..]), (1, message));
    project.write(&RIGHT.replace("# The end.", "bug = 'https://bugs.example/44'"));
    assert_eq!(project.check(&["--require-bug"]), (0, String::new()));
}

#[test]
fn a_loss_of_data_is_to_be_mended_and_not_listed() {
    let project = Project::new("loses_a_byte");
    project.write("");
    let only = ["--only", "heapmin.*"];
    let output = project.run(&[&only[..], &["--expected", "expected.toml"]].concat());
    let report = String::from_utf8_lossy(&output.stdout);
    let mend = "is not listed: the library changes bytes that its caller wrote: mend that first. Only to let it through until then, add this entry here, or run again with --update";
    assert!(report.contains(mend), "{report}");
    let output = project.run(&only);
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(
        report.contains("mend these first; run again with"),
        "{report}"
    );
}

#[test]
fn known_deviations_of_saved_runs_are_listed() {
    let project = Project::new("sets_errno_on_success");
    let gone =
        "\n[[known]]\nclause = 'heapmin.success-returns-zero'\nwhy = 'w'\nadded = 2020-01-01\n";
    project.write(&format!("{RIGHT}{gone}"));
    let (code, _) = project.check(&["--report", "json=run.json"]);
    assert_eq!(code, 1);
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    let command = command.current_dir(project.path());
    let output = command
        .args(["known", "run.json", "run.json"])
        .output()
        .unwrap();
    let list = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{list}");
    for line in [
        "entries: 2\n",
        "without a bug report: 2\n",
        "without a date: 1\n  expected.toml:4\n",
        "shown by no run: 1\n  expected.toml:9\n",
    ] {
        assert!(list.contains(line), "{list}");
    }
}

/// What an update adds to [`RIGHT`] when all clauses are judged.
const JUDGED: &str = "
# The clauses that were judged when this list was written. If one of them is
# `unsupported` now, it is no longer checked, and the run fails.
[[judged]]
clause = [
    \"heapmin.success-returns-zero\",
    \"heapmin.success-keeps-errno\",
]
";

#[rstest]
#[case::right_entries_stay("sets_errno_on_success", format!("{RIGHT}{JUDGED}"), format!("{RIGHT}{JUDGED}"), "nothing to change")]
#[case::judged_clauses_come_at_the_end(
    "sets_errno_on_success",
    RIGHT.into(),
    format!("{RIGHT}{JUDGED}"),
    "known deviations: added 0, removed 0; judged clauses: added 2, removed 0"
)]
#[case::an_entry_goes_with_its_comment(
    "returns_zero",
    format!("{RIGHT}{JUDGED}"),
    format!("# Known deviations of libmine.\n\n# The end.\n{JUDGED}"),
    "known deviations: added 0, removed 1; judged clauses: added 0, removed 0"
)]
#[case::a_name_goes_out_of_a_list(
    "sets_errno_on_success",
    format!("[[known]]\nwhy = 'w'\nclause = [\n  # both\n  'heapmin.success-returns-zero', # one\n  'heapmin.success-keeps-errno', # two\n]\n{JUDGED}"),
    format!("[[known]]\nwhy = 'w'\nclause = [\n  # both\n  'heapmin.success-keeps-errno', # two\n]\n{JUDGED}"),
    "known deviations: added 0, removed 1; judged clauses: added 0, removed 0"
)]
#[case::cases_go_out_of_a_list(
    "sets_errno_on_success",
    format!("{RIGHT}\n[[known]]\nclause = 'heapmin.success-keeps-errno'\nverdict = 'crash'\ncase = ['start-values', 'fault-succeeds']\nwhy = 'w'\n{JUDGED}"),
    format!("{RIGHT}{JUDGED}"),
    "known deviations: added 0, removed 2; judged clauses: added 0, removed 0"
)]
#[case::a_clause_that_is_no_longer_judged_goes(
    "fails_as_promised",
    "[[judged]]\nclause = ['heapmin.coalesces', 'heapmin.success-returns-zero']\n".into(),
    "[[judged]]\nclause = ['heapmin.coalesces']\n".into(),
    "known deviations: added 0, removed 0; judged clauses: added 0, removed 1"
)]
#[case::a_clause_that_is_judged_comes_in_its_place(
    "returns_zero",
    "[[judged]]\nclause = [\n  'heapmin.exported', # first\n  'heapmin.success-returns-zero', # second\n  'heapmin.coalesces'\n]\n".into(),
    "[[judged]]\nclause = [\n  'heapmin.exported', # first\n  'heapmin.success-returns-zero', # second\n  \"heapmin.success-keeps-errno\",\n  'heapmin.coalesces'\n]\n".into(),
    "known deviations: added 0, removed 0; judged clauses: added 1, removed 0"
)]
#[case::a_clause_goes_into_the_list_of_its_candidate(
    "returns_zero",
    "[[judged]]\ncandidate = 'libmine.so'\nclause = ['heapmin.success-returns-zero']\n\n[[judged]]\ncandidate = 'libother.so'\nclause = ['heapmin.coalesces']\n".into(),
    "[[judged]]\ncandidate = 'libmine.so'\nclause = ['heapmin.success-returns-zero', \"heapmin.success-keeps-errno\"]\n\n[[judged]]\ncandidate = 'libother.so'\nclause = ['heapmin.coalesces']\n".into(),
    "known deviations: added 0, removed 0; judged clauses: added 1, removed 0"
)]
#[case::the_first_clause_comes_first(
    "returns_zero",
    "[[judged]]\nclause = ['heapmin.success-keeps-errno', 'heapmin.coalesces']\n".into(),
    "[[judged]]\nclause = [\"heapmin.success-returns-zero\", 'heapmin.success-keeps-errno', 'heapmin.coalesces']\n".into(),
    "known deviations: added 0, removed 0; judged clauses: added 1, removed 0"
)]
#[case::what_the_run_left_out_stays(
    "returns_zero",
    format!("[[known]]\nclause = 'heapmin.coalesces'\nwhy = 'w'\n{JUDGED}"),
    format!("[[known]]\nclause = 'heapmin.coalesces'\nwhy = 'w'\n{JUDGED}"),
    "nothing to change"
)]
fn an_update_changes_only_what_differs_from_the_run(
    #[case] library: &str,
    #[case] before: String,
    #[case] after: String,
    #[case] changes: &str,
) {
    let project = Project::new(library);
    project.write(&before);
    let (code, said) = project.update();
    assert_eq!(project.read(), after, "{said}");
    assert_eq!(code, 0, "{said}");
    assert!(
        said.ends_with(&format!("expected.toml: {changes}\n")),
        "{said}"
    );
    assert_eq!(project.check(&[]).0, 0);
    assert!(
        project
            .update()
            .1
            .ends_with("expected.toml: nothing to change\n")
    );
    assert_eq!(project.read(), after);
}

#[test]
fn each_new_clause_goes_after_its_predecessor_in_the_report() {
    let project = Project::new("returns_zero");
    project.write("[[judged]]\nclause = ['heapmin.success-returns-zero']\n");
    let more = ["--only", "heapmin.exported", "--only", "heapmin.empty-heap"];
    let (code, said) = project.check(&[&more[..], &["--update"]].concat());
    assert_eq!(code, 0, "{said}");
    assert_eq!(
        project.read(),
        "[[judged]]\nclause = [\"heapmin.exported\", 'heapmin.success-returns-zero', \"heapmin.success-keeps-errno\", \"heapmin.empty-heap\"]\n"
    );
}

#[test]
fn each_of_several_candidates_has_its_own_entries() {
    let project = Project::new("sets_errno_on_success");
    project.copy_of("sound.so", "returns_zero");
    project.copy_of("failing.so", "fails_as_promised");
    let (code, said) = project.check(&["sound.so", "failing.so", "--update"]);
    assert_eq!(code, 0, "{said}");
    let text = project.read();
    assert_eq!(text.matches("[[known]]").count(), 1, "{text}");
    assert_eq!(text.matches("[[judged]]").count(), 2, "{text}");
    assert!(
        text.contains("candidate = \"libmine.so\"\n# observed"),
        "{text}"
    );
    assert_eq!(project.check(&["sound.so", "failing.so"]).0, 0);
    assert_eq!(project.check(&[]).0, 0);
    project.copy_of("sound.so", "sets_errno_on_success");
    let (code, said) = project.check(&["sound.so"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("heapmin.success-keeps-errno of sound.so fails"),
        "{said}"
    );
    assert!(said.contains("    candidate = \"sound.so\"\n"), "{said}");
    let (code, said) = project.check(&["sound.so", "--update"]);
    assert_eq!(code, 0, "{said}");
    let text = project.read();
    assert_eq!(text.matches("[[known]]").count(), 2, "{text}");
    // The same deviation of two candidates is two entries from the start.
    fs::remove_file(project.path().join("expected.toml")).unwrap();
    let (code, said) = project.check(&["sound.so", "--update"]);
    assert_eq!(code, 0, "{said}");
    let text = project.read();
    assert_eq!(text.matches("[[known]]").count(), 2, "{text}");
}

#[test]
fn update_never_writes_an_error_as_expected() {
    let project = Project::new("sets_errno_on_success");
    project.write(RIGHT);
    // The file is a library, but the loader refuses it.
    let path = project.path().join("libmine.so");
    let mut bytes = fs::read(&path).unwrap();
    let name = bytes.windows(9).position(|it| it == b"libc.so.6").unwrap();
    bytes[name..name + 4].copy_from_slice(b"none");
    fs::write(&path, bytes).unwrap();
    let (code, said) = project.update();
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("the loader rejects it: none.so.6: cannot open"),
        "{said}"
    );
    assert_eq!(project.read(), RIGHT);
    // A crash during loading is a deviation; the other results are errors.
    project.copy_of("libmine.so", "crashes_on_load");
    let (code, said) = project.update();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("libmine.so: results that are `error`: 4; no entry can allow them, so fix the cause; the first is heapmin.success-returns-zero with empty-heap: not run: the library ended the process while it was loaded"), "{said}");
    assert_eq!(project.read().matches("error").count(), 0);
}

#[test]
fn a_refused_candidate_prevents_the_update() {
    let project = Project::new("sets_errno_on_success");
    project.write("# None.\n");
    let (code, said) = project.check(&["no-such.so", "--update"]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("expected.toml was not updated, because a candidate was refused"),
        "{said}"
    );
    assert_eq!(project.read(), "# None.\n");
}

#[test]
fn a_file_in_a_form_that_update_cannot_change_stays_as_it_is() {
    let project = Project::new("sets_errno_on_success");
    let entry = |clause| format!("{{clause = 'heapmin.success-{clause}', why = 'w'}}");
    let text = format!(
        "known = [{}, {}]\n",
        entry("returns-zero"),
        entry("keeps-errno")
    );
    project.write(&text);
    let (code, said) = project.update();
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("expected.toml has a form that --update cannot change; write each"),
        "{said}"
    );
    assert_eq!(project.read(), text);
}

#[test]
fn update_requires_expected() {
    let project = Project::new("returns_zero");
    let (code, said) = status(&project.run(&["--update"]));
    assert!(code == 2 && said.contains("--expected <FILE>"), "{said}");
}

#[rstest]
#[case::full_device("/dev/full", "is not a regular file")]
#[case::folder(".", "is not a regular file")]
#[case::no_such_folder("no/such/expected.toml", "cannot be written")]
// Not even root can create a file in this folder.
#[case::read_only_folder("/proc/expected.toml", "cannot be written")]
#[case::below_a_file("libmine.so/expected.toml", "cannot be read")]
fn a_file_that_cannot_be_written_is_refused_before_the_run(
    #[case] file: &str,
    #[case] problem: &str,
) {
    let project = Project::new("returns_zero");
    let output = project.run(&["--only", "heapmin.exported", "--expected", file, "--update"]);
    let (code, said) = status(&output);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains(&format!("{file} {problem}")), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn update_does_not_replace_a_device() {
    let project = Project::new("returns_zero");
    project.run(&[
        "--only",
        "heapmin.exported",
        "--expected",
        "/dev/full",
        "--update",
    ]);
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
}

#[test]
fn a_read_only_file_stays_as_it_is() {
    let project = Project::new("returns_zero");
    project.write(RIGHT);
    let path = project.path().join("expected.toml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let (code, said) = project.update();
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("expected.toml cannot be written"), "{said}");
    assert_eq!(project.read(), RIGHT);
    assert_eq!(project.check(&[]).0, 1);
}

#[test]
fn a_known_deviation_is_shown_with_its_bug_and_its_day() {
    let project = Project::new("sets_errno_on_success");
    project.write(&format!(
        "{RIGHT}bug = 'https://bugs.example/44'\nadded = 2026-11-26\n"
    ));
    let arguments = ["--expected", "expected.toml", "--only", "heapmin.success-*"];
    let output = project.run(&arguments);
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let known = "known     errno is cleared (https://bugs.example/44, added 2026-11-26)\n";
    assert!(report.contains(known), "{report}");
    assert_eq!(status(&output), (0, String::new()));
}

/// An entry for every version would repeat the entry that is kept, so the file would be wrong.
#[test]
fn update_adds_no_entry_that_overlaps_one_with_versions() {
    let project = Project::new("sets_errno_on_success");
    let text = RIGHT.replace("# The end.\n", "until = { wine = '10.0' }\n");
    project.write(&text);
    let (code, said) = project.update();
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("--update would add an entry twice: expected.toml:9: heapmin.success-keeps-errno is already listed in line 4; delete the older entry, or its `since` and `until`"),
        "{said}"
    );
    assert_eq!(project.read(), text);
}

/// A limit on the size of files has the effect of a full disk.
#[test]
fn a_full_disk_loses_neither_the_file_nor_the_report() {
    let project = Project::new("returns_zero");
    project.write(RIGHT);
    let program = env!("CARGO_BIN_EXE_heapmin");
    let script = format!(
        "trap '' XFSZ; ulimit -f 0; '{program}' check libmine.so --only 'heapmin.success-*' --expected expected.toml --update"
    );
    let mut command = Command::new("sh");
    let command = command.current_dir(project.path()).args(["-c", &script]);
    let output = command.output().unwrap();
    let (code, said) = status(&output);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("expected.toml cannot be written: File too large"),
        "{said}"
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("heapmin.success-keeps-errno"));
    assert_eq!(project.read(), RIGHT);
    assert_eq!(fs::read_dir(project.path()).unwrap().count(), 2);
}

#[test]
fn update_follows_a_symbolic_link() {
    let project = Project::new("returns_zero");
    let real = project.path().join("real.toml");
    fs::write(&real, RIGHT).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("real.toml", project.path().join("expected.toml")).unwrap();
    assert_eq!(project.update().0, 0);
    let link = fs::symlink_metadata(project.path().join("expected.toml")).unwrap();
    assert!(link.is_symlink());
    let text = fs::read_to_string(&real).unwrap();
    assert!(
        text.contains("[[judged]]") && !text.contains("[[known]]"),
        "{text}"
    );
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

#[test]
fn update_removes_cases_that_no_longer_fail_and_adds_new_ones() {
    let project = Project::new("fails_with_einval");
    let entry = |cases| {
        format!("[[known]]\nclause = 'heapmin.failure-sets-enosys'\ncase = [{cases}]\nwhy = 'w'\n")
    };
    project.write(&entry("'start-values', 'fault-stale', 'empty-heap'"));
    let arguments = ["--expected", "expected.toml", "--only", "*sets-enosys"];
    let only_known = |text: String| text.split("\n# The clauses").next().unwrap().to_owned();
    let output = project.run(&[&arguments[..], &["--update"]].concat());
    assert_eq!(status(&output), (0, String::new()));
    assert_eq!(
        only_known(project.read()),
        entry("'start-values', 'empty-heap'")
    );
    // A case that is not listed gets an entry that names it.
    project.write(&entry("'start-values'"));
    let output = project.run(&[&arguments[..], &["--update"]].concat());
    assert_eq!(status(&output), (0, String::new()));
    let text = only_known(project.read());
    let added = "\n[[known]]\nclause = \"heapmin.failure-sets-enosys\"\ncase = \"empty-heap\"\n# observed: ";
    assert!(
        text.starts_with(&(entry("'start-values'") + added)),
        "{text}"
    );
}

/// A case that was not run may still deviate.
#[test]
fn an_interrupted_run_does_not_update_the_file() {
    let project = Project::new("hangs_in_heapmin");
    project.write(RIGHT);
    let gate = [
        "--expected",
        "expected.toml",
        "--update",
        "--format",
        "json",
    ];
    let mut command = project.command(&[&gate[..], &["--only", "heapmin.success-*"]].concat());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the program starts");
    std::thread::sleep(Duration::from_secs(2));
    let pid = child.id().try_into().expect("a process id");
    // SAFETY: the child was not waited for, so its id is still its own.
    unsafe { libc::kill(pid, libc::SIGINT) };
    let (code, said) = status(&child.wait_with_output().unwrap());
    assert_eq!(code, 130, "{said}");
    assert!(
        said.contains("expected.toml was not updated, because the run was interrupted"),
        "{said}"
    );
    assert!(!said.contains("no longer"), "{said}");
    assert_eq!(project.read(), RIGHT);
}

/// It is in the report for people on standard output, or else on standard error.
#[test]
fn each_complaint_is_shown_once() {
    let project = Project::new("sets_errno_on_success");
    project.write("");
    let expected = ["--expected", "expected.toml", "--only", "heapmin.success-*"];
    let said = |more: &[&str]| status(&project.run(&[&expected[..], more].concat()));
    let clause = "heapmin.success-keeps-errno";
    let (_, human) = said(&[]);
    assert!(!human.contains(clause), "the report has it: {human}");
    for more in [&["--format", "json"][..], &["--output", "report.txt"]] {
        let (code, elsewhere) = said(more);
        assert_eq!(code, 1);
        assert_eq!(elsewhere.matches("is not listed").count(), 1, "{elsewhere}");
    }
}

/// A list of judged clauses and --must-judge are two conditions: an update of the list
/// does not meet the other.
#[test]
fn an_update_does_not_meet_must_judge() {
    let project = Project::new("fails_as_promised");
    project.write("[[judged]]\nclause = 'heapmin.success-returns-zero'\n");
    let must_judge = ["--must-judge", "must"];
    let lost = "heapmin.success-returns-zero was judged before and is unsupported now";
    let open = "--must-judge must: not judged: none of ";
    let (code, said) = project.check(&must_judge);
    assert!(
        code == 1 && said.contains(lost) && said.contains(open),
        "{said}"
    );
    let (code, said) = project.check(&["--update", "--must-judge", "must"]);
    assert!(
        code == 1 && !said.contains(lost) && said.contains(open),
        "{said}"
    );
    assert!(!project.read().contains("clause"), "{}", project.read());
    assert_eq!(project.check(&[]).0, 0);
    // Both are met by a run without the clauses.
    let skip = [
        "--skip",
        "heapmin.success-keeps-errno",
        "--only",
        "heapmin.exported",
    ];
    assert_eq!(
        project
            .check(
                &[
                    &skip[..],
                    &["--skip", "heapmin.success-returns-zero"],
                    &must_judge
                ]
                .concat()
            )
            .0,
        0
    );
}
