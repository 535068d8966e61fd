//! Tables of results that changed.

use super::Pages;
use super::history::Since;
use crate::clause::Verdict;
use crate::record::{Change, How};
use crate::views::html::text::{counted, shown};
use maud::{Markup, html};

/// What changed, in numbers: `regressed 2, mended 1`.
pub(super) fn in_numbers(since: &Since) -> String {
    let count = |kind| {
        since
            .diff
            .changes
            .iter()
            .filter(|it| it.kind == kind)
            .count()
    };
    let counts = How::ALL.iter().map(|(kind, word)| (count(*kind), word));
    let words = counts.filter(|(count, _)| *count > 0);
    let words: Vec<_> = words
        .map(|(count, word)| format!("{word} {count}"))
        .collect();
    match words.is_empty() {
        true => "nothing".into(),
        false => words.join(", "),
    }
}

/// The run that it is compared with.
pub(super) fn compared(pages: &Pages, since: &Since) -> Markup {
    html! {
        (super::started(pages.history, since.run))
        @if let Some(other) = &since.other { " (" (shown(other)) ")" }
    }
}

/// The first change of each clause, with the number of its others.
pub(super) fn by_clause<'a>(changes: &[&'a Change]) -> Vec<(&'a Change, usize)> {
    let mut clauses: Vec<(&Change, usize)> = Vec::new();
    for change in changes {
        match clauses
            .iter_mut()
            .find(|(it, _)| it.clause == change.clause)
        {
            Some((_, others)) => *others += 1,
            None => clauses.push((change, 0)),
        }
    }
    clauses
}

/// The row of a change, from the clause on. `others` is the number of other cases of the clause
/// that have no row. `up` leads from the page to the site's folder.
pub(super) fn cells(pages: &Pages, change: &Change, others: usize, up: &str) -> Markup {
    html! {
        th scope="row" { (pages.link_to_clause(&change.clause, up)) }
        td {
            code { (shown(&change.case)) }
            @if others > 0 { " and " (counted(others, "other", "others")) }
        }
        td.long { (verdict(change.before.0)) ": " (shown(&change.before.1)) }
        td.long { (verdict(change.after.0)) ": " (shown(&change.after.1)) }
    }
}

/// The headings of [`cells`].
pub(super) fn heads() -> Markup {
    html! {
        th scope="col" { "clause" }
        th scope="col" { "case" }
        th scope="col" { "before" }
        th scope="col" { "now" }
    }
}

/// A verdict with its sign.
fn verdict(verdict: Verdict) -> Markup {
    let (sign, class) = match verdict {
        Verdict::Pass => ("✓", "pass"),
        Verdict::Fail => ("✗", "fail"),
        Verdict::Crash => ("‼", "crash"),
        Verdict::Timeout => ("◔", "timeout"),
        Verdict::Error => ("?", "error"),
        Verdict::Unsupported => ("–", "open"),
    };
    let word = match verdict {
        Verdict::Unsupported => "not judged",
        other => other.name(),
    };
    html! { span class={ "outcome " (class) } { (sign) " " (word) } }
}

/// What changed for the version of this name since a run, and what makes the runs hard to compare.
pub(super) fn table(pages: &Pages, name: &str, since: &Since) -> Markup {
    let changes = since.diff.changes.iter();
    let (observations, others): (Vec<_>, Vec<_>) =
        changes.partition(|it| it.kind == How::ObservationChanged);
    let clauses = [
        ("not in this run", &since.diff.gone_clauses),
        ("not in the run before", &since.diff.added_clauses),
    ];
    html! {
        @if !since.diff.warnings.is_empty() {
            ul.messages { @for warning in &since.diff.warnings { li { (shown(warning)) } } }
        }
        @for (word, ids) in clauses.iter().filter(|(_, ids)| !ids.is_empty()) {
            details {
                summary { (counted(ids.len(), "clause is ", "clauses are ")) (word) }
                p {
                    @for (index, id) in ids.iter().enumerate() {
                        @if index > 0 { ", " }
                        (pages.link_to_clause(id, "../"))
                    }
                }
            }
        }
        @if !others.is_empty() { (rows(pages, name, since, &others)) }
        @if !observations.is_empty() {
            details {
                summary {
                    (counted(observations.len(), "result is", "results are"))
                    " as before, and something else was observed"
                }
                (rows(pages, name, since, &observations))
            }
        }
    }
}

fn rows(pages: &Pages, name: &str, since: &Since, changes: &[&Change]) -> Markup {
    html! {
        div.scroll role="region" tabindex="0"
            aria-label={ "Changes of " (shown(name)) " since " (shown(pages.history.started(since.run))) } {
            table {
                caption {
                    (counted(changes.len(), "result", "results")) " changed since "
                    (compared(pages, since))
                }
                thead { tr { th scope="col" { "change" } (heads()) } }
                tbody {
                    @for change in changes {
                        tr { td { (word(change.kind)) } (cells(pages, change, 0, "../")) }
                    }
                }
            }
        }
    }
}

/// The heading of a kind of change.
fn word(kind: How) -> &'static str {
    let mut all = How::ALL.iter();
    let (_, word) = all
        .find(|(known, _)| *known == kind)
        .expect("all are listed");
    word
}
