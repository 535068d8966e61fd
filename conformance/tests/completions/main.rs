//! `heapmin completions`: each shell loads what the program prints, and completes with it.
//!
//! A shell that is not on this machine is skipped, and the run says so; with HEAPMIN_REQUIRE=all,
//! bash, zsh and fish must be there. PowerShell is in no package of Debian, so only the form of
//! its text is checked.
#![cfg(target_os = "linux")]

#[path = "../required/mod.rs"]
mod required;

use heapmin_conformance::cli::definitions;
use required::has;
use rstest::rstest;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const HEAPMIN: &str = env!("CARGO_BIN_EXE_heapmin");
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/completions");

/// What the command prints for a shell, or for an option.
fn completions(shell: &str) -> String {
    let output = Command::new(HEAPMIN)
        .args(["completions", shell])
        .output()
        .expect("the program starts");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a shell offers for the last word of a line, in a folder with the file `libmine.so`.
fn offered(shell: &str, line: &str) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, text: String| {
        fs::write(folder.path().join(name), text).expect("it can be written");
    };
    write("_heapmin", completions(shell));
    write("libmine.so", String::new());
    let inner = fs::read_to_string(Path::new(SCRIPTS).join("inner.zsh"));
    write("inner.zsh", inner.expect("a script"));
    let ending = if shell == "elvish" { "elv" } else { shell };
    let script = Path::new(SCRIPTS).join(format!("complete.{ending}"));
    let output = Command::new(shell)
        .arg(script)
        .arg(line)
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the shell starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "", "{shell}: {line}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = text.lines().map(str::trim);
    let names = names.skip_while(|it| *it != "BEGIN").skip(1);
    let names: Vec<&str> = names.take_while(|it| *it != "END").collect();
    assert!(text.contains("END"), "{shell}: {line}: {text}");
    // fish writes a description after each name.
    let names = names
        .iter()
        .map(|it| it.split('\t').next().unwrap_or_default());
    names.map(str::to_owned).collect()
}

/// A line, a name that completes its last word, and one that does not.
#[rstest]
#[case::command("heapmin che", "check", "report")]
#[case::option("heapmin check --exp", "--expected", "--only")]
#[case::global_option("heapmin list --qu", "--quiet", "--verbose")]
#[case::format("heapmin check --format ju", "junit", "human")]
#[case::level("heapmin check --must-judge sh", "should", "record")]
#[case::color("heapmin list --color al", "always", "never")]
#[case::clause(
    "heapmin check --only heapmin.rel",
    "heapmin.releases-memory",
    "free.exported"
)]
#[case::family("heapmin check --skip heapw", "heapwalk", "heapchk")]
#[case::profile("heapmin check --profile ucrt", "ucrtbase", "msvcrt")]
#[case::library("heapmin check ucrt", "ucrtbase", "msvcrt")]
#[case::second_library("heapmin check msvcrt ucrt", "ucrtbase", "msvcrt")]
#[case::release("heapmin check --promises 2026", "2026.1", "reference")]
#[case::explained(
    "heapmin explain heapmin.idem",
    "heapmin.idempotent",
    "heapmin.exported"
)]
#[case::routine("heapmin explain _heapw", "_heapwalk", "_heapmin")]
#[case::shown("heapmin repro heapmin.idem", "heapmin.idempotent", "heapmin.exported")]
#[case::bisected(
    "heapmin bisect heapmin.idem",
    "heapmin.idempotent",
    "heapmin.exported"
)]
#[case::debugged("heapmin debug heapmin.idem", "heapmin.idempotent", "heapmin.exported")]
#[case::benchmark("heapmin bench --only sma", "small", "tiny")]
#[case::left_out("heapmin fuzz --without _msi", "_msize", "free")]
#[case::other_library("heapmin fuzz --against ucrt", "ucrtbase", "msvcrt")]
#[case::shell("heapmin completions z", "zsh", "bash")]
#[case::page("heapmin man che", "check", "report")]
#[case::ci("heapmin init --ci gitl", "gitlab", "github")]
fn a_shell_completes_names(
    #[values("bash", "zsh", "fish")] shell: &str,
    #[case] line: &str,
    #[case] wanted: &str,
    #[case] other: &str,
) {
    if !has(shell) {
        return;
    }
    let names = offered(shell, line);
    let has = |name: &str| names.iter().any(|it| it == name);
    assert!(has(wanted), "{shell}: {line}: {names:?}");
    assert!(!has(other), "{shell}: {line}: {names:?}");
}

/// Bash completes files by itself where the completions have nothing to offer.
#[rstest]
#[case::library("heapmin check libm")]
#[case::of_an_option("heapmin check --heap libm")]
#[case::after_a_clause("heapmin repro heapmin.exported libm")]
fn a_library_may_be_a_file(#[values("bash", "zsh", "fish")] shell: &str, #[case] line: &str) {
    if !has(shell) {
        return;
    }
    let mut names = offered(shell, line);
    names.retain(|name| !name.is_empty());
    match shell {
        "bash" => assert_eq!(names, [""; 0]),
        _ => assert_eq!(names, ["libmine.so"]),
    }
    assert!(completions("bash").contains("-o bashdefault -o default heapmin\n"));
}

#[rstest]
fn the_command_that_only_the_program_starts_is_not_offered(
    #[values("bash", "zsh", "fish", "elvish")] shell: &str,
) {
    if !has(shell) {
        return;
    }
    let names = offered(shell, "heapmin pr");
    assert!(names.iter().all(|it| it != "probe"), "{shell}: {names:?}");
}

#[test]
fn elvish_completes_commands_and_options() {
    if !has("elvish") {
        return;
    }
    let commands = offered("elvish", "heapmin ");
    for command in definitions()
        .get_subcommands()
        .filter(|it| !it.is_hide_set())
    {
        let name = command.get_name();
        assert!(commands.iter().any(|it| it == name), "{name}: {commands:?}");
    }
    let options = offered("elvish", "heapmin check --exp");
    assert!(options.iter().any(|it| it == "--expected"), "{options:?}");
}

/// A new user does not have the folders for the files yet.
#[rstest]
#[case::bash("bash", ".local/share/bash-completion/completions/heapmin")]
#[case::fish("fish", ".config/fish/completions/heapmin.fish")]
fn the_printed_commands_write_the_file_that_a_shell_loads(#[case] shell: &str, #[case] file: &str) {
    let help = completions("--help");
    let start = format!("  {shell} ");
    let mut lines = help.lines().skip_while(|line| !line.starts_with(&start));
    let first = lines.next().expect("help has the shell");
    let more = lines.take_while(|line| line.starts_with("   "));
    let commands = [&first[start.len()..]].into_iter().chain(more);
    let home = TempDir::new().expect("a folder");
    let programs = Path::new(HEAPMIN).parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let status = Command::new("sh")
        .args(["-ec", &commands.collect::<Vec<_>>().join("\n")])
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("HOME", home.path())
        .status()
        .expect("a shell");
    assert!(status.success());
    let written = fs::read_to_string(home.path().join(file)).expect("the file is there");
    assert_eq!(written, completions(shell));
}

/// In a text for PowerShell, quotes are closed on their line, and brackets are in pairs.
#[test]
fn the_text_for_powershell_has_whole_quotes_and_brackets() {
    let text = completions("powershell");
    let mut open = Vec::new();
    for line in text.lines() {
        let mut quoted = line.split('\'');
        let code: String = quoted.clone().step_by(2).collect();
        assert_eq!(quoted.by_ref().count() % 2, 1, "{line}");
        for bracket in code.chars() {
            match bracket {
                '{' | '(' | '[' => open.push(bracket),
                '}' => assert_eq!(open.pop(), Some('{'), "{line}"),
                ')' => assert_eq!(open.pop(), Some('('), "{line}"),
                ']' => assert_eq!(open.pop(), Some('['), "{line}"),
                _ => {}
            }
        }
    }
    assert!(open.is_empty() && text.contains("Register-ArgumentCompleter"));
    for command in definitions().get_subcommands() {
        let case = format!("'heapmin;{}' {{", command.get_name());
        assert_eq!(text.contains(&case), !command.is_hide_set(), "{case}");
    }
}
