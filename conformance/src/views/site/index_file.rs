//! `runs.json`: what a site shows, for programs, and for the site that comes after it.

use super::history::History;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::nearest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The version of the format.
const VERSION: u32 = 1;

/// What a site shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// The version of this format: 1.
    pub site: u32,
    /// The version of the program.
    pub suite: String,
    /// The runs, the oldest first.
    pub runs: Vec<IndexedRun>,
    /// The libraries, also those that are missing.
    pub libraries: Vec<IndexedLibrary>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedRun {
    /// Identifies it by what the site shows of it.
    pub id: String,
    /// When it began.
    pub started: String,
    /// The version of the program that made it.
    pub suite: String,
    /// The version of the promises.
    pub specification: String,
    /// Its exit status.
    pub status: u8,
    /// The names of its libraries, with the architecture.
    pub libraries: Vec<String>,
}

/// A library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedLibrary {
    /// Its name.
    pub name: String,
    /// The architecture.
    pub arch: String,
    /// Its page; `None` if no run that the site shows has it.
    pub page: Option<String>,
    /// When the newest run that has it began.
    pub newest: String,
    /// Number of new failures in the newest runs of its versions.
    pub new_failures: usize,
    /// Whether it is still checked.
    pub presence: Presence,
}

/// Whether a library is still checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It is.
    Checked,
    /// It was, and no new run has it.
    Missing,
    /// It was, and the user said that it is no longer.
    Removed,
}

impl IndexedLibrary {
    /// The name with the architecture.
    pub fn title(&self) -> String {
        format!("{}, {}", self.name, self.arch)
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.title() == name
    }
}

impl Index {
    /// Parses the text of a `runs.json`. `name` is the file's name for messages.
    ///
    /// # Errors
    /// If this program cannot read it.
    pub fn parse(name: &str, text: &str) -> Result<Index, InputError> {
        let mend = "name a site that `heapmin site` made, or its runs.json";
        let index: Index = serde_json::from_str(text).map_err(|error| {
            InputError::new(format!("{name} is no index of a site: {error}"), mend)
        })?;
        match index.site == VERSION {
            true => Ok(index),
            false => Err(InputError::new(
                format!(
                    "{name} has version {}, and this program reads version {VERSION}",
                    index.site
                ),
                "use the program that wrote it, or a newer one",
            )),
        }
    }

    /// The index of this history. A library of the former site that no run has which the
    /// former site did not have is missing, unless it was removed.
    ///
    /// # Errors
    /// If a library that is said to be removed was not in the former site, or is in a new run.
    pub(super) fn new(
        history: &History,
        former: Option<&Index>,
        removed: &[String],
    ) -> Result<Index, InputError> {
        let mut index = Index::of(history);
        let Some(former) = former else {
            return Ok(index);
        };
        let new = new_runs(history, former);
        check_removed(former, &new, removed)?;
        for old in &former.libraries {
            let title = old.title();
            let is_new = new.contains(&title);
            let is_removed = removed.iter().any(|it| old.is_called(it));
            let place = index.libraries.iter().position(|it| it.title() == title);
            let presence = match old.presence {
                _ if is_new => Presence::Checked,
                _ if is_removed => Presence::Removed,
                // The same site again.
                Presence::Checked if new.is_empty() && place.is_some() => Presence::Checked,
                Presence::Removed => Presence::Removed,
                Presence::Checked | Presence::Missing => Presence::Missing,
            };
            match place {
                Some(place) => index.libraries[place].presence = presence,
                None => index.libraries.push(IndexedLibrary {
                    page: None,
                    new_failures: 0,
                    presence,
                    ..old.clone()
                }),
            }
        }
        index.libraries.sort_by_key(IndexedLibrary::title);
        Ok(index)
    }

    /// The libraries that are missing.
    pub fn missing(&self) -> impl Iterator<Item = &IndexedLibrary> {
        let libraries = self.libraries.iter();
        libraries.filter(|it| it.presence == Presence::Missing)
    }

    fn of(history: &History) -> Index {
        let runs = history.runs.iter().map(|saved| IndexedRun {
            id: saved.id.clone(),
            started: saved.run.started.clone(),
            suite: saved.run.suite.clone(),
            specification: saved.run.specification.clone(),
            status: saved.run.status,
            libraries: (saved.libraries.iter())
                .map(|it| history.libraries[*it].title())
                .collect(),
        });
        let libraries = history.libraries.iter().map(|library| IndexedLibrary {
            name: library.name.clone(),
            arch: library.arch.clone(),
            page: Some(super::page_of_library(library)),
            newest: {
                let runs = library.versions.iter().map(|it| it.newest().run);
                let newest = runs.max().expect("a library has a version");
                history.started(newest).to_owned()
            },
            new_failures: library.new_failures(),
            presence: Presence::Checked,
        });
        Index {
            site: VERSION,
            suite: env!("CARGO_PKG_VERSION").into(),
            runs: runs.collect(),
            libraries: libraries.collect(),
        }
    }
}

/// The libraries of the runs that the former site did not have.
fn new_runs(history: &History, former: &Index) -> BTreeSet<String> {
    let known: BTreeSet<_> = former.runs.iter().map(|it| &it.id).collect();
    let new = history.runs.iter().filter(|it| !known.contains(&it.id));
    let libraries = new.flat_map(|it| &it.libraries);
    libraries.map(|it| history.libraries[*it].title()).collect()
}

fn check_removed(
    former: &Index,
    new: &BTreeSet<String>,
    removed: &[String],
) -> Result<(), InputError> {
    for name in removed {
        let mut libraries = former.libraries.iter().filter(|it| it.is_called(name));
        if let Some(library) = libraries.clone().find(|it| new.contains(&it.title())) {
            return Err(InputError::new(
                format!("--removed {name}: a new run has {}", library.title()),
                "leave out --removed for it",
            ));
        }
        if libraries.next().is_none() {
            let names = former.libraries.iter().map(|it| it.name.as_str());
            return Err(InputError::new(
                format!("--removed {name}: the former site has no such library"),
                match nearest(name, names) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "its runs.json lists those that it has".into(),
                },
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::record::Run;
    use crate::views::site::forged::{named, run};
    use rstest::rstest;

    /// The history of these runs: a word for each, and a letter for each of its libraries.
    fn history(runs: &str) -> History {
        let runs = runs.split(' ').enumerate().map(|(index, names)| {
            let names = names.chars().filter(char::is_ascii_alphabetic);
            let libraries = names.map(|it| named(&it.to_string(), Judgement::pass("0")));
            let run: Run = run(&index.to_string(), libraries.collect());
            (index.to_string(), run)
        });
        History::new(runs.collect())
    }

    fn missing(index: &Index) -> Vec<String> {
        index.missing().map(|it| it.name.clone()).collect()
    }

    fn next(former: &Index, runs: &str, removed: &[&str]) -> Index {
        let removed: Vec<_> = removed.iter().map(|it| (*it).to_owned()).collect();
        Index::new(&history(runs), Some(former), &removed).unwrap()
    }

    fn first() -> Index {
        Index::new(&history("ab"), None, &[]).unwrap()
    }

    #[rstest]
    #[case::the_same_again("ab", &[])]
    #[case::with_a_whole_run("ab ab", &[])]
    #[case::in_two_new_runs("ab a b", &[])]
    #[case::with_a_run_without_it("ab a", &["b"])]
    #[case::without_the_old_run("- a", &["b"])]
    #[case::without_any_run_that_has_it("ab c", &["a", "b"])]
    fn a_library_is_missing_if_no_new_run_has_it(#[case] runs: &str, #[case] wanted: &[&str]) {
        assert_eq!(missing(&next(&first(), runs, &[])), wanted);
    }

    #[test]
    fn a_missing_library_stays_missing_until_it_is_removed_or_comes_again() {
        let second = next(&first(), "ab a", &[]);
        let third = next(&second, "ab a a", &[]);
        assert_eq!(missing(&third), ["b"]);
        // Also if no run has it that the site shows, and if no run is new.
        assert_eq!(missing(&next(&third, "ab a", &[])), ["b"]);
        let gone = next(&third, "- - - a", &[]);
        assert_eq!(missing(&gone), ["b"]);
        assert_eq!(gone.libraries[1].page, None);
        let again = next(&gone, "- - - - ab", &[]);
        assert_eq!(missing(&again), [""; 0]);
        let removed = next(&gone, "- - - - a", &["b"]);
        assert_eq!(missing(&removed), [""; 0]);
        let later = next(&removed, "- - - - - a", &[]);
        assert_eq!(missing(&later), [""; 0]);
        assert_eq!(later.libraries[1].presence, Presence::Removed);
    }

    #[rstest]
    #[case("c", "--removed c: the former site has no such library")]
    #[case("a", "--removed a: a new run has a, x86_64")]
    fn a_wrong_removal_is_refused(#[case] name: &str, #[case] problem: &str) {
        let history = history("ab a");
        let error = Index::new(&history, Some(&first()), &[name.to_owned()]).unwrap_err();
        assert_eq!(error.problem, problem);
    }

    #[rstest]
    #[case("", "runs.json is no index of a site: ")]
    #[case("{\"schema\": 2}", "runs.json is no index of a site: missing field")]
    #[case(
        "{\"site\": 2, \"suite\": \"\", \"runs\": [], \"libraries\": []}",
        "runs.json has version 2, and this program reads version 1"
    )]
    fn what_is_no_index_is_refused_with_its_name(#[case] text: &str, #[case] problem: &str) {
        let error = Index::parse("runs.json", text).unwrap_err();
        assert!(error.problem.starts_with(problem), "{error}");
    }

    #[test]
    fn an_index_is_read_as_it_was_written() {
        let index = first();
        let text = serde_json::to_string(&index).unwrap();
        assert_eq!(Index::parse("runs.json", &text).unwrap(), index);
    }
}
