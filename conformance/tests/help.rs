//! The help of every command: readable at 80 columns, in groups, with examples that work. Each
//! example is parsed, and then run by a shell in a folder with the files that it names.
//!
//! An example whose tool is not on this machine is parsed only, and the run says so; with
//! HEAPMIN_REQUIRE=all it must run.
#![cfg(target_os = "linux")]

mod required;

use clap::Command as Definition;
use heapmin_conformance::cli::definitions;
use heapmin_test_libraries::candidate;
use required::has;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const HEAPMIN: &str = env!("CARGO_BIN_EXE_heapmin");
/// The widest line, in columns.
const WIDTH: usize = 80;

/// The program itself, as an empty name, and every command.
fn commands() -> Vec<String> {
    let program = definitions();
    let shown = program.get_subcommands().filter(|it| !it.is_hide_set());
    let names = shown.map(|it| it.get_name().to_owned());
    std::iter::once(String::new()).chain(names).collect()
}

/// What the program prints for a command and this option, at 80 columns.
fn help(command: &str, option: &str) -> String {
    let words = command.split_whitespace();
    let output = Command::new(HEAPMIN)
        .args(words)
        .arg(option)
        .env("COLUMNS", WIDTH.to_string())
        .output()
        .expect("the program starts");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("help is UTF-8")
}

/// The lines after `Examples:`.
fn examples(command: &str) -> Vec<String> {
    let text = help(command, "--help");
    let (_, after) = text.split_once("\nExamples:\n").expect("help has examples");
    after.lines().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn help_fits_in_80_columns_and_the_short_one_is_shorter() {
    for command in commands() {
        let (short, long) = (help(&command, "-h"), help(&command, "--help"));
        for line in short.lines().chain(long.lines()) {
            assert!(line.chars().count() <= WIDTH, "{command}: {line}");
        }
        assert!(short.lines().count() < long.lines().count(), "{command}");
    }
}

#[test]
fn every_command_has_a_summary_of_one_line_and_two_examples() {
    for command in commands() {
        let text = help(&command, "--help");
        let mut lines = text.lines();
        let summary = lines.next().unwrap();
        assert!(!summary.is_empty() && !summary.ends_with('.'), "{summary}");
        assert_eq!(
            lines.next(),
            Some(""),
            "{command}: the summary has one line"
        );
        assert_eq!(examples(&command).len(), 2, "{command}");
    }
}

#[test]
fn every_option_is_in_a_group() {
    for command in definitions().get_subcommands() {
        let options = command.get_opts().filter(|it| !it.is_positional());
        for option in options {
            let (command, id) = (command.get_name(), option.get_id());
            assert!(option.get_help_heading().is_some(), "{command}: {id}");
        }
    }
}

/// An example without what other programs do in it.
fn own_words(example: &str) -> Vec<String> {
    let own = example.trim_start_matches("git bisect run ");
    let own = own.split(['|', '>']).next().unwrap();
    shlex::split(own).expect("an example has whole quotes")
}

#[test]
fn every_example_is_of_its_command_and_can_be_parsed() {
    for command in commands() {
        for example in examples(&command) {
            let words = own_words(&example);
            assert_eq!(words[0], "heapmin", "{example}");
            let is_of_command = command.is_empty() || words[1] == command;
            assert!(is_of_command, "{command}: {example}");
            let parsed = definitions().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
        }
    }
}

/// A tool that the examples of a command need.
fn tool_of(command: &str) -> Option<&'static str> {
    match command {
        "debug" => Some("gdb"),
        "man" => Some("man"),
        _ => None,
    }
}

/// Runs the program in a folder; it must end with 0 or 1.
fn prepare(folder: &Path, line: &str) {
    let output = Command::new(HEAPMIN)
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{line}: {said}"
    );
}

/// Makes the files that examples name.
fn fill(folder: &Path, command: &str) {
    let library = candidate("sets_errno_on_success");
    for name in ["libmine", "libold", "libnew", "lib-1", "lib-2", "lib-3"] {
        fs::copy(library, folder.join(format!("{name}.so"))).unwrap();
    }
    let only = "check ./libmine.so --only heapmin.e* --format json --output";
    if matches!(command, "report" | "known" | "site" | "diff") {
        for name in ["run", "old", "new", "run-1", "run-2"] {
            prepare(folder, &format!("{only} {name}.json"));
        }
    }
    if command == "merge" {
        for part in [1, 2] {
            let part = format!("{only} part-{part}.json --partition slice:{part}/2");
            prepare(folder, &part);
        }
    }
    if matches!(command, "check" | "merge") {
        let update = "--expected expected.toml --update";
        prepare(folder, &format!("{only} unused.json {update}"));
    }
    let sequence = "# heapmin fuzz, version 1\na = malloc(8)\nfree(a)\n";
    fs::write(folder.join("heapmin-fuzz-7.txt"), sequence).unwrap();
    let make = folder.join("make");
    fs::write(&make, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&make, fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(folder: &Path, example: &str) {
    let programs = Path::new(HEAPMIN).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", example.trim_start_matches("git bisect run ")])
        .current_dir(folder)
        .env(
            "PATH",
            format!("{}:{}:{path}", folder.display(), programs.display()),
        )
        .env("HOME", folder)
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{example}: {said}"
    );
    assert!(!said.contains("error:"), "{example}: {said}");
}

fn run_examples(command: &str) {
    if let Some(tool) = tool_of(command)
        && !has(tool)
    {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    fill(folder.path(), command);
    for example in examples(command) {
        run(folder.path(), &example);
    }
}

/// A test for each of these commands, so that they run at the same time, and a list of them.
macro_rules! every_example_runs {
    ($($command:ident)*) => {
        const TESTED: &[&str] = &[$(stringify!($command)),*];

        mod every_example_runs {
            $(
                #[test]
                fn $command() {
                    super::run_examples(stringify!($command));
                }
            )*
        }
    };
}

every_example_runs! {
    check init report merge diff bisect known site list explain debug doctor fuzz repro bench
    completions man
}

#[test]
fn the_examples_of_every_command_run() {
    let commands = &commands()[1..];
    let shown: BTreeSet<&str> = commands.iter().map(String::as_str).collect();
    assert_eq!(BTreeSet::from_iter(TESTED.iter().copied()), shown);
    let others: Vec<String> = commands.iter().flat_map(|it| examples(it)).collect();
    for example in examples("") {
        assert!(others.contains(&example), "{example}");
    }
}

#[test]
fn the_definitions_are_consistent() {
    let check = |definition: Definition| definition.debug_assert();
    check(definitions());
}
