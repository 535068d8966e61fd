//! Collects the words that judges look for - names of facts, moments and
//! routines - from the sources, so that drafted observations have them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// Longer texts are sentences for readers.
const LONGEST: usize = 48;

fn main() {
    let clauses = Path::new("../src/clauses");
    let mut common = BTreeSet::new();
    for path in [
        "../src/judge.rs",
        "../src/calls.rs",
        "../src/clauses/workload.rs",
        "../src/clauses/exported.rs",
        "../../harness/src/wire/observation.rs",
    ] {
        common.extend(words(&read(Path::new(path))));
    }
    // A folder's files share their words.
    let mut groups: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in sources(clauses) {
        let inside = path.strip_prefix(clauses).expect("it is in there");
        let first = inside.components().next().expect("it has a name");
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
    let target = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says"));
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

/// What stands between quotes on one line.
fn words(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| !line.trim().starts_with("//"));
    let quoted = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted
        .filter(|word| (1..=LONGEST).contains(&word.len()) && !word.contains(['\\', '{']))
        .map(str::to_owned)
}

/// The names of clauses.
fn ids(text: &str) -> impl Iterator<Item = String> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("id: \""));
    lines.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
}
