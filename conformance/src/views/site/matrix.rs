//! Every clause with the newest result of each library and version.

use super::clauses::{Promised, Series};
use super::history::{Tracked, Version};
use super::{Pages, page_of_clause};
use crate::views::html::matrix::{breakable, filter, routines};
use crate::views::html::text::shown;
use crate::views::html::words::verdict;
use maud::{Markup, html};

/// The section.
pub(super) fn section(pages: &Pages) -> Markup {
    let libraries = pages.history.libraries.iter();
    let columns: Vec<(&Tracked, &Version)> = libraries
        .flat_map(|library| library.current().map(move |version| (library, version)))
        .collect();
    let promises = pages.clauses.all().iter().map(|it| it.promise);
    html! {
        section #matrix aria-labelledby="matrix-heading" {
            h2 #matrix-heading { "Every clause" }
            (filter())
            div.scroll.tall role="region" aria-labelledby="matrix-caption" tabindex="0" {
                table.matrix.many[columns.len() > 3] {
                    caption #matrix-caption {
                        "The newest verdict of each clause for each library and current version. A "
                        "clause with several cases has the worst of their verdicts."
                    }
                    thead {
                        tr {
                            th scope="col" { "clause" }
                            @for (library, version) in &columns {
                                th scope="col" {
                                    (shown(&library.name)) br; small { (shown(&version.after(&library.arch))) }
                                }
                            }
                            th scope="col" { "promised" }
                        }
                    }
                    @for clauses in routines(promises) {
                        tbody {
                            tr.routine {
                                th scope="rowgroup" { (shown(&clauses[0].routine)) }
                                td colspan=(columns.len() + 1) {}
                            }
                            @for clause in clauses {
                                @if let Some(promised) = pages.clauses.get(&clause.id) {
                                    (row(promised, &columns))
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(promised: &Promised, columns: &[(&Tracked, &Version)]) -> Markup {
    let promise = promised.promise;
    let of = |version: &Version| {
        let mut results = promised.results.iter();
        results.find(|it| std::ptr::eq(it.version, version))
    };
    html! {
        tr.clause {
            th scope="row" {
                a href=(page_of_clause(promised)) { (breakable(&promise.id)) } " "
                small { (promise.level) }
            }
            @for (_, version) in columns {
                @match of(version) {
                    Some(series) => (cell(series)),
                    None => td.inapplicable { "· not run" },
                }
            }
            td.promised { (shown(&promise.promise)) }
        }
    }
}

fn cell(series: &Series) -> Markup {
    let (_, cell) = series.newest();
    html! {
        td class={ (verdict(cell.worst).class) @for state in &cell.states { " " (state) } } {
            (verdict(cell.worst)) @for state in &cell.states { ", " (state) }
        }
    }
}
