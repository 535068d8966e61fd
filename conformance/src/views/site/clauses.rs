//! The clauses of all runs, with the results of each.

use super::history::{History, Point, Tracked, Version};
use super::names::Names;
use crate::record::{Promise, SourceEntry};
use crate::views::html::matrix::{Cell, column};
use std::collections::HashMap;

/// The clauses, in the order of the newest runs.
pub(super) struct Clauses<'a> {
    all: Vec<Promised<'a>>,
    places: HashMap<&'a str, usize>,
}

/// A clause.
pub(super) struct Promised<'a> {
    /// As the newest run has it.
    pub(super) promise: &'a Promise,
    /// Where it comes from, if a run has a result.
    pub(super) source: Option<&'a SourceEntry>,
    /// The name of its page's file.
    pub(super) file: String,
    /// The results of each version of a library that has any.
    pub(super) results: Vec<Series<'a>>,
}

/// The results of a clause for a version of a library.
pub(super) struct Series<'a> {
    pub(super) tracked: &'a Tracked,
    pub(super) version: &'a Version,
    /// From run to run, the oldest first; never empty.
    pub(super) cells: Vec<(&'a Point, Cell<'a>)>,
}

impl<'a> Series<'a> {
    /// The newest result.
    pub(super) fn newest(&self) -> &(&'a Point, Cell<'a>) {
        self.cells.last().expect("it has a result")
    }
}

impl<'a> Clauses<'a> {
    /// The clauses of these runs.
    pub(super) fn of(history: &'a History) -> Clauses<'a> {
        let mut clauses = Clauses {
            all: Vec::new(),
            places: HashMap::new(),
        };
        let mut names = Names::default();
        let promises = history.runs.iter().rev().flat_map(|it| &it.run.clauses);
        for promise in promises {
            if !clauses.places.contains_key(promise.id.as_str()) {
                clauses.places.insert(&promise.id, clauses.all.len());
                clauses.all.push(Promised {
                    promise,
                    source: None,
                    file: names.file(&promise.id),
                    results: Vec::new(),
                });
            }
        }
        for library in &history.libraries {
            for version in &library.versions {
                clauses.add(history, library, version);
            }
        }
        clauses
    }

    fn add(&mut self, history: &'a History, library: &'a Tracked, version: &'a Version) {
        let mut series: HashMap<&str, Vec<_>> = HashMap::new();
        for point in &version.points {
            let run = &history.runs[point.run].run;
            for (clause, cell) in column(run, &point.seen) {
                series.entry(clause).or_default().push((point, cell));
            }
        }
        for (clause, cells) in series {
            let promised = &mut self.all[self.places[clause]];
            promised.source = cells.last().map(|(_, cell)| &cell.worst.source);
            promised.results.push(Series {
                tracked: library,
                version,
                cells,
            });
        }
    }

    /// The clause with this id.
    pub(super) fn get(&self, id: &str) -> Option<&Promised<'a>> {
        self.places.get(id).map(|place| &self.all[*place])
    }

    /// Every clause.
    pub(super) fn all(&self) -> &[Promised<'a>] {
        &self.all
    }
}
