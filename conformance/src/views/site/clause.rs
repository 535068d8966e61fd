//! The page of a clause: what it promises, which libraries keep it, and since when.

use super::clauses::{Promised, Series};
use super::{Pages, link_to_library, page_of_library, started, up};
use crate::clause::{Level, Reason, Verdict};
use crate::record::Outcome;
use crate::views::html::deviation::{known, source};
use crate::views::html::text::{counted, shown};
use crate::views::html::words::{Word, badge_with, verdict};
use maud::{Markup, html};

/// Of more changes of a result, the older ones are left out.
const MOST_SPANS: usize = 5;

/// The page.
pub(super) fn page(pages: &Pages, promised: &Promised) -> String {
    let promise = promised.promise;
    let header = html! {
        h1 { (shown(&promise.id)) }
        p.lead { (shown(&promise.promise)) }
        (up())
    };
    let (past, current): (Vec<_>, Vec<_>) =
        (promised.results.iter()).partition(|it| it.version.is_past);
    let main = html! {
        section #clause aria-labelledby="clause-heading" {
            h2 #clause-heading { "Promise" }
            dl {
                div { dt { "routine" } dd { code { (shown(&promise.routine)) } } }
                div { dt { "level" } dd { (promise.level) } }
                @if let Some(from) = promised.source {
                    div { dt { "source" } dd { (source(from)) } }
                }
                div {
                    dt { (if promise.cases.len() == 1 { "case" } else { "cases" }) }
                    dd {
                        @for (index, case) in promise.cases.iter().enumerate() {
                            @if index > 0 { ", " }
                            code { (shown(case)) }
                        }
                    }
                }
                (answers(promised, &current))
            }
        }
        section #libraries aria-labelledby="libraries-heading" {
            h2 #libraries-heading { "Libraries" }
            @if current.is_empty() { p { "No current version has a result." } }
            @else { (table(pages, current, "Current versions, those that break the clause first")) }
        }
        @if !past.is_empty() {
            section #earlier aria-labelledby="earlier-heading" {
                h2 #earlier-heading { "Earlier versions" }
                (table(pages, past, "Versions after which another came"))
            }
        }
    };
    let title = html! { (shown(&promise.id)) " – libraries checked by heapmin" };
    pages.document(title, header, main)
}

/// Whether a library keeps the clause, the most important first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Broken,
    Error,
    NotJudged,
    Kept,
    NotApplicable,
}

impl Answer {
    const ALL: [Answer; 5] = [
        Answer::Broken,
        Answer::Error,
        Answer::NotJudged,
        Answer::Kept,
        Answer::NotApplicable,
    ];

    fn of(outcome: &Outcome) -> Answer {
        match outcome.verdict {
            Verdict::Fail | Verdict::Crash | Verdict::Timeout => Answer::Broken,
            Verdict::Error => Answer::Error,
            Verdict::Pass => Answer::Kept,
            Verdict::Unsupported if outcome.reason == Some(Reason::NotApplicable) => {
                Answer::NotApplicable
            }
            Verdict::Unsupported => Answer::NotJudged,
        }
    }

    fn word(self, level: Level) -> Word {
        match self {
            Answer::Broken => Word::new("✗", "broken by", "fail"),
            Answer::Error => Word::new("?", "error", "error"),
            Answer::NotJudged => Word::new("–", "not judged", "open"),
            Answer::Kept if level == Level::Record => Word::new("•", "recorded", "recorded"),
            Answer::Kept => Word::new("✓", "kept by", "pass"),
            Answer::NotApplicable => Word::new("∅", "not applicable", "inapplicable"),
        }
    }
}

/// The libraries with each answer. A library of which versions differ is there for each.
fn answers(promised: &Promised, current: &[&Series]) -> Markup {
    let of = |answer: Answer| {
        let with = current
            .iter()
            .filter(move |it| Answer::of(it.newest().1.worst) == answer);
        let mut libraries: Vec<(&_, usize)> = Vec::new();
        for series in with {
            match libraries.last_mut() {
                Some((library, count)) if std::ptr::eq(*library, series.tracked) => *count += 1,
                _ => libraries.push((series.tracked, 1)),
            }
        }
        libraries
    };
    html! {
        @for answer in Answer::ALL {
            @let libraries = of(answer);
            @let word = answer.word(promised.promise.level);
            @if !libraries.is_empty() {
                div {
                    dt class=(word.class) { (word) }
                    dd {
                        @for (index, (library, versions)) in libraries.iter().enumerate() {
                            @if index > 0 { "; " }
                            a href={ "../" (page_of_library(library)) } { (shown(&library.title())) }
                            @if *versions < library.current().count() || *versions > 1 {
                                " (" (counted(*versions, "version", "versions")) ")"
                            }
                        }
                    }
                }
            }
        }
    }
}

fn table(pages: &Pages, mut series: Vec<&Series>, caption: &str) -> Markup {
    series.sort_by_key(|it| {
        let (_, cell) = it.newest();
        // Of the broken ones, new deviations are first.
        (Answer::of(cell.worst), !cell.states.contains(&"new"))
    });
    let has_known = series.iter().any(|it| it.newest().1.worst.entry.is_some());
    html! {
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { (caption) }
                thead {
                    tr {
                        th scope="col" { "library" }
                        th scope="col" { "version" }
                        th scope="col" { "is" }
                        th scope="col" { "observed" }
                        @if has_known { th scope="col" { "known" } }
                        th scope="col" { "history" }
                    }
                }
                tbody { @for series in series { (row(pages, series, has_known)) } }
            }
        }
    }
}

fn row(pages: &Pages, series: &Series, has_known: bool) -> Markup {
    let (_, cell) = series.newest();
    html! {
        tr {
            th scope="row" { (link_to_library(series.tracked, "../")) }
            td { (shown(&series.version.title())) }
            td { (badge_with(cell.worst, &cell.states)) }
            td.long { (shown(&cell.worst.observed)) " (" code { (shown(&cell.worst.case)) } ")" }
            @if has_known {
                td.long { @if let Some(entry) = &cell.worst.entry { (known(entry)) } }
            }
            td.long { (spans(pages, series)) }
        }
    }
}

/// The verdicts from run to run, the newest first: since when each has been the same.
fn spans(pages: &Pages, series: &Series) -> Markup {
    let mut spans: Vec<(Word, usize, usize)> = Vec::new();
    for (point, cell) in &series.cells {
        let word = verdict(cell.worst);
        match spans.last_mut() {
            Some((last, _, count)) if *last == word => *count += 1,
            _ => spans.push((word, point.run, 1)),
        }
    }
    let left_out = spans.len().saturating_sub(MOST_SPANS);
    html! {
        @for (index, (word, run, count)) in spans.iter().rev().take(MOST_SPANS).enumerate() {
            @if index > 0 { br; "before: " }
            span class=(word.class) { (word) } " since " (started(pages.history, *run))
            ", " (counted(*count, "run", "runs"))
        }
        @if left_out > 0 { br; "… " (counted(left_out, "change", "changes")) " before" }
    }
}
