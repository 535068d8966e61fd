//! Collects the words that judges look for (names of facts, moments and routines)
//! from the sources, for use in drafted observations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The greatest length of a word, in bytes; longer texts are sentences.
const LONGEST: usize = 48;

fn main() {
    let clauses = Path::new("../src/clauses");
    let mut common = BTreeSet::new();
    for path in [
        "../src/judge.rs",
        "../src/clause/check.rs",
        "../src/clauses/workload.rs",
        "../src/clauses/exported.rs",
        "../../harness/src/wire/observation.rs",
    ] {
        common.extend(words(&read(Path::new(path))));
    }
    // The files of a folder share their words.
    let mut groups: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in sources(clauses) {
        let inside = path
            .strip_prefix(clauses)
            .expect("the path begins with the folder");
        let first = inside
            .components()
            .next()
            .expect("the path has a file name");
        let group = first.as_os_str().to_string_lossy().into_owned();
        groups.entry(group).or_default().push(path);
    }
    let mut table = String::from(
        "/// Names of clauses, and the words of their sources.\npub static WORDS: &[(&[&str], &[&str])] = &[\n",
    );
    for paths in groups.values() {
        let text: String = paths.iter().map(|path| read(path)).collect();
        let ids: BTreeSet<_> = ids(&text).collect();
        let words: BTreeSet<_> = words(&text).chain(common.iter().cloned()).collect();
        writeln!(table, "    (&{ids:?}, &{words:?}),").expect("writing to a string");
    }
    let table = table
        .replace("&{", "&[")
        .replace("}, &[", "], &[")
        .replace("}),", "]),");
    let target = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(target.join("words.rs"), table + "];\n").expect("the folder can be written");
    println!("cargo::rerun-if-changed=../src");
    println!("cargo::rerun-if-changed=../../harness/src/wire/observation.rs");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the sources are there");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("readable sources").path()) {
        match path.is_dir() {
            true => found.extend(sources(&path)),
            false => found.push(path),
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("readable sources")
}

/// The quoted strings in a source that may be names of facts or the like.
fn words(text: &str) -> impl Iterator<Item = String> {
    let has_word = |it: &&str| (1..=LONGEST).contains(&it.len()) && !it.contains(['\\', '{']);
    quoted(text).filter(has_word).map(str::to_owned)
}

/// The ids of the clauses in a source, such as `malloc.keeps-errno`.
fn ids(text: &str) -> impl Iterator<Item = String> {
    let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
    let is_part = move |part: &str| !part.is_empty() && part.chars().all(is_plain);
    let is_id = move |it: &&str| {
        let parts = it.split_once('.');
        parts.is_some_and(|(family, rule)| is_part(family) && is_part(rule))
    };
    quoted(text).filter(is_id).map(str::to_owned)
}

/// The quoted strings in a source that are on one line, without those in comments.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().filter(|line| !line.trim().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2))
}
