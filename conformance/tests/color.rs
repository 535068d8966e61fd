//! Colours: `--color`, and without it NO_COLOR, CLICOLOR and CLICOLOR_FORCE. Standard output is
//! a pipe here, so `auto` means no colours.
#![cfg(target_os = "linux")]

use rstest::rstest;
use std::process::Command;
use tempfile::TempDir;

/// The program without the variables that decide about colours.
fn heapmin(arguments: &[&str], variables: &[(&str, &str)]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    let output = command
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// Each kind of text that can have colours: a report, help, an error of the program and one of
/// its parser.
const REPORT: &[&str] = &["check", "--only", "heapmin.exported"];
const HELP: &[&str] = &["check", "--help"];
const ERROR: &[&str] = &["explain", "zzz"];
const USAGE: &[&str] = &["check", "--jobs", "0"];

#[rstest]
#[case::no_terminal(&[], &[], false)]
#[case::always(&["--color", "always"], &[], true)]
#[case::always_with_a_sign(&["--color=always"], &[], true)]
#[case::never(&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false)]
#[case::auto(&["--color", "auto"], &[("CLICOLOR_FORCE", "1")], true)]
#[case::forced(&[], &[("CLICOLOR_FORCE", "1")], true)]
#[case::no_color(&[], &[("NO_COLOR", "1"), ("CLICOLOR", "1")], false)]
#[case::the_option_wins(&["--color", "always"], &[("NO_COLOR", "1")], true)]
fn colours_are_used_as_the_user_says(
    #[values(REPORT, HELP, ERROR, USAGE)] arguments: &[&str],
    #[case] option: &[&str],
    #[case] variables: &[(&str, &str)],
    #[case] wanted: bool,
) {
    let (out, err) = heapmin(&[arguments, option].concat(), variables);
    let is_before = match arguments {
        HELP => heapmin(&[option, arguments].concat(), variables).0 == out,
        _ => true,
    };
    let has = out.contains('\u{1b}') || err.contains('\u{1b}');
    assert_eq!(has, wanted, "{out}{err}");
    assert!(is_before, "the place of the option makes no difference");
}

#[test]
fn a_file_has_no_colours() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("report");
    let output = ["--color", "always", "--output", file.to_str().unwrap()];
    heapmin(&[REPORT, &output].concat(), &[]);
    let text = std::fs::read_to_string(&file).expect("the report");
    assert!(
        text.contains("heapmin.exported") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn a_wrong_choice_is_refused() {
    let (_, err) = heapmin(&["check", "--color", "red"], &[]);
    assert!(
        err.contains("--color <WHEN>") && err.contains("always"),
        "{err}"
    );
}
