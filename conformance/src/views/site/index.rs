//! The first page: new failures, libraries that are missing, the newest results of each library,
//! every clause, and the runs.

use super::history::{Tracked, Version};
use super::{Pages, Presence, changes, link_to_library, matrix, started};
use crate::clause::Verdict;
use crate::record::{Change, How, State};
use crate::views::html::text::{counted, shown};
use crate::views::html::words::Word;
use maud::{Markup, html};

/// Of a version with changes of more clauses, the page of its library has the others.
const MOST: usize = 50;

/// The page.
pub(super) fn page(pages: &Pages) -> String {
    let history = pages.history;
    let newest = history.runs.len().checked_sub(1);
    let lead = html! {
        p.lead {
            (counted(history.libraries.len(), "library", "libraries")) ", "
            (counted(pages.clauses.all().len(), "clause", "clauses")) ", "
            (counted(history.runs.len(), "run", "runs"))
            @if let Some(newest) = newest { ", the newest of " (started(history, newest)) }
            "."
        }
    };
    let outcome = outcome(pages);
    let header = html! {
        h1 { "heapmin: " span class={ "outcome " (outcome.class) } { (outcome) } }
        (lead)
        (contents(pages))
    };
    let main = html! {
        (changed(pages, How::Regressed))
        (missing(pages))
        (libraries(pages))
        (changed(pages, How::Lost))
        (matrix::section(pages))
        (runs(pages))
    };
    let title = html! { (outcome.word) " – libraries checked by heapmin" };
    pages.document(title, header, main)
}

fn outcome(pages: &Pages) -> Word {
    match (count(pages, How::Regressed), pages.index.missing().count()) {
        (0, 0) => Word::new("✓", "no new failure", "pass"),
        (0, _) => Word::new("!", "a library is missing", "error"),
        _ => Word::new("✗", "new failures", "fail"),
    }
}

/// The current versions with what changed in this way in the newest run.
fn versions<'a>(
    pages: &'a Pages,
    how: How,
) -> impl Iterator<Item = (&'a Tracked, &'a Version, Vec<&'a Change>)> {
    let libraries = pages.history.libraries.iter();
    let versions = libraries.flat_map(|library| library.current().map(move |it| (library, it)));
    let all = versions.map(move |(library, version)| {
        (library, version, version.changes(how).collect::<Vec<_>>())
    });
    all.filter(|(_, _, changes)| !changes.is_empty())
}

fn count(pages: &Pages, how: How) -> usize {
    versions(pages, how)
        .map(|(_, _, changes)| changes.len())
        .sum()
}

fn contents(pages: &Pages) -> Markup {
    let missing = pages.index.missing().count();
    html! {
        nav aria-label="Sections" {
            ul {
                li { a href="#new" { "New failures (" (count(pages, How::Regressed)) ")" } }
                @if missing > 0 { li { a href="#missing" { "Missing libraries (" (missing) ")" } } }
                li { a href="#libraries" { "Libraries" } }
                li { a href="#lost" { "No longer judged (" (count(pages, How::Lost)) ")" } }
                li { a href="#matrix" { "Every clause" } }
                li { a href="#runs" { "Runs" } }
            }
        }
    }
}

/// What regressed, or is no longer judged.
fn changed(pages: &Pages, how: How) -> Markup {
    let (id, heading, what, nothing) = match how {
        How::Regressed => (
            "new",
            "New failures",
            "A result deviates, and did not, or in a lesser way, in the run of the library before its newest.",
            "No library fails more than in the run before its newest.",
        ),
        _ => (
            "lost",
            "No longer judged",
            "A result was judged in the run of the library before its newest, and is not now.",
            "Every result that was judged is still judged.",
        ),
    };
    let heading_id = format!("{id}-heading");
    let count = count(pages, how);
    html! {
        section id=(id) aria-labelledby=(heading_id) {
            h2 id=(heading_id) { (heading) " (" (count) ")" }
            p { (if count == 0 { nothing } else { what }) }
            @for (library, version, changes) in versions(pages, how) {
                @let table = table(pages, library, version, heading, &changes);
                @let results = counted(changes.len(), "result", "results");
                h3 { (version_of(library, version)) ": " (results) }
                // What fails comes first, and is open.
                @match how {
                    How::Regressed => (table),
                    _ => details { summary { (results) " of " (shown(&version.after(&library.title()))) } (table) },
                }
            }
        }
    }
}

fn table(
    pages: &Pages,
    library: &Tracked,
    version: &Version,
    heading: &str,
    changes: &[&Change],
) -> Markup {
    let name = version.after(&library.title());
    let clauses = changes::by_clause(changes);
    html! {
        @if let Some(since) = &version.newest().since {
            p.quiet {
                (started(pages.history, version.newest().run)) ", compared with "
                (changes::compared(pages, since))
            }
        }
        div.scroll role="region" tabindex="0" aria-label={ (heading) " of " (shown(&name)) } {
            table {
                caption { (counted(clauses.len(), "clause", "clauses")) " of " (shown(&name)) }
                thead { tr { (changes::heads()) } }
                tbody {
                    @for (change, others) in clauses.iter().take(MOST) {
                        tr { (changes::cells(pages, change, *others, "")) }
                    }
                }
            }
        }
        @if clauses.len() > MOST {
            p { (clauses.len() - MOST) " more are on the page of the library." }
        }
    }
}

/// A link to a library, with the version.
fn version_of(library: &Tracked, version: &Version) -> Markup {
    html! { (link_to_library(library, "")) (shown(&version.after(""))) }
}

/// The libraries that no new run has.
fn missing(pages: &Pages) -> Markup {
    let missing: Vec<_> = pages.index.missing().collect();
    html! {
        @if !missing.is_empty() {
            section #missing aria-labelledby="missing-heading" {
                h2 #missing-heading { "Missing libraries (" (missing.len()) ")" }
                p { "The site before this one had them, and no new run has." }
                ul.messages {
                    @for library in missing {
                        li {
                            @match &library.page {
                                Some(page) => a href=(page) { (shown(&library.title())) },
                                None => (shown(&library.title())),
                            }
                            ", last checked " (shown(&library.newest))
                        }
                    }
                }
            }
        }
    }
}

/// The columns that count results in the newest run of a version.
const COLUMNS: [&str; 8] = [
    "new failures",
    "pass",
    "fail",
    "crash",
    "timeout",
    "error",
    "not judged",
    "known",
];

/// The newest results of each version, those with most new failures first.
fn libraries(pages: &Pages) -> Markup {
    let mut libraries: Vec<_> = pages.history.libraries.iter().collect();
    libraries.sort_by_key(|it| std::cmp::Reverse(it.new_failures()));
    html! {
        section #libraries aria-labelledby="libraries-heading" {
            h2 #libraries-heading { "Libraries" }
            div.scroll role="region" tabindex="0" aria-label="Newest results of each library" {
                table.figures {
                    caption {
                        "The newest run of each library and version: number of results. Earlier "
                        "versions are on the page of the library."
                    }
                    thead {
                        tr {
                            th scope="col" { "library" }
                            th scope="col" { "version" }
                            th scope="col" { "newest run" }
                            th scope="col" { "is" }
                            @for column in COLUMNS { th scope="col" { (column) } }
                        }
                    }
                    @for library in libraries { (rows(pages, library)) }
                }
            }
        }
    }
}

fn rows(pages: &Pages, library: &Tracked) -> Markup {
    let current: Vec<_> = library.current().collect();
    html! {
        tbody {
            @for (index, version) in current.iter().enumerate() {
                tr {
                    @if index == 0 {
                        th scope="rowgroup" rowspan=(current.len()) {
                            (link_to_library(library, ""))
                            (absence(pages, library))
                        }
                    }
                    td { (shown(&version.title())) }
                    td { (started(pages.history, version.newest().run)) }
                    (figures(version))
                }
            }
        }
    }
}

/// The word for a library that is no longer checked.
fn absence(pages: &Pages, library: &Tracked) -> Markup {
    let title = library.title();
    let mut libraries = pages.index.libraries.iter();
    let presence = libraries.find(|it| it.title() == title);
    html! {
        @match presence.map(|it| it.presence) {
            Some(Presence::Missing) => { " " span.warning { "! missing" } }
            Some(Presence::Removed) => { " " span.quiet { "(removed)" } }
            Some(Presence::Checked) | None => {}
        }
    }
}

/// The cells with the counts of the newest run.
fn figures(version: &Version) -> Markup {
    let results = &version.newest().seen.results;
    let count =
        |is: &dyn Fn(&crate::record::Outcome) -> bool| results.iter().filter(|it| is(it)).count();
    let verdict = |verdict| count(&|it| it.verdict == verdict);
    let failures = version.changes(How::Regressed).count();
    let counts = [
        failures,
        verdict(Verdict::Pass),
        verdict(Verdict::Fail),
        verdict(Verdict::Crash),
        verdict(Verdict::Timeout),
        verdict(Verdict::Error),
        count(&|it| it.reason == Some(crate::clause::Reason::NotJudged)),
        count(&|it| it.state == State::Known),
    ];
    let is_unexpected = matches_unexpected(results);
    let is = match (failures, is_unexpected) {
        (0, false) => Word::new("✓", "as expected", "pass"),
        (0, true) => Word::new("✗", "not as expected", "fail"),
        _ => Word::new("✗", "fails anew", "fail"),
    };
    html! {
        td.number class=(is.class) { (is) }
        @for (column, count) in COLUMNS.iter().zip(counts) {
            @let is_bad = matches!(*column, "new failures" | "error");
            td class=(match count { 0 => "number zero", _ if is_bad => "number bad", _ => "number" }) { (count) }
        }
    }
}

fn matches_unexpected(results: &[crate::record::Outcome]) -> bool {
    let mut results = results.iter();
    results.any(|it| matches!(it.state, State::New | State::Stale | State::Lost))
}

/// The runs, the newest first.
fn runs(pages: &Pages) -> Markup {
    let runs = pages.history.runs.iter().enumerate().rev();
    html! {
        section #runs aria-labelledby="runs-heading" {
            h2 #runs-heading { "Runs" }
            p { "For programs, " a href=(super::INDEX) { (super::INDEX) } " lists them." }
            div.scroll role="region" tabindex="0" aria-label="Runs" {
                table {
                    caption { "The runs, the newest first" }
                    thead {
                        tr {
                            th scope="col" { "began" }
                            th scope="col" { "heapmin" }
                            th scope="col" { "promises" }
                            th scope="col" { "system" }
                            th scope="col" { "libraries" }
                            th scope="col" { "clauses" }
                            th scope="col" { "exit status" }
                        }
                    }
                    tbody {
                        @for (index, saved) in runs {
                            @let run = &saved.run;
                            tr {
                                th scope="row" { (started(pages.history, index)) }
                                td { (shown(&run.suite)) }
                                td { (shown(&run.specification)) }
                                td {
                                    (shown(&run.machine.system)) " "
                                    (shown(run.machine.kernel.as_deref().unwrap_or_default()))
                                    ", " (shown(&run.machine.arch))
                                }
                                td.number { (saved.libraries.len()) }
                                td.number { (run.clauses.len()) }
                                td.number {
                                    (run.status)
                                    @if run.interrupted { ", interrupted" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
