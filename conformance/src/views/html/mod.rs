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
pub(super) mod deviation;
pub(super) mod document;
pub(super) mod matrix;
mod open;
mod plot;
pub(super) mod summary;
#[cfg(test)]
pub(super) mod tests;
pub(super) mod text;
mod titles;
pub(super) mod words;

use crate::record::{Library, Run, State};
use anchors::Anchors;
use causes::{Cause, causes};
use document::{Document, sum};
use maud::{Markup, html};
use text::shown;
use titles::titles;

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
    let document = Document {
        title: title(&page),
        header: html! { (summary::heading(&page)) (contents(&page)) },
        main: html! {
            (summary::summary(&page))
            (configuration::configuration(&page))
            (deviation::section(&page, false))
            (deviation::section(&page, true))
            (changed::section(&page))
            (open::section(&page))
            (matrix::section(&page))
        },
        suite: &run.suite,
    };
    document.text(&sum([run]))
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
