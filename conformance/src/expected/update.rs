//! `--update`: a file of expected results is brought to what a run found.

use super::File;
use super::addition::{Addition, NewJudged, additions, new_judged, quoted};
use super::contents::Contents;
use super::edit::Edits;
use super::known::{Expected, Judged, Known, Place};
use super::standing::{Standing, not_judged, of_known};
use crate::clauses;
use crate::run::Checked;
use heapmin_harness::text::input_error::InputError;
use std::fmt;
use std::ops::Range;

/// What a file begins with that was not there before.
const TOP: [&str; 2] = [
    "# What `heapmin check` is expected to find. With --update it takes entries out of",
    "# this file and adds new ones; all else stays as it is: comments, reasons, order.",
];

/// What stands above a list of clauses that were judged.
const ABOVE_JUDGED: [&str; 2] = [
    "# The clauses that were judged when this was written. One that comes out as",
    "# `unsupported` now is no longer checked, and fails the run.",
];

/// How much an update changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Known deviations: added and removed.
    pub known: (usize, usize),
    /// Clauses that are judged: added and removed.
    pub judged: (usize, usize),
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Changes::default() {
            return f.write_str("nothing to change");
        }
        let (known, judged) = (self.known, self.judged);
        write!(
            f,
            "known deviations: added {}, removed {}; judged clauses: added {}, removed {}",
            known.0, known.1, judged.0, judged.1
        )
    }
}

/// The file's text as the run would have it, and what is different. What the
/// run did not check stays as it is.
///
/// # Errors
/// If the file is written in a way that this cannot change.
pub fn update(file: &File, checked: &[Checked]) -> Result<(String, Changes), InputError> {
    let known = &file.expected.known;
    let judged = &file.expected.judged;
    let mut edits = Edits::new(&file.text);
    let stale = |entry: &Known| matches!(of_known(entry, checked), Standing::Stale(_));
    let stale: Vec<bool> = known.iter().map(stale).collect();
    let lost = |entry: &Judged| !not_judged(entry, checked).is_empty();
    let lost: Vec<bool> = judged.iter().map(lost).collect();
    let places: Vec<&Place> = known
        .iter()
        .map(|entry| &entry.place)
        .chain(judged.iter().map(|entry| &entry.place))
        .collect();
    let removed: Vec<bool> = stale.iter().chain(&lost).copied().collect();
    remove(&mut edits, &places, &removed);

    let new_known = additions(checked, file.is_named(checked));
    add_known(&mut edits, file, &new_known);
    let new_judged = new_judged(file, checked, &lost);
    add_judged(&mut edits, file, &new_judged, &lost);

    let counted = |removed: &[bool]| removed.iter().filter(|it| **it).count();
    let new_places = new_known.iter().map(|it| it.named_cases().len().max(1));
    let new_clauses = new_judged.iter().map(|(_, clauses)| clauses.len());
    let changes = Changes {
        known: (new_places.sum(), counted(&stale)),
        judged: (new_clauses.sum(), counted(&lost)),
    };
    let text = edits.apply();
    let wanted = Contents::wanted(&file.expected, &stale, &lost, &new_known, &new_judged);
    match Expected::parse(&file.name, &text) {
        Ok(written) if Contents::of(&written) == wanted => Ok((text, changes)),
        _ => Err(InputError::new(
            format!(
                "{} is written in a way that --update cannot change",
                file.name
            ),
            "write each entry as [[known]] or [[judged]] with its keys on lines of their own",
        )),
    }
}

/// Takes entries out, or names out of the lists of entries.
fn remove(edits: &mut Edits, places: &[&Place], removed: &[bool]) {
    let mut entries: Vec<&Range<usize>> = places.iter().map(|place| &place.entry).collect();
    entries.sort_by_key(|entry| entry.start);
    entries.dedup();
    let mut floor = 0;
    for entry in entries {
        let of_entry: Vec<usize> = (0..places.len())
            .filter(|at| places[*at].entry == *entry)
            .collect();
        if of_entry.iter().all(|at| removed[*at]) {
            edits.remove_entry(entry, floor);
        } else {
            let names: Option<Vec<_>> = of_entry
                .iter()
                .map(|at| places[*at].in_list.clone())
                .collect();
            edits.remove_names(&names.unwrap_or_default(), |at| removed[of_entry[at]]);
        }
        floor = entry.end;
    }
}

/// Behind the last known deviation or, if there is none, at the end.
fn add_known(edits: &mut Edits, file: &File, added: &[Addition]) {
    if file.text.is_empty() {
        edits.add_block_at_end(TOP.map(str::to_owned).into());
    }
    for addition in added {
        match file.last_known() {
            Some(at) => edits.add_block_behind(at, addition.lines()),
            None => edits.add_block_at_end(addition.lines()),
        }
    }
}

/// Into the last list of that candidate, in the order of the clauses; or into
/// a new one at the end.
fn add_judged(edits: &mut Edits, file: &File, new: &NewJudged, lost: &[bool]) {
    for (candidate, ids) in new {
        let entries = file.expected.judged.iter().zip(lost);
        let kept = entries
            .filter(|(entry, is_lost)| entry.candidate == *candidate && !**is_lost)
            .filter_map(|(entry, _)| Some((entry, entry.place.in_list.clone()?)));
        let kept: Vec<_> = kept.collect();
        let Some((last, _)) = kept.last() else {
            edits.add_block_at_end(judged_lines(candidate.as_deref(), ids));
            continue;
        };
        let list: Vec<_> = kept
            .iter()
            .filter(|(entry, _)| entry.place.entry == last.place.entry)
            .collect();
        let mut behind: Vec<(Option<&Range<usize>>, Vec<String>)> = Vec::new();
        for id in ids {
            let before = list.iter().filter(|(it, _)| order(&it.clause) < order(id));
            let anchor = before
                .max_by_key(|(it, _)| order(&it.clause))
                .map(|(_, bytes)| bytes);
            match behind.iter_mut().find(|(known, _)| *known == anchor) {
                Some((_, names)) => names.push(quoted(id)),
                None => behind.push((anchor, vec![quoted(id)])),
            }
        }
        for (anchor, names) in behind {
            match anchor {
                Some(name) => edits.add_names_behind(name, &names),
                None => edits.add_names_before(&list[0].1, &names),
            }
        }
    }
}

fn judged_lines(candidate: Option<&str>, ids: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = ABOVE_JUDGED.map(str::to_owned).into();
    lines.push("[[judged]]".into());
    if let Some(candidate) = candidate {
        lines.push(format!("candidate = {}", quoted(candidate)));
    }
    lines.push("clause = [".into());
    lines.extend(ids.iter().map(|id| format!("    {},", quoted(id))));
    lines.push("]".into());
    lines
}

/// The place of a clause among all.
fn order(id: &str) -> usize {
    clauses::all()
        .position(|clause| clause.id == id)
        .unwrap_or(usize::MAX)
}
