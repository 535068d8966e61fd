//! The texts in C from which files are made: bodies by clause, what differs between
//! routines, and helpers that a body names.
//!
//! Each text has sections. A line `//: KIND WORDS` begins one:
//!
//! - `test PATTERNS`: the body for the clauses that match. After it may come
//!   `//: optional ROUTINES`, which the body calls only if the library has them, and
//!   `//: keys WORDS`, for lines that belong to several clauses.
//! - `group KEY NAMES`: a key for the clauses of these names.
//! - `routine NAME KEYS`: keys and macros for the clauses of a routine.
//! - `helper NAMES`: code that a file gets if it uses one of the names.
//! - `without PATTERNS`: clauses that have no file; the text is the reason.

use super::Body;
use super::template::{self, Macro, find_word};
use crate::clause::{Clause, Level, Seen};
use crate::clauses;
use globset::Glob;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const TEXTS: &[&str] = &[
    include_str!("c/routines.c"),
    include_str!("c/helpers.c"),
    include_str!("c/blocks.c"),
    include_str!("c/whole_heap.c"),
    include_str!("c/memory.c"),
    include_str!("c/errors.c"),
    include_str!("c/strings.c"),
    include_str!("c/threads.c"),
    include_str!("c/faults.c"),
    include_str!("c/process.c"),
    include_str!("c/without.txt"),
];

struct Section {
    kind: &'static str,
    words: Vec<&'static str>,
    text: &'static str,
}

impl Section {
    fn is_of(&self, clause: &Clause) -> bool {
        self.words.iter().any(|pattern| {
            let pattern = Glob::new(pattern).expect("a valid pattern");
            pattern.compile_matcher().is_match(clause.id)
        })
    }
}

static SECTIONS: LazyLock<Vec<Section>> =
    LazyLock::new(|| TEXTS.iter().flat_map(|text| sections(text)).collect());

const MARK: &str = "//: ";

fn sections(text: &'static str) -> Vec<Section> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = find_line(rest, MARK) {
        let begin = &rest[start + MARK.len()..];
        let (head, body) = begin.split_once('\n').unwrap_or((begin, ""));
        let end = find_line(body, MARK).unwrap_or(body.len());
        let mut words = head.split_whitespace();
        found.push(Section {
            kind: words.next().unwrap_or_default(),
            words: words.collect(),
            text: &body[..end],
        });
        rest = &body[end..];
    }
    found
}

/// The place of the first line that begins with this text.
fn find_line(text: &str, begin: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(begin) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// The sections of the body for a clause: the one of kind `test`, and those after it that
/// say more about it.
pub(super) fn declared(clause: &Clause) -> Option<usize> {
    let is_it = |section: &Section| section.kind == "test" && section.is_of(clause);
    SECTIONS.iter().position(is_it)
}

/// The body that is written for a clause.
pub(super) fn body(clause: &Clause, seen: &Seen) -> Option<Body> {
    let at = declared(clause)?;
    let mut keys = BTreeSet::new();
    // The part of the id after the point, such as `alignment`.
    keys.extend(clause.id.split('.').next_back().map(str::to_owned));
    let profile = seen.candidate.profile.as_ref();
    if profile.is_some_and(|profile| profile.has_no(clause.routine)) {
        keys.insert("gone".to_owned());
    }
    let mut optional = BTreeSet::new();
    let mut text = SECTIONS[at].text;
    for section in &SECTIONS[at + 1..] {
        match section.kind {
            "optional" => optional.extend(section.words.iter().map(|it| (*it).to_owned())),
            "keys" => keys.extend(section.words.iter().map(|it| (*it).to_owned())),
            _ => break,
        }
        text = section.text;
    }
    let name = format!("ROUTINE {}", clause.routine);
    let own = SECTIONS.iter().find(|section| {
        section.kind == "routine" && section.words.first() == Some(&clause.routine)
    });
    let mut macros = Vec::new();
    if let Some(own) = own {
        keys.extend(own.words[1..].iter().map(|it| (*it).to_owned()));
        let lines = own.text.lines().filter(|line| !line.is_empty());
        macros.extend(lines.map(Macro::parse));
    }
    macros.push(Macro::parse(&name));
    for group in SECTIONS.iter().filter(|it| it.kind == "group") {
        if group.words[1..].iter().any(|key| keys.contains(*key)) {
            keys.insert(group.words[0].to_owned());
        }
    }
    let code = template::expand(&template::keep(text, &keys), &macros);
    Some(Body { code, optional })
}

/// The helpers that some code names, and those that they name, in the order of the texts.
pub(super) fn helpers(code: &str) -> Vec<&'static str> {
    let mut taken: Vec<&'static str> = Vec::new();
    let mut all = code.to_owned();
    // A helper names only those before it.
    for section in SECTIONS.iter().rev().filter(|it| it.kind == "helper") {
        if section
            .words
            .iter()
            .any(|word| find_word(&all, word).is_some())
        {
            all += section.text;
            taken.push(section.text);
        }
    }
    taken.reverse();
    taken
}

/// Why a clause has no file; `None` if it has one.
pub fn without(clause: &Clause) -> Option<String> {
    if clause.level == Level::Record {
        return Some("it is recorded and never judged, so nothing is right or wrong".into());
    }
    let mut sections = SECTIONS.iter().filter(|it| it.kind == "without");
    let section = sections.find(|section| section.is_of(clause))?;
    Some(
        section
            .text
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// What is wrong with the texts: a pattern that matches no clause, and a clause that has
/// both a body and a reason for none.
pub fn complaints() -> Vec<String> {
    let mut found = Vec::new();
    for section in SECTIONS
        .iter()
        .filter(|it| matches!(it.kind, "test" | "without"))
    {
        for pattern in &section.words {
            let matcher = Glob::new(pattern)
                .expect("a valid pattern")
                .compile_matcher();
            if !clauses::all().any(|clause| matcher.is_match(clause.id)) {
                found.push(format!("{pattern} matches no clause"));
            }
        }
    }
    for clause in clauses::all() {
        if declared(clause).is_some() && without(clause).is_some() {
            found.push(format!("{} has a body and a reason for none", clause.id));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_agree_with_the_clauses() {
        assert_eq!(complaints(), Vec::<String>::new());
    }
}
