//! `--update`: changes the `--expected` file to match a run.

use super::File;
use super::addition::{Addition, NewJudged, additions, new_judged, quoted};
use super::contents::Contents;
use super::edit::Edits;
use super::known::{Expected, Judged, Known};
use super::names;
use super::place::Place;
use super::status::{EntryStatus, entry_status, not_judged};
use crate::clause::Verdict;
use crate::clauses;
use crate::run::Checked;
use heapmin_harness::text::input_error::InputError;
use std::fmt;
use std::ops::Range;

/// The first lines of a new file.
const TOP: [&str; 2] = [
    "# Expected results of `heapmin check`. --update removes entries from this file and",
    "# adds new ones. Everything else stays as it is: comments, reasons, order.",
];

/// The comment above a new list of judged clauses.
const ABOVE_JUDGED: [&str; 2] = [
    "# The clauses that were judged when this list was written. If one of them is",
    "# `unsupported` now, it is no longer checked, and the run fails.",
];

/// The numbers of entries that an update changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Entries of known deviations that were added and removed.
    pub known: (usize, usize),
    /// Results that the added entries list.
    pub results: usize,
    /// Judged clauses that were added and removed.
    pub judged: (usize, usize),
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Changes::default() {
            return f.write_str("nothing to change");
        }
        let (known, judged) = (self.known, self.judged);
        let for_results = match self.results {
            0 => String::new(),
            results => format!(" (results: {results})"),
        };
        write!(
            f,
            "known deviations: added {}{for_results}, removed {}; judged clauses: added {}, removed {}",
            known.0, known.1, judged.0, judged.1
        )
    }
}

/// Returns the text of the file after the update, and the number of changes. New entries
/// have the day `today`. Entries
/// whose cases were not all run stay, and entries with versions: other versions may still
/// have the deviation.
///
/// # Errors
/// If the file has a form that the update cannot change.
pub fn update(
    file: &File,
    checked: &[Checked],
    today: &str,
) -> Result<(String, Changes), InputError> {
    let known = &file.expected.known;
    let judged = &file.expected.judged;
    let mut edits = Edits::new(&file.text);
    let stale = |entry: &Known| {
        let status = entry_status(entry, checked);
        matches!(status, EntryStatus::Stale(_)) && !entry.versions.are_bounded()
    };
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

    let new_known = additions(file, checked);
    add_known(&mut edits, file, &new_known, today);
    let new_judged = new_judged(file, checked, &lost);
    add_judged(&mut edits, file, &new_judged, &lost);

    let count = |removed: &[bool]| removed.iter().filter(|it| **it).count();
    let new_clauses = new_judged.iter().map(|(_, clauses)| clauses.len());
    let changes = Changes {
        known: (new_known.len(), count(&stale)),
        results: unexpected(checked),
        judged: (new_clauses.sum(), count(&lost)),
    };
    let text = edits.apply();
    let intended = Contents::intended(
        &file.expected,
        &stale,
        &lost,
        &new_known,
        &new_judged,
        today,
    );
    match Expected::parse(&file.name, &text) {
        Ok(written) if Contents::of(&written) == intended => {
            names::check(&written).map_err(|error| {
                let problem = format!("--update would add an entry twice: {}", error.problem);
                InputError::new(
                    problem,
                    "delete the older entry, or its `since` and `until`",
                )
            })?;
            Ok((text, changes))
        }
        _ => Err(InputError::new(
            format!("{} has a form that --update cannot change", file.name),
            "write each entry as [[known]] or [[judged]], with each key on its own line",
        )),
    }
}

/// The number of results that entries can list and none does.
fn unexpected(checked: &[Checked]) -> usize {
    let outcomes = checked.iter().flat_map(|one| &one.outcomes);
    let unlisted = outcomes.filter(|it| it.is_unexpected());
    unlisted
        .filter(|it| it.judgement.verdict != Verdict::Error)
        .count()
}

/// Removes whole entries, or names from the lists of entries. `removed` says for each
/// place whether it goes.
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

/// Adds entries after the last known deviation, or at the end if the file lists none.
fn add_known(edits: &mut Edits, file: &File, added: &[Addition], today: &str) {
    if file.text.is_empty() {
        edits.add_block_at_end(TOP.map(str::to_owned).into());
    }
    for addition in added {
        match file.end_of_last_known() {
            Some(at) => edits.add_block_after(at, addition.lines(Some(today))),
            None => edits.add_block_at_end(addition.lines(Some(today))),
        }
    }
}

/// Adds clauses to the last list of their candidate, in the order of the clauses. If
/// the candidate has no list, adds one at the end.
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
        let mut groups: Vec<(Option<&Range<usize>>, Vec<String>)> = Vec::new();
        for id in ids {
            let predecessors = list.iter().filter(|(it, _)| order(&it.clause) < order(id));
            let anchor = predecessors
                .max_by_key(|(it, _)| order(&it.clause))
                .map(|(_, bytes)| bytes);
            match groups.iter_mut().find(|(other, _)| *other == anchor) {
                Some((_, names)) => names.push(quoted(id)),
                None => groups.push((anchor, vec![quoted(id)])),
            }
        }
        for (anchor, names) in groups {
            match anchor {
                Some(name) => edits.add_names_after(name, &names),
                None => edits.add_names_before(&list[0].1, &names),
            }
        }
    }
}

/// The lines of a new list of judged clauses.
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

/// The position of a clause in the order of the report.
fn order(id: &str) -> usize {
    clauses::all()
        .position(|clause| clause.id == id)
        .unwrap_or(usize::MAX)
}
