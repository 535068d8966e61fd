//! A deviation: what was promised, what was seen, the calls, the memory, and the commands that
//! show it again.

use super::anchors::is_first_of_its_clause;
use super::causes::Cause;
use super::text::{counted, shown, web_address};
use super::words::{badge, verdict};
use super::{Page, calls, commands, plot};
use crate::clause::Verdict;
use crate::record::{Call, Entry, Library, Outcome, SourceEntry, State};
use maud::{Markup, html};

/// The section of the known deviations, or of the others.
pub(super) fn section(page: &Page, is_known: bool) -> Markup {
    let (id, heading, nothing, state) = match is_known {
        true => (
            "known",
            "Known deviations",
            "No known deviation occurs.",
            State::Known,
        ),
        false => ("new", "New deviations", "No deviation is new.", State::New),
    };
    let heading_id = format!("{id}-heading");
    html! {
        section id=(id) aria-labelledby=(heading_id) {
            h2 id=(heading_id) { (heading) " (" (page.count(state)) ")" }
            @if page.count(state) == 0 { p { (nothing) } }
            @for (index, library, title, causes) in page.libraries() {
                @let causes: Vec<_> = causes.iter().filter(|it| it.is_known() == is_known).collect();
                @if !causes.is_empty() {
                    @let results: usize = causes.iter().map(|it| it.all().count()).sum();
                    h3 {
                        (shown(title)) ": "
                        (counted(results, "deviation", "deviations"))
                        @if results != causes.len() {
                            ", " (counted(causes.len(), "cause", "causes"))
                        }
                    }
                    @if causes.len() > 3 { (index_of(page, &causes)) }
                    @for cause in causes { (card(page, index, library, cause)) }
                }
            }
        }
    }
}

/// The links to the causes.
fn index_of(page: &Page, causes: &[&Cause]) -> Markup {
    html! {
        ul.index {
            @for cause in causes {
                li {
                    a href={ "#" (page.anchors.of_result(cause.first)) } { (verdict(cause.first)) " " (name(cause)) }
                    @if !cause.others.is_empty() { " (" (cause.others.len() + 1) ")" }
                }
            }
        }
    }
}

/// What a cause is called: the clause and the case, or the step that hides others.
fn name(cause: &Cause) -> Markup {
    html! {
        @match step_that_hides(cause) {
            Some(step) => { "in the step “" (shown(step)) "”" }
            None => {
                code { (shown(&cause.first.clause)) } " " span.case { (shown(&cause.first.case)) }
            }
        }
    }
}

/// A cause, with the first of its deviations in full.
fn card(page: &Page, index: usize, library: &Library, cause: &Cause) -> Markup {
    let first = cause.first;
    let id = page.anchors.of_result(first);
    html! {
        article id=(id) class=[(!cause.is_known()).then_some("new")] {
            h4 {
                @if is_first_of_its_clause(library, first) { (clause_anchor(page, index, first)) }
                (badge(first)) " " (name(cause)) " "
                a.permalink href={ "#" (id) } aria-label={ "Link to " (shown(&first.clause)) } { "#" }
            }
            @if cause.is_known() {
                // A list of known deviations may be long, and is read less.
                p { (shown(&first.observed)) }
                @if let Some(entry) = &first.entry { p.quiet { "Known: " (known(entry)) } }
                details {
                    summary { "Promise, calls and commands" }
                    (body(page, index, library, cause))
                }
            } @else {
                (body(page, index, library, cause))
            }
        }
    }
}

/// The target of links to the clause.
fn clause_anchor(page: &Page, index: usize, outcome: &Outcome) -> Markup {
    html! { span id=(page.anchors.of_clause(index, &outcome.clause)) {} }
}

/// The step in which the process ended, if other clauses are hidden by that.
fn step_that_hides<'a>(cause: &Cause<'a>) -> Option<&'a str> {
    let step = cause.first.at.as_ref()?.step.as_deref();
    step.filter(|_| cause.hides_clauses() && !cause.others.is_empty())
}

fn body(page: &Page, index: usize, library: &Library, cause: &Cause) -> Markup {
    let outcome = cause.first;
    let case = library.cases.get(&outcome.case);
    html! {
        dl {
            @if step_that_hides(cause).is_some() {
                div { dt { "clause" } dd { code { (shown(&outcome.clause)) } } }
            }
            div { dt { "promised" } dd { (promise(page, outcome)) } }
            div { dt { "source" } dd { (source(&outcome.source)) } }
            div { dt { "expected" } dd { (shown(&outcome.expected)) } }
            div { dt { "observed" } dd.observed { (shown(&outcome.observed)) } }
            @if let Some(hint) = &outcome.hint {
                div { dt { "perhaps" } dd { (shown(hint)) } }
            }
            @if outcome.loses_data {
                div { dt { "data" } dd { "bytes changed that the caller had written: mend this first" } }
            }
            (place(outcome))
            @if let Some(beneath) = &outcome.beneath {
                div { dt { "the system" } dd { (shown(&beneath.system)) " does the same: " (shown(&beneath.observed)) } }
            }
            div {
                dt { "case" }
                dd {
                    code { (shown(&outcome.case)) }
                    @if let Some(case) = case { ": " (shown(&case.summary)) }
                }
            }
        }
        @if !cause.others.is_empty() { (others(page, index, library, cause)) }
        @if let Some(case) = case {
            (calls::events(outcome, case, page.most_events))
            @if page.plots_known || !cause.is_known() {
                (plot::memory(outcome, case))
            } @else if case.memory.len() > 1 {
                p.quiet { "The memory of the case is in the JSON report." }
            }
        }
        (commands::commands(page.run, library, outcome))
    }
}

/// What the clause promises, with how binding it is.
fn promise(page: &Page, outcome: &Outcome) -> Markup {
    let promise = page.run.promise(&outcome.clause);
    html! {
        @match promise {
            Some(promise) => (shown(&promise.promise)),
            None => "this run has no text of the clause",
        }
        " (" (outcome.level) ")"
    }
}

/// The pages of a promise with links, and how it follows from them.
pub(in crate::views) fn source(source: &SourceEntry) -> Markup {
    html! {
        @for (index, place) in source.sources.iter().enumerate() {
            @if index > 0 { "; " }
            @match web_address(&place.address) {
                Some(address) => a href=(address) { (shown(&place.page)) ", " (shown(&place.section)) },
                None => { (shown(&place.page)) ", " (shown(&place.section)) }
            }
        }
        @match &source.basis_reason {
            Some(reason) => { "; " (shown(&source.basis)) ": " (shown(reason)) }
            None => { "; " (shown(&source.basis)) " by the page" }
        }
    }
}

/// Where in the case it deviates: the step, and the call.
fn place(outcome: &Outcome) -> Markup {
    let Some(at) = &outcome.at else {
        return html! {};
    };
    let is_ended = matches!(outcome.verdict, Verdict::Crash | Verdict::Timeout);
    // What was observed often has the step already.
    let step = at
        .step
        .as_deref()
        .filter(|it| !outcome.observed.contains(it));
    html! {
        @if let Some(step) = step {
            div { dt { @if is_ended { "last step" } @else { "step" } } dd { (shown(step)) } }
        }
        @if let Some(call) = &at.call {
            @let name = match call.event == at.event {
                _ if is_ended => "last return",
                true => "call",
                false => "call before",
            };
            div { dt { (name) } dd { (one_line(call)) } }
        }
    }
}

fn one_line(call: &Call) -> Markup {
    html! {
        code { (shown(&call.call)) } " returned " code { (shown(&call.returned)) }
        @if let Some([before, after]) = &call.errno {
            @if before == after {
                ", errno " (shown(after)) " as before"
            } @else {
                ", errno " (shown(before)) " → " (shown(after))
            }
        }
    }
}

/// The entry that lists a deviation.
pub(in crate::views) fn known(entry: &Entry) -> Markup {
    html! {
        @if !entry.why.is_empty() { (shown(&entry.why)) "; " }
        @if let Some(bug) = &entry.bug {
            @match web_address(bug) {
                Some(address) => a href=(address) { (shown(bug)) },
                None => (shown(bug)),
            }
            "; "
        }
        @if let Some(day) = &entry.added { "added " (shown(day)) "; " }
        (shown(&entry.file)) ":" (entry.line)
    }
}

/// The other deviations with this cause.
fn others(page: &Page, index: usize, library: &Library, cause: &Cause) -> Markup {
    let count = cause.others.len();
    let results = counted(count, "more result", "more results");
    let clauses = counted(cause.clauses(), "clause", "clauses");
    html! {
        p {
            @if cause.hides_clauses() {
                "The process ends in the same way in " (results) ", in all of " (clauses) ". They are not "
                "judged until this is mended."
            } @else {
                "The clause fails in the same way in " (counted(count, "more case", "more cases")) "."
            }
        }
        details open[count <= 8] {
            summary { (counted(count, "other result", "other results")) " with this cause" }
            div.scroll role="region" tabindex="0"
                aria-label={ "Other results with the cause of " (shown(&cause.first.clause)) } {
                table {
                    caption { "The calls and commands below are those of the first." }
                    thead {
                        tr {
                            @if cause.hides_clauses() { th scope="col" { "clause" } }
                            th scope="col" { "case" }
                            @if cause.hides_clauses() { th scope="col" { "promised" } }
                        }
                    }
                    tbody {
                        @for outcome in &cause.others {
                            (other(page, index, library, outcome, cause.hides_clauses()))
                        }
                    }
                }
            }
        }
    }
}

/// The row of another deviation. Those of one clause have its promise above.
fn other(
    page: &Page,
    index: usize,
    library: &Library,
    outcome: &Outcome,
    has_promise: bool,
) -> Markup {
    let is_first = is_first_of_its_clause(library, outcome);
    let case = html! { code { (shown(&outcome.case)) } };
    html! {
        tr id=(page.anchors.of_result(outcome)) {
            @if has_promise {
                th scope="row" {
                    @if is_first { (clause_anchor(page, index, outcome)) }
                    code { (shown(&outcome.clause)) }
                }
                td { (case) }
                td { (promise(page, outcome)) }
            } @else {
                td { @if is_first { (clause_anchor(page, index, outcome)) } (case) }
            }
        }
    }
}
