//! The report as one HTML file: it needs no network, and nothing in it needs JavaScript.
//!
//! Texts of a record come from outside, since a library chooses names and what is observed, and
//! a saved run may come from anywhere. They reach the page through [`text::shown`] only.

mod anchors;
mod calls;
mod causes;
mod changed;
mod commands;
mod configuration;
mod deviation;
mod matrix;
mod open;
mod plot;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod titles;
mod words;

use crate::record::{Library, Run, State};
use anchors::Anchors;
use causes::{Cause, causes};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use text::shown;
use titles::titles;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// With more deviations than this, only new ones have a plot, so that the page stays small.
const MOST_PLOTS: usize = 400;

/// What every part of the page needs.
struct Page<'a> {
    run: &'a Run,
    /// A short name for each library, in their order.
    titles: Vec<String>,
    anchors: Anchors,
    /// The deviations of each library, by cause.
    causes: Vec<Vec<Cause<'a>>>,
    /// The greatest number of events that a table of calls has.
    most_events: usize,
    /// Whether known deviations have a plot too.
    plots_known: bool,
}

impl<'a> Page<'a> {
    fn new(run: &'a Run) -> Page<'a> {
        let titles = titles(run);
        let causes: Vec<_> = run.candidates.iter().map(causes).collect();
        let cards = causes.iter().map(Vec::len).sum();
        Page {
            run,
            anchors: Anchors::new(run, &titles),
            titles,
            causes,
            most_events: calls::most_events(cards),
            plots_known: cards <= MOST_PLOTS,
        }
    }

    /// The libraries with their titles and causes.
    fn libraries(&self) -> impl Iterator<Item = (usize, &'a Library, &str, &[Cause<'a>])> {
        let all = self.run.candidates.iter().enumerate();
        all.map(|(index, library)| {
            let title = self.titles[index].as_str();
            (index, library, title, self.causes[index].as_slice())
        })
    }

    /// Number of results in this state.
    fn count(&self, state: State) -> usize {
        let results = self.run.candidates.iter().flat_map(|it| &it.results);
        results.filter(|it| it.state == state).count()
    }
}

/// The whole page.
pub(super) fn report(run: &Run) -> String {
    let page = Page::new(run);
    let nonce = nonce(run);
    // Even if a text got past the escaping, the browser would load and run nothing.
    let policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; \
         style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'"
    );
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title(&page)) }
                style nonce=(nonce) { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the results" }
                header { (summary::heading(&page)) (contents(&page)) }
                main #main tabindex="-1" {
                    (summary::summary(&page))
                    (configuration::configuration(&page))
                    (deviation::section(&page, false))
                    (deviation::section(&page, true))
                    (changed::section(&page))
                    (open::section(&page))
                    (matrix::section(&page))
                }
                footer {
                    p {
                        "Made by heapmin " (shown(&run.suite)) ". A verdict says something about "
                        "the clauses that were judged, and nothing about the others."
                    }
                }
                script nonce=(nonce) { (PreEscaped(SCRIPT)) }
            }
        }
    };
    markup.into_string()
}

/// A number that a record cannot contain, since it depends on the whole record.
fn nonce(run: &Run) -> String {
    let record = serde_json::to_vec(run).expect("a record is plain data");
    let sum = Sha256::digest(record);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn title(page: &Page) -> Markup {
    html! {
        (summary::outcome(page.run).word)
        @for (index, title) in page.titles.iter().take(3).enumerate() {
            @if index == 0 { ": " } @else { ", " }
            (shown(title))
        }
        @if page.titles.len() > 3 { " and " (page.titles.len() - 3) " more" }
        " – heapmin"
    }
}

/// The links to the sections, with what is in them.
fn contents(page: &Page) -> Markup {
    let changed = changed::count(page);
    html! {
        nav aria-label="Sections" {
            ul {
                li { a href="#summary" { "Summary" } }
                li { a href="#configuration" { "Configuration" } }
                li { a href="#new" { "New deviations (" (page.count(State::New)) ")" } }
                li { a href="#known" { "Known deviations (" (page.count(State::Known)) ")" } }
                li { a href="#changed" { "Stale, lost and unsteady (" (changed) ")" } }
                li { a href="#not-judged" { "Not judged" } }
                li { a href="#matrix" { "Every clause" } }
            }
        }
    }
}
