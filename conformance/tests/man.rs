//! `heapmin man`: the pages are complete, and other programs can read them.
#![cfg(target_os = "linux")]

mod program;
mod required;

use heapmin_conformance::cli::definitions;
use program::heapmin;
use required::skip;
use rstest::rstest;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use tempfile::TempDir;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The names of the visible commands.
fn commands() -> Vec<String> {
    let program = definitions();
    let shown = program.get_subcommands().filter(|it| !it.is_hide_set());
    shown.map(|it| it.get_name().to_owned()).collect()
}

#[test]
fn a_page_for_each_command_is_written_and_printed() {
    let folder = TempDir::new().expect("a folder");
    let pages = folder.path().join("share/man1");
    let output = heapmin(&["man", "--output-dir", pages.to_str().unwrap()]);
    assert_eq!(text(&output.stderr), "");
    let names = fs::read_dir(&pages).expect("the folder is made");
    let names: BTreeSet<String> = names
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    let of_commands = commands().into_iter().map(|it| format!("heapmin-{it}.1"));
    let wanted: BTreeSet<String> = of_commands.chain(["heapmin.1".into()]).collect();
    assert_eq!(names, wanted);
    let read = |name: &str| fs::read_to_string(pages.join(name)).expect("a page");
    assert_eq!(read("heapmin.1"), text(&heapmin(&["man"]).stdout));
    for command in commands() {
        let page = read(&format!("heapmin-{command}.1"));
        assert_eq!(page, text(&heapmin(&["man", &command]).stdout));
        for section in ["NAME", "SYNOPSIS", "GLOBAL OPTIONS", "EXAMPLES"] {
            let heading = [format!(".SH {section}\n"), format!(".SH \"{section}\"\n")];
            let has = heading.iter().any(|it| page.contains(it.as_str()));
            assert!(has, "{command}: {section}\n{page}");
        }
    }
}

#[test]
fn a_page_has_its_examples_line_by_line() {
    let page = text(&heapmin(&["man", "diff"]).stdout);
    let examples = page.split("EXAMPLES\n").nth(1).expect("examples");
    let lines: Vec<&str> = examples
        .lines()
        .filter(|it| it.starts_with("heapmin"))
        .collect();
    assert_eq!(lines.len(), 2, "{page}");
    assert!(examples.starts_with(".nf\n"), "{page}");
}

/// A formatter reads a page without an error, and groff without a warning.
#[rstest]
#[case::mandoc(&["mandoc", "-T", "lint", "-W", "error"])]
#[case::groff(&["groff", "-man", "-ww", "-z"])]
fn a_formatter_accepts_every_page(#[case] command: &[&str]) {
    let (program, arguments) = command.split_first().unwrap();
    for name in commands().iter().map(String::as_str).chain([""]) {
        let words = ["man", name];
        let page = heapmin(if name.is_empty() { &words[..1] } else { &words }).stdout;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut child) = child else {
            return skip(&format!("{program} is missing: install it"));
        };
        child
            .stdin
            .take()
            .unwrap()
            .write_all(&page)
            .expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{name}: {said}");
    }
}

#[rstest]
#[case::unknown(&["man", "chekc"], "did you mean check?")]
#[case::internal(&["man", "probe"], "no command is called probe")]
#[case::not_a_folder(&["man", "--output-dir", "/dev/null/x"], "cannot be written")]
fn a_wrong_page_is_refused(#[case] arguments: &[&str], #[case] words: &str) {
    let output = heapmin(arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains(words),
        "{}",
        text(&output.stderr)
    );
}
