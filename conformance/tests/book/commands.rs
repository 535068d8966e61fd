//! The commands of the book are run, and their output is compared with the book.
//!
//! A block of the language `console` has commands, which begin with `$ `, and their output. All
//! commands of a page run in one shell, in a new folder. `<!-- file: examples/heap/heap.c -->`
//! before a block says that the block is this file of the book; it is copied into the folder.
//! `<!-- uses: examples/heap/heap.c -->` only copies it.
//! `<!-- needs: jq -->` names programs without which the page is skipped.

use crate::{compare, pages};
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The name that the folder of the commands has in the book.
const FOLDER: &str = "/home/you/heap";

/// A part of a page.
enum Part {
    /// Text, and blocks that are not checked.
    Text(String),
    /// The lines of a block that shows a file, with the path of the file in the book.
    File { path: String, shown: String },
    /// A command, and the output that the book shows.
    Command { command: String, output: String },
}

fn marker<'a>(line: &'a str, kind: &str) -> Option<&'a str> {
    let inside = line.strip_prefix("<!-- ")?.strip_suffix(" -->")?;
    inside.strip_prefix(kind)?.strip_prefix(": ")
}

/// Splits a page. The parts, written one after another, are the page again.
fn parse(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut lines = text.split_inclusive('\n');
    let mut file = None;
    while let Some(line) = lines.next() {
        plain += line;
        if let Some(path) = marker(line.trim_end(), "file") {
            file = Some(path.to_owned());
        }
        let Some(language) = line.trim_end().strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.trim_end() != "```")
            .collect();
        let path = file.take();
        if path.is_none() && language != "console" {
            plain += &block.concat();
        } else {
            parts.push(Part::Text(std::mem::take(&mut plain)));
            match path {
                Some(path) => parts.push(Part::File {
                    path,
                    shown: block.concat(),
                }),
                None => parts.extend(commands(&block)),
            }
        }
        plain += "```\n";
    }
    parts.push(Part::Text(plain));
    parts
}

/// The commands of a block. A command goes on after a line that ends with a backslash.
fn commands(block: &[&str]) -> Vec<Part> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut goes_on = false;
    for line in block {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push((command.to_owned(), String::new()));
        } else {
            let (command, output) = found.last_mut().expect("a block begins with a command");
            *(if goes_on { command } else { output }) += line;
        }
        goes_on = (line.starts_with("$ ") || goes_on) && line.trim_end().ends_with('\\');
    }
    found
        .into_iter()
        .map(|(command, output)| Part::Command { command, output })
        .collect()
}

fn write(parts: &[Part]) -> String {
    parts.iter().fold(String::new(), |text, part| match part {
        Part::Text(part) | Part::File { shown: part, .. } => text + part,
        Part::Command { command, output } => text + "$ " + command + output,
    })
}

/// Runs the commands in one shell, in the folder, and returns the output of each.
fn run(commands: &[&str], folder: &Path) -> Vec<String> {
    // A line that no command prints.
    const END: &str = "---- the end of a command ----";
    let mut script = String::from("exec 2>&1\n");
    for command in commands {
        // The next command may ask for the exit status of this one.
        writeln!(script, "{command}status=$?; echo '{END}'; (exit $status)").expect("a string");
    }
    let program = Path::new(env!("CARGO_BIN_EXE_heapmin"));
    let path = std::env::var("PATH").unwrap_or_default();
    let first = program.parent().expect("a folder").display();
    let shell = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", format!("{first}:{path}"))
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .expect("bash starts");
    let here = folder.canonicalize().expect("a folder");
    let printed =
        String::from_utf8_lossy(&shell.stdout).replace(&here.display().to_string(), FOLDER);
    let mut outputs: Vec<String> = printed
        .split(&format!("{END}\n"))
        .map(str::to_owned)
        .collect();
    assert_eq!(
        outputs.pop().as_deref(),
        Some(""),
        "a command ended the shell:\n{printed}"
    );
    assert_eq!(outputs.len(), commands.len(), "{printed}");
    outputs.iter().map(|output| tidy(output)).collect()
}

/// Returns the output without spaces at the ends of lines, as the book has it.
fn tidy(output: &str) -> String {
    output
        .lines()
        .fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

/// Returns the missing programs that the page needs.
fn missing(text: &str) -> Vec<&str> {
    let needed = text.lines().filter_map(|line| marker(line, "needs"));
    let programs = needed.flat_map(str::split_whitespace);
    programs.filter(|it| which::which(it).is_err()).collect()
}

/// Returns what is wrong with a page. With UPDATE_BOOK=1 the page is written anew instead.
fn check(page: &Path, update: bool) -> Vec<String> {
    let text = pages::read(page);
    let mut parts = parse(&text);
    assert_eq!(write(&parts), text, "{}", page.display());
    let folder = tempfile::tempdir().expect("a folder");
    for path in text.lines().filter_map(|line| marker(line, "uses")) {
        let file = pages::book().join(path);
        let name = file.file_name().expect("a name");
        std::fs::copy(&file, folder.path().join(name))
            .unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let mut wrong = Vec::new();
    let mut commands = Vec::new();
    for part in &mut parts {
        match part {
            Part::Text(_) => {}
            Part::Command { command, .. } => commands.push(command.clone()),
            Part::File { path, shown } => {
                let file = pages::book().join(&*path);
                let found = pages::read(&file);
                let name = file.file_name().expect("a name");
                std::fs::write(folder.path().join(name), &found).expect("a file");
                if *shown != found {
                    wrong.push(format!("shows another text than docs/{path} has"));
                    *shown = found;
                }
            }
        }
    }
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let mut outputs = run(&commands, folder.path()).into_iter();
    for part in &mut parts {
        let Part::Command { command, output } = part else {
            continue;
        };
        let found = outputs.next().expect("an output for each command");
        if let Some(difference) = compare::difference(output, &found) {
            wrong.push(format!("$ {command}{difference}"));
            *output = found;
        }
    }
    if wrong.is_empty() || !update {
        return wrong;
    }
    std::fs::write(page, write(&parts)).expect("the book can be written");
    Vec::new()
}

#[test]
fn the_commands_of_the_book_print_what_it_shows() {
    let required = std::env::var("HEAPMIN_REQUIRE").unwrap_or_default();
    let required = required.split(',').any(|it| it == "all");
    let update = std::env::var_os("UPDATE_BOOK").is_some();
    let mut pages = pages::all();
    // The folders of docs/examples are programs with a test of their own.
    pages.retain(|page| !page.starts_with(pages::book().join("examples")));
    pages.retain(|page| {
        let text = pages::read(page);
        let missing = missing(&text);
        let runs = ["\n```console\n", "\n<!-- file: "]
            .iter()
            .any(|it| text.contains(it));
        let skipped = runs && !missing.is_empty() && !required;
        if skipped {
            eprintln!(
                "skipped: {}: install {}",
                pages::name(page),
                missing.join(" ")
            );
        }
        runs && !skipped
    });
    assert!(pages.len() > 2, "only {} pages have commands", pages.len());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let checks: Vec<_> = pages
            .iter()
            .map(|page| (page, scope.spawn(move || check(page, update))))
            .collect();
        let found = checks.into_iter().flat_map(|(page, check)| {
            let wrong = check
                .join()
                .unwrap_or_else(|_| vec!["cannot be checked; see above".into()]);
            wrong
                .into_iter()
                .map(|it| format!("{}: {it}", pages::name(page)))
                .collect::<Vec<_>>()
        });
        found.collect()
    });
    assert!(
        wrong.is_empty(),
        "{}\nUPDATE_BOOK=1 cargo test -p heapmin-conformance --test book writes the pages anew",
        wrong.join("\n")
    );
}

#[test]
fn a_page_is_split_into_commands_and_files() {
    let page = "a\n```console\n$ one \\\n  two\nout\n$ three\n```\nb\n<!-- file: x/y.c -->\n\n```c\nint a;\n```\n\n```c\nb\n```\n";
    let parts = parse(page);
    assert_eq!(write(&parts), page);
    let commands: Vec<_> = parts
        .iter()
        .filter_map(|part| match part {
            Part::Command { command, output } => Some((command.as_str(), output.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(commands, [("one \\\n  two\n", "out\n"), ("three\n", "")]);
    let file = parts.iter().find_map(|part| match part {
        Part::File { path, shown } => Some((path.as_str(), shown.as_str())),
        _ => None,
    });
    assert_eq!(file, Some(("x/y.c", "int a;\n")));
}
