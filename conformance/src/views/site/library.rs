//! The page of a library: its versions, the runs of each with what changed, and the deviations
//! of the newest.

use super::history::{Point, Tracked, Version};
use super::{Pages, changes, started, up};
use crate::views::html::deviation::known;
use crate::views::html::summary::{COLUMNS, counts};
use crate::views::html::text::{counted, shown};
use crate::views::html::words::badge;
use maud::{Markup, html};

/// The page.
pub(super) fn page(pages: &Pages, library: &Tracked) -> String {
    let runs: usize = library.versions.iter().map(|it| it.points.len()).sum();
    let header = html! {
        h1 { (shown(&library.name)) }
        p.lead {
            (shown(&library.arch)) ", "
            (counted(library.versions.len(), "version", "versions")) ", "
            (counted(runs, "run", "runs")) "."
        }
        (up())
        @if library.versions.len() > 1 {
            nav aria-label="Versions" {
                ul {
                    @for (index, version) in library.versions.iter().enumerate() {
                        li { a href={ "#version-" (index + 1) } { (shown(&version.title())) } }
                    }
                }
            }
        }
    };
    let main = html! {
        @for (index, version) in library.versions.iter().enumerate() {
            (section(pages, library, index + 1, version))
        }
    };
    let title = html! { (shown(&library.title())) " – libraries checked by heapmin" };
    pages.document(title, header, main)
}

fn section(pages: &Pages, library: &Tracked, number: usize, version: &Version) -> Markup {
    let name = version.after(&library.name);
    let heading = format!("version-{number}-heading");
    let newest = version.newest();
    html! {
        section id={ "version-" (number) } aria-labelledby=(heading) {
            h2 id=(heading) {
                (shown(&name))
                @if version.is_past { " (an earlier version)" }
            }
            dl {
                div { dt { "file" } dd { code { (shown(&newest.seen.path)) } } }
                @if let Some(sum) = &newest.seen.sha256 {
                    div { dt { "SHA-256" } dd { code { (shown(sum)) } } }
                }
            }
            h3 { "What changed in the newest run" }
            @match &newest.since {
                Some(since) if since.diff.changes.is_empty() => {
                    p { "Nothing since " (changes::compared(pages, since)) "." }
                    (changes::table(pages, &name, since))
                }
                Some(since) => (changes::table(pages, &name, since)),
                None => p { "It is the first run." },
            }
            (history(pages, version, &name))
            (deviations(pages, version, &name))
        }
    }
}

/// The runs, the newest first.
fn history(pages: &Pages, version: &Version, name: &str) -> Markup {
    let all: Vec<_> = version.points.iter().map(|it| counts(&it.seen)).collect();
    let columns = (0..COLUMNS.len()).filter(|column| {
        matches!(COLUMNS[*column], "pass" | "fail" | "known")
            || all.iter().any(|counts| counts[*column] > 0)
    });
    let columns: Vec<_> = columns.collect();
    let older = version.points.iter().rev().skip(1);
    html! {
        h3 { "Runs" }
        div.scroll role="region" tabindex="0" aria-label={ "Runs of " (shown(name)) } {
            table.figures {
                caption { "The runs of " (shown(name)) ", the newest first: number of results" }
                thead {
                    tr {
                        th scope="col" { "began" }
                        @for column in &columns { th scope="col" { (COLUMNS[*column]) } }
                        th scope="col" { "clauses judged, of those that apply" }
                        th scope="col" { "what changed" }
                    }
                }
                tbody {
                    @for (point, counts) in version.points.iter().zip(&all).rev() {
                        tr {
                            th scope="row" { (started(pages.history, point.run)) }
                            @for column in &columns {
                                @let count = counts[*column];
                                td class=(if count == 0 { "number zero" } else { "number" }) { (count) }
                            }
                            td.number { (point.seen.judged.clauses) " of " (point.seen.judged.applicable) }
                            td {
                                @match &point.since {
                                    Some(since) => (changes::in_numbers(since)),
                                    None => "the first run",
                                }
                            }
                        }
                    }
                }
            }
        }
        @for (point, since) in older.filter_map(changed) {
            details {
                summary {
                    (started(pages.history, point.run)) ": " (changes::in_numbers(since))
                }
                (changes::table(pages, name, since))
            }
        }
    }
}

fn changed(point: &Point) -> Option<(&Point, &super::history::Since)> {
    let since = point.since.as_ref()?;
    (!since.diff.changes.is_empty()).then_some((point, since))
}

/// The deviations in the newest run.
fn deviations(pages: &Pages, version: &Version, name: &str) -> Markup {
    let results = version.newest().seen.results.iter();
    let deviations: Vec<_> = results.filter(|it| it.verdict.is_deviation()).collect();
    let has_known = deviations.iter().any(|it| it.entry.is_some());
    html! {
        h3 { "Deviations in the newest run (" (deviations.len()) ")" }
        @if !deviations.is_empty() {
            div.scroll role="region" tabindex="0" aria-label={ "Deviations of " (shown(name)) } {
                table {
                    caption { "The deviations of " (shown(name)) }
                    thead {
                        tr {
                            th scope="col" { "clause" }
                            th scope="col" { "case" }
                            th scope="col" { "is" }
                            th scope="col" { "observed" }
                            @if has_known { th scope="col" { "known" } }
                        }
                    }
                    tbody {
                        @for outcome in deviations {
                            tr {
                                th scope="row" { (pages.link_to_clause(&outcome.clause, "../")) }
                                td { code { (shown(&outcome.case)) } }
                                td { (badge(outcome)) }
                                td.long { (shown(&outcome.observed)) }
                                @if has_known {
                                    td.long { @if let Some(entry) = &outcome.entry { (known(entry)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
