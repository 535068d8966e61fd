//! The top of the page: whether the run is as expected, the counts, and what fails it.

use super::Page;
use super::text::{counted, duration, shown};
use super::words::Word;
use crate::clause::{Reason, Verdict};
use crate::figures::{amount, share};
use crate::record::{Complaint, GivenBack, Library, Run, State};
use maud::{Markup, html};

/// What came of a run.
pub(super) fn outcome(run: &Run) -> Word {
    match run.status {
        _ if run.interrupted => Word::new("!", "interrupted", "error"),
        0 => Word::new("✓", "as expected", "pass"),
        1 => Word::new("✗", "not as expected", "fail"),
        _ => Word::new("!", "the run failed", "error"),
    }
}

/// The heading of the page.
pub(super) fn heading(page: &Page) -> Markup {
    let run = page.run;
    let outcome = outcome(run);
    html! {
        h1 {
            "heapmin report: "
            span class={ "outcome " (outcome.class) } { (outcome) }
        }
        p.lead {
            (counted(run.candidates.len(), "library", "libraries")) ", "
            (counted(run.clauses.len(), "clause", "clauses")) ", "
            time datetime=(shown(&run.started)) { (shown(&day_and_time(&run.started))) } ", "
            (duration(run.duration_ms)) ". Exit status " (run.status) "."
        }
    }
}

/// `2026-11-26 10:58:44 UTC`.
pub(in crate::views) fn day_and_time(started: &str) -> String {
    match started.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.replace('Z', " UTC")),
        None => started.to_owned(),
    }
}

/// The figures of each library, and what is not as expected.
pub(super) fn summary(page: &Page) -> Markup {
    let run = page.run;
    html! {
        section #summary aria-labelledby="summary-heading" {
            h2 #summary-heading { "Summary" }
            @if run.interrupted {
                p.warning { "! The run was interrupted. Some cases were not run." }
            }
            @if run.candidates.is_empty() {
                p { "No library was checked." }
            } @else {
                (figures(page))
            }
            @if !run.refused.is_empty() { (refused(run)) }
            (complaints(run))
            @if !run.notes.is_empty() {
                h3 { "Notes" }
                ul.messages { @for note in &run.notes { li { (shown(note)) } } }
            }
        }
    }
}

/// What is not as expected. The messages about new deviations are closed, and not printed: the
/// deviations themselves come before a line to list them.
fn complaints(run: &Run) -> Markup {
    let all = || run.complaints.iter();
    let (of_results, others): (Vec<_>, Vec<_>) = all().partition(|it| it.kind.is_in_the_results());
    let list = |complaints: &[&Complaint]| {
        html! {
            ul.messages { @for complaint in complaints { li { (shown(&complaint.message)) } } }
        }
    };
    html! {
        @if !run.complaints.is_empty() { h3 { "What is not as expected" } }
        @if !others.is_empty() { (list(&others)) }
        @if !of_results.is_empty() {
            p { a href="#new" { "New deviations and errors" } " are below." }
            details.entries {
                summary {
                    (counted(of_results.len(), "message", "messages"))
                    " about them, with the entries for a list of known deviations"
                }
                (list(&of_results))
            }
        }
    }
}

/// The columns that count results.
pub(in crate::views) const COLUMNS: [&str; 12] = [
    "pass",
    "fail",
    "crash",
    "timeout",
    "error",
    "not judged",
    "not applicable",
    "new",
    "known",
    "stale",
    "lost",
    "all results",
];

/// The number of results for each of [`COLUMNS`].
pub(in crate::views) fn counts(library: &Library) -> [usize; 12] {
    let count = |wanted: &dyn Fn(&crate::record::Outcome) -> bool| {
        library.results.iter().filter(|it| wanted(it)).count()
    };
    let verdict = |verdict| count(&|it| it.verdict == verdict);
    let state = |state| count(&|it| it.state == state);
    let not_applicable = count(&|it| it.reason == Some(Reason::NotApplicable));
    [
        verdict(Verdict::Pass),
        verdict(Verdict::Fail),
        verdict(Verdict::Crash),
        verdict(Verdict::Timeout),
        verdict(Verdict::Error),
        verdict(Verdict::Unsupported) - not_applicable,
        not_applicable,
        state(State::New),
        state(State::Known),
        state(State::Stale),
        state(State::Lost),
        library.results.len(),
    ]
}

/// The columns that a table of these libraries needs: those that count something, and the
/// ones that every reader looks for.
fn columns(run: &Run) -> Vec<usize> {
    let all = run.candidates.iter().map(counts);
    let all: Vec<_> = all.collect();
    let is_shown = |column: &usize| {
        matches!(COLUMNS[*column], "pass" | "fail" | "new" | "known")
            || all.iter().any(|counts| counts[*column] > 0)
    };
    (0..COLUMNS.len()).filter(is_shown).collect()
}

fn figures(page: &Page) -> Markup {
    let columns = columns(page.run);
    html! {
        div.scroll role="region" aria-label="Results of each library" tabindex="0" {
            table.figures {
                caption {
                    "Results of each library: one for each clause in each of its cases. A new "
                    "deviation is in no list of known ones. A column is left out if no library has "
                    "such a result."
                }
                thead {
                    tr {
                        th scope="col" { "library" }
                        th scope="col" { "is" }
                        @for column in &columns { th scope="col" { (COLUMNS[*column]) } }
                        th scope="col" { "clauses judged, of those that apply" }
                        th scope="col" { "memory given back" }
                    }
                }
                tbody {
                    @for (_, library, title, _) in page.libraries() { (row(page, &columns, library, title)) }
                }
            }
        }
    }
}

fn row(page: &Page, columns: &[usize], library: &Library, title: &str) -> Markup {
    let is_unexpected =
        |it: &crate::record::Outcome| matches!(it.state, State::New | State::Stale | State::Lost);
    let complaints = &page.run.complaints;
    let is_named = complaints
        .iter()
        .any(|it| it.candidate.as_ref() == Some(&library.name));
    let is = match is_named || library.results.iter().any(is_unexpected) {
        true => Word::new("✗", "not as expected", "fail"),
        false => Word::new("✓", "as expected", "pass"),
    };
    let all = counts(library);
    html! {
        tr {
            th scope="row" { (shown(title)) }
            td.number class=(is.class) { (is) }
            @for column in columns {
                @let count = all[*column];
                @let is_bad = matches!(COLUMNS[*column], "error" | "new" | "stale" | "lost");
                td class=(match count { 0 => "number zero", _ if is_bad => "number bad", _ => "number" }) { (count) }
            }
            td.number { (library.judged.clauses) " of " (library.judged.applicable) }
            td {
                @match library.given_back {
                    Some(GivenBack { held, back }) => {
                        (share(back, held)) " of " (amount(held))
                    }
                    None => "not measured"
                }
            }
        }
    }
}

fn refused(run: &Run) -> Markup {
    html! {
        h3 { "Libraries that were not checked" }
        ul.messages {
            @for refused in &run.refused {
                li {
                    b { (shown(&refused.name)) } ": " (shown(&refused.reason))
                    @if !refused.mend.is_empty() { "; " (shown(&refused.mend)) }
                }
            }
        }
    }
}
