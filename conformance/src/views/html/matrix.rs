//! The matrix: a row for each clause, a column for each library. The script adds a filter; without
//! it the whole matrix is there.

use super::Page;
use super::text::shown;
use super::words::{state, verdict};
use crate::record::{Counted, Library, Outcome, Promise, Run, counted};
use maud::{Markup, html};
use std::collections::{HashMap, HashSet};

/// The words that the filter can choose, with the class of the cells.
const STATES: [&str; 12] = [
    "new",
    "known",
    "stale",
    "lost",
    "fail",
    "crash",
    "timeout",
    "error",
    "not judged",
    "not applicable",
    "pass",
    "recorded",
];

/// The results of a library, by clause.
pub(in crate::views) type Column<'a> = HashMap<&'a str, Cell<'a>>;

/// The results of a clause in all its cases.
pub(in crate::views) struct Cell<'a> {
    /// The first of them with the worst verdict.
    pub(in crate::views) worst: &'a Outcome,
    /// What they are beside the expected results, each state once.
    pub(in crate::views) states: Vec<&'static str>,
}

/// The section.
pub(super) fn section(page: &Page) -> Markup {
    let columns = page.run.candidates.iter().map(|it| column(page.run, it));
    let columns: Vec<_> = columns.collect();
    html! {
        section #matrix aria-labelledby="matrix-heading" {
            h2 #matrix-heading { "Every clause" }
            (filter())
            div.scroll.tall role="region" aria-labelledby="matrix-caption" tabindex="0" {
                // Of many libraries, the promise is far to the right, and should not make rows tall.
                table.matrix.many[page.titles.len() > 3] {
                    caption #matrix-caption {
                        "Verdict of each clause for each library. A clause with several cases "
                        "has the worst of their verdicts."
                    }
                    thead {
                        tr {
                            th scope="col" { "clause" }
                            @for title in &page.titles { th scope="col" { (shown(title)) } }
                            th scope="col" { "promised" }
                        }
                    }
                    @for routine in routines(&page.run.clauses) { (group(page, routine, &columns)) }
                }
            }
        }
    }
}

/// The results of each clause of a library.
pub(in crate::views) fn column<'a>(run: &'a Run, library: &'a Library) -> Column<'a> {
    let cell = |it: &Counted<'a>| Cell {
        worst: it.outcome,
        states: Vec::new(),
    };
    let clauses = counted(run, library);
    let clauses = clauses.iter();
    let mut column: Column = clauses
        .map(|it| (it.outcome.clause.as_str(), cell(it)))
        .collect();
    for outcome in &library.results {
        if let (Some(cell), Some(state)) = (column.get_mut(outcome.clause.as_str()), state(outcome))
            && !cell.states.contains(&state)
        {
            cell.states.push(state);
        }
    }
    column
}

/// The controls, hidden until the script shows them.
pub(in crate::views) fn filter() -> Markup {
    html! {
        form.filter role="search" aria-label="Clauses" hidden {
            div {
                label for="filter-text" { "Clauses whose name or promise has" }
                input #filter-text type="search" autocomplete="off" spellcheck="false";
            }
            div {
                label for="filter-state" { "with a result that is" }
                select #filter-state {
                    option value="" { "any" }
                    @for state in STATES { option value=(state) { (state) } }
                }
            }
            p #filter-count role="status" {}
        }
    }
}

/// The clauses of each routine, in the order of the first of them.
pub(in crate::views) fn routines<'a>(
    clauses: impl IntoIterator<Item = &'a Promise>,
) -> Vec<Vec<&'a Promise>> {
    let mut routines: Vec<Vec<&Promise>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut seen = HashSet::new();
    for clause in clauses.into_iter().filter(|it| seen.insert(&it.id)) {
        let place = *places.entry(&clause.routine).or_insert_with(|| {
            routines.push(Vec::new());
            routines.len() - 1
        });
        routines[place].push(clause);
    }
    routines
}

fn group(page: &Page, clauses: Vec<&Promise>, columns: &[Column]) -> Markup {
    html! {
        tbody {
            tr.routine {
                th scope="rowgroup" { (shown(&clauses[0].routine)) }
                td colspan=(columns.len() + 1) {}
            }
            @for clause in clauses { (row(page, clause, columns)) }
        }
    }
}

/// The name of a clause, which may be broken after the family.
pub(in crate::views) fn breakable(id: &str) -> Markup {
    html! {
        @match id.split_once('.') {
            Some((family, rest)) => { (shown(family)) "." wbr; (shown(rest)) }
            None => (shown(id)),
        }
    }
}

fn row(page: &Page, clause: &Promise, columns: &[Column]) -> Markup {
    let cells = columns.iter().map(|it| it.get(clause.id.as_str()));
    html! {
        tr.clause {
            th scope="row" { (breakable(&clause.id)) " " small { (clause.level) } }
            @for (index, found) in cells.enumerate() {
                @match found {
                    Some(found) => (cell(page, index, found)),
                    None => td.inapplicable { "· not run" },
                }
            }
            td.promised { (shown(&clause.promise)) }
        }
    }
}

/// The cell of a result: a deviation has a link, and the others are where links to the clause
/// lead.
fn cell(page: &Page, index: usize, cell: &Cell) -> Markup {
    let outcome = cell.worst;
    let class = verdict(outcome).class;
    let text = html! { (verdict(outcome)) @for state in &cell.states { ", " (state) } };
    html! {
        @if outcome.verdict.is_deviation() {
            td class={ (class) @for state in &cell.states { " " (state) } } {
                a href={ "#" (page.anchors.of_result(outcome)) } { (text) }
            }
        } @else {
            td id=(page.anchors.of_clause(index, &outcome.clause)) class=(class) { (text) }
        }
    }
}
