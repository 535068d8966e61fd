//! A static site of saved runs: a summary with the new failures first, a page for each library
//! with its history, and a page for each clause with the libraries that keep it.
//!
//! The pages look like those of the HTML view and are made from its parts. Texts of a record
//! reach them through `shown` only, and names of files through `names::Names`.

mod changes;
mod clause;
mod clauses;
#[cfg(test)]
mod forged;
mod history;
mod index;
mod index_file;
mod library;
mod matrix;
mod names;
#[cfg(test)]
mod tests;

pub use index_file::{Index, IndexedLibrary, IndexedRun, Presence};

use super::html::document::{Document, sum};
use super::html::text::shown;
use crate::record::Run;
use clauses::{Clauses, Promised};
use heapmin_harness::text::input_error::InputError;
use history::{History, Tracked};
use maud::{Markup, html};
use sha2::{Digest, Sha256};

/// The folder of the pages of libraries.
pub const LIBRARIES: &str = "libraries";
/// The folder of the pages of clauses.
pub const CLAUSES: &str = "clauses";
/// The file of the index for programs.
pub const INDEX: &str = "runs.json";

/// A site.
#[derive(Debug)]
pub struct Site {
    /// The path of each file within the site, with its text.
    pub files: Vec<(String, String)>,
    /// What it shows.
    pub index: Index,
}

/// Removes from a run what a site does not show: the calls of each case.
pub fn shorten(run: &mut Run) {
    for library in &mut run.candidates {
        library.observations = None;
        library.cases.clear();
        for result in &mut library.results {
            result.at = None;
        }
    }
}

/// The site of these runs, which are [shortened](shorten). `former` is the index of the site
/// before it, and `removed` are the libraries that it had and that are no longer checked.
///
/// # Errors
/// If a library in `removed` was not in the former site, or is in a new run.
pub fn site(
    runs: Vec<Run>,
    former: Option<&Index>,
    removed: &[String],
) -> Result<Site, InputError> {
    let nonce = sum(&runs);
    let history = History::new(runs.into_iter().map(|run| (id(&run), run)).collect());
    let index = Index::new(&history, former, removed)?;
    let pages = Pages {
        clauses: Clauses::of(&history),
        history: &history,
        index: &index,
        nonce,
    };
    let mut files = vec![("index.html".to_owned(), index::page(&pages))];
    for library in &history.libraries {
        files.push((page_of_library(library), library::page(&pages, library)));
    }
    for promised in pages.clauses.all() {
        files.push((page_of_clause(promised), clause::page(&pages, promised)));
    }
    let json = serde_json::to_string_pretty(&index).expect("an index is plain data");
    files.push((INDEX.to_owned(), json + "\n"));
    Ok(Site { files, index })
}

/// Identifies a run, also when a later version of this program reads it.
fn id(run: &Run) -> String {
    let names: Vec<_> = run.candidates.iter().map(|it| &it.name).collect();
    let all = (&run.started, run.duration_ms, &run.build, names);
    let sum = Sha256::digest(serde_json::to_vec(&all).expect("it is plain data"));
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What every page needs.
struct Pages<'a> {
    history: &'a History,
    clauses: Clauses<'a>,
    index: &'a Index,
    nonce: String,
}

impl Pages<'_> {
    /// A page with this title, header and sections.
    fn document(&self, title: Markup, header: Markup, main: Markup) -> String {
        let document = Document {
            title,
            header,
            main,
            suite: &self.index.suite,
        };
        document.text(&self.nonce)
    }

    /// A link to the page of a clause. `up` leads from the page to the site's folder.
    fn link_to_clause(&self, id: &str, up: &str) -> Markup {
        html! {
            @match self.clauses.get(id) {
                Some(promised) => a href={ (up) (page_of_clause(promised)) } { code { (shown(id)) } },
                None => code { (shown(id)) },
            }
        }
    }
}

/// A link to the page of a library. `up` leads from the page to the site's folder.
fn link_to_library(library: &Tracked, up: &str) -> Markup {
    html! { a href={ (up) (page_of_library(library)) } { (shown(&library.title())) } }
}

/// The path of a library's page within the site.
fn page_of_library(library: &Tracked) -> String {
    format!("{LIBRARIES}/{}", library.file)
}

/// The path of a clause's page within the site.
fn page_of_clause(promised: &Promised) -> String {
    format!("{CLAUSES}/{}", promised.file)
}

/// The links from a page in a folder to the others.
fn up() -> Markup {
    html! {
        nav aria-label="Site" {
            ul {
                li { a href="../index.html" { "Summary" } }
                li { a href="../index.html#libraries" { "Libraries" } }
                li { a href="../index.html#matrix" { "Every clause" } }
            }
        }
    }
}

/// When a run began, for readers.
fn started(history: &History, run: usize) -> Markup {
    let started = history.started(run);
    html! {
        time datetime=(shown(started)) {
            (shown(&super::html::summary::day_and_time(started)))
        }
    }
}
