//! What changed against the expected results without being a deviation: listed deviations that
//! no longer occur, clauses that are no longer judged, and results that change between runs.

use super::Page;
use super::deviation::known;
use super::text::{counted, shown};
use super::words::badge;
use crate::record::{Changed, Library, Outcome, State};
use maud::{Markup, html};

fn is_changed(outcome: &&Outcome) -> bool {
    matches!(outcome.state, State::Stale | State::Lost)
}

fn unsteady(library: &Library) -> &[Changed] {
    library.repeated.as_ref().map_or(&[], |it| &it.changed)
}

/// The number of results in this section.
pub(super) fn count(page: &Page) -> usize {
    let libraries = page.run.candidates.iter();
    let of = |it: &Library| it.results.iter().filter(is_changed).count() + unsteady(it).len();
    libraries.map(of).sum()
}

/// The section.
pub(super) fn section(page: &Page) -> Markup {
    html! {
        section #changed aria-labelledby="changed-heading" {
            h2 #changed-heading { "Stale, lost and unsteady (" (count(page)) ")" }
            p {
                "Stale: a listed deviation no longer occurs. Lost: a clause was judged before "
                "and is not now. Unsteady: the result changed in the runs of --repeat."
            }
            @if count(page) == 0 { p { "None." } }
            @for (index, library, title, _) in page.libraries() {
                @if library.results.iter().any(|it| is_changed(&it)) {
                    (results(page, index, library, title))
                }
                @if !unsteady(library).is_empty() { (runs(library, title)) }
            }
        }
    }
}

fn results(page: &Page, index: usize, library: &Library, title: &str) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label={ "Stale and lost: " (shown(title)) } {
            table {
                caption { (shown(title)) ": stale and lost" }
                thead {
                    tr {
                        th scope="col" { "clause" }
                        th scope="col" { "case" }
                        th scope="col" { "is now" }
                        th scope="col" { "observed" }
                        th scope="col" { "entry" }
                    }
                }
                tbody {
                    @for outcome in library.results.iter().filter(is_changed) {
                        tr {
                            th scope="row" {
                                @match page.run.promise(&outcome.clause) {
                                    Some(_) => a href={ "#" (page.anchors.of_clause(index, &outcome.clause)) } { code { (shown(&outcome.clause)) } },
                                    None => code { (shown(&outcome.clause)) },
                                }
                            }
                            td { code { (shown(&outcome.case)) } }
                            td { (badge(outcome)) }
                            td { (shown(&outcome.observed)) }
                            td { @if let Some(entry) = &outcome.entry { (known(entry)) } }
                        }
                    }
                }
            }
        }
    }
}

fn runs(library: &Library, title: &str) -> Markup {
    let runs = library.repeated.as_ref().map_or(0, |it| it.runs);
    html! {
        div.scroll role="region" tabindex="0" aria-label={ "Unsteady: " (shown(title)) } {
            table {
                caption { (shown(title)) ": not the same in " (counted(runs, "run", "runs")) }
                thead {
                    tr {
                        th scope="col" { "clause" }
                        th scope="col" { "case" }
                        th scope="col" { "verdicts" }
                        th scope="col" { "first difference" }
                    }
                }
                tbody {
                    @for changed in unsteady(library) {
                        tr {
                            th scope="row" { code { (shown(&changed.clause)) } }
                            td { code { (shown(&changed.case)) } }
                            td {
                                @for (index, (verdict, count)) in changed.verdicts.iter().enumerate() {
                                    @if index > 0 { ", " }
                                    (count) " " (shown(verdict))
                                }
                            }
                            td {
                                @if let Some([one, other]) = &changed.observations {
                                    (shown(one)) br; "and " (shown(other))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
