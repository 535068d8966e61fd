//! The names that users have in their files and scripts (docs/guide/compatibility.md) stay.
//! `public-names.txt` lists them: a name may be added, with `UPDATE_BOOK=1`, and none is removed.
//! The clauses are in fixtures/promises instead, release by release.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod program;

use heapmin_conformance::record::SPECIFICATION;
use heapmin_conformance::test::UPDATE_VARIABLE;
use heapmin_conformance::{clauses, promises};
use heapmin_fixtures::LIBRARIES;
use heapmin_harness::library::inspect::recognise;
use heapmin_harness::library::profile::Profile;
use heapmin_harness::parent::installed::DATA_VARIABLE;
use heapmin_harness::parent::runners::WINDOWS_PROBE_VARIABLE;
use program::heapmin;
use rstest::rstest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/public-names.txt");
const SCHEMA: &str = include_str!("../../docs/report.schema.json");

#[test]
fn every_public_name_is_kept_and_listed() {
    let mut names = BTreeSet::new();
    names.extend(
        clauses::cases()
            .iter()
            .map(|case| format!("case {}", case.name)),
    );
    add_commands(&mut names);
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    add_json(&schema, &schema, "", &mut Vec::new(), &mut names);
    names.extend(
        exports_of_the_reference()
            .iter()
            .map(|it| format!("export {it}")),
    );
    for variable in [DATA_VARIABLE, UPDATE_VARIABLE, WINDOWS_PROBE_VARIABLE] {
        names.insert(format!("environment {variable}"));
    }
    let text = std::fs::read_to_string(LIST).unwrap_or_default();
    let mut listed: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let removed: Vec<_> = listed.difference(&names).collect();
    assert!(
        removed.is_empty(),
        "names that users rely on are gone: {removed:?}"
    );
    let added: Vec<_> = names.difference(&listed).cloned().collect();
    if std::env::var_os("UPDATE_BOOK").is_none() {
        assert!(
            added.is_empty(),
            "new names, which must stay from their release on: {added:?}: list them with \
             UPDATE_BOOK=1 cargo test -p heapmin-conformance --test compatibility"
        );
        return;
    }
    listed.extend(added);
    let lines = listed.iter().fold(String::new(), |mut text, it| {
        writeln!(text, "{it}").expect("writing to a string");
        text
    });
    std::fs::write(Path::new(LIST), lines).expect("the list can be written");
}

fn help(arguments: &[&str]) -> String {
    let output = heapmin(&[arguments, &["--help"]].concat());
    assert!(output.status.success(), "{arguments:?} --help fails");
    String::from_utf8(output.stdout).expect("help is text")
}

/// Each command with its options, as their `--help` shows them.
fn add_commands(names: &mut BTreeSet<String>) {
    let text = help(&[]);
    let commands: Vec<_> = text
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  "))
        // A deeper line continues the text of a command.
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains(&"check"), "{commands:?}");
    for command in commands {
        names.insert(format!("command {command}"));
        for line in help(&[command]).lines() {
            if let Some(option) = option_of(line) {
                names.insert(format!("option {command} {option}"));
            }
        }
    }
}

/// The long name of the option that a line of a help text begins: `  -v, --verbose  …`.
fn option_of(line: &str) -> Option<&str> {
    let text = line.trim_start_matches(' ');
    // A deeper line is text.
    if line.len() - text.len() > 6 || !text.starts_with('-') {
        return None;
    }
    let mut words = text.split([' ', ',', '=', '[']);
    words.find(|word| word.starts_with("--"))
}

/// The fields of a report, and the words that they may have, as the JSON Schema has them.
fn add_json<'a>(
    schema: &'a Value,
    part: &'a Value,
    path: &str,
    within: &mut Vec<&'a str>,
    names: &mut BTreeSet<String>,
) {
    if let Some(reference) = part["$ref"].as_str() {
        if within.contains(&reference) {
            return;
        }
        within.push(reference);
        let place = reference.trim_start_matches('#');
        let definition = schema.pointer(place).expect("a definition in the schema");
        add_json(schema, definition, path, within, names);
        within.pop();
    }
    for (name, field) in part["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}/{name}");
        names.insert(format!("json {path}"));
        add_json(schema, field, &path, within, names);
    }
    for (key, suffix) in [("items", "[]"), ("additionalProperties", "/*")] {
        if let Some(part) = part.get(key) {
            add_json(schema, part, &format!("{path}{suffix}"), within, names);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        for part in part[key].as_array().into_iter().flatten() {
            add_json(schema, part, path, within, names);
        }
    }
    let words = part["enum"].as_array().into_iter().flatten();
    for word in words.chain(part.get("const")).filter_map(Value::as_str) {
        names.insert(format!("json {path} = {word}"));
    }
}

fn exports_of_the_reference() -> Vec<String> {
    let name = "libheapmin_crt.so";
    let (_, bytes) = LIBRARIES
        .iter()
        .find(|(file, _)| *file == name)
        .expect("heapmin contains its reference");
    // An ELF header must be aligned.
    let aligned = bytes.to_vec();
    let library = recognise(Path::new(name), &aligned).expect("it is a library");
    library.exports
}

#[test]
fn a_file_of_expected_results_may_have_every_key_of_version_0_1() {
    let text = r#"
needs = "0.1.0"
[[known]]
clause = "heapmin.success-returns-zero"
case = "start-values"
maker = "other"
arch = "x86_64"
candidate = "reference"
verdict = ["fail", "crash"]
since = { library = "1.0" }
until = { wine = "9.0", library = "2.0" }
bug = "https://example.org/1"
added = 2026-11-26
why = "every key at once"
[[judged]]
clause = ["heapmin.success-returns-zero"]
candidate = "another"
"#;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("expected.toml");
    std::fs::write(&file, text).expect("the folder can be written");
    let file = file.to_string_lossy();
    let output = heapmin(&["check", "--only", "heapmin.exported", "--expected", &file]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_profile_may_have_every_key_of_version_0_1() {
    let text = r#"
title = "every key at once"
library = "libmine.so"
source = "path"
format = "elf"
errno = "msvc"
errno-library = "libc.so.6"
heap = "libheap.so"
alias = "libalias.so"
stands-for = "libreal.so"
assembly = "Mine.CRT"
stands-in = true
if-absent = "why"
if-empty = "why"
promised = ["_heapmin"]
gone = ["_heapadd"]
shares = ["wine"]
[needs]
heapmin = "0.1.0"
file = "libother.so"
install = "apt-get install libother1"
[environment]
NAME = "value"
[names]
_recalloc = "my_recalloc"
[[known]]
clause = "heapmin.never-grows"
why = "why"
"#;
    let profile = Profile::parse("mine", text).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(profile.names["_recalloc"], "my_recalloc");
}

#[test]
fn the_oldest_rust_is_the_one_that_ci_checks() {
    let text = |path: &str| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        std::fs::read_to_string(root.join(path)).expect("a file of the repository")
    };
    let cargo = text("Cargo.toml");
    let oldest = cargo
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .expect("Cargo.toml names the oldest Rust")
        .trim_matches('"');
    let workflow = text(".github/workflows/ci.yml");
    for wanted in [
        format!("toolchain install {oldest} "),
        format!("cargo +{oldest} check"),
    ] {
        assert!(workflow.contains(&wanted), "ci.yml has no `{wanted}`");
    }
}

/// With UPDATE_BOOK=1, writes the file of a new version; a file that exists is never changed.
#[test]
fn the_promises_of_this_program_have_a_file() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/promises");
    let path = Path::new(folder).join(format!("{SPECIFICATION}.tsv"));
    if std::env::var_os("UPDATE_BOOK").is_some() && !path.exists() {
        std::fs::write(&path, promises::text()).expect("the folder can be written");
    }
    assert!(
        path.exists(),
        "fixtures/promises has no {SPECIFICATION}.tsv: write it with \
         UPDATE_BOOK=1 cargo test -p heapmin-conformance --test compatibility"
    );
}

#[rstest]
#[case::human("human")]
#[case::json("json")]
#[case::junit("junit")]
#[case::html("html")]
fn a_run_that_an_earlier_version_saved_is_read(#[case] format: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder with saved runs") {
        let path = entry.expect("a saved run").path();
        let text = std::fs::read_to_string(&path).expect("a saved run");
        let run: Value = serde_json::from_str(&text).expect("a saved run is JSON");
        let file = path.to_string_lossy();
        let output = heapmin(&["report", &file, "--format", format]);
        let said = String::from_utf8_lossy(&output.stderr);
        let status = output.status.code().map(i64::from);
        assert_eq!(status, run["status"].as_i64(), "{file}: {said}");
        if format == "json" {
            let again: Value = serde_json::from_slice(&output.stdout).expect("a run is JSON");
            assert!(has(&again, &run), "{file} lost a value");
        }
        count += 1;
    }
    assert!(count > 0, "no run is saved");
}

/// Whether a value has all of another one. It may have more fields.
fn has(value: &Value, all: &Value) -> bool {
    match (value, all) {
        (Value::Object(value), Value::Object(all)) => all
            .iter()
            .all(|(name, field)| value.get(name).is_some_and(|it| has(it, field))),
        (Value::Array(value), Value::Array(all)) => {
            value.len() == all.len() && value.iter().zip(all).all(|(value, all)| has(value, all))
        }
        _ => value == all,
    }
}
