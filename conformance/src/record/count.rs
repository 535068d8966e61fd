//! Which clauses of a run were judged, of those that apply, and what kept the others from
//! being judged.

use super::{Library, Outcome, Promise, Run};
use crate::clause::{Level, Reason, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A clause with the result that counts.
#[derive(Clone, Copy, Debug)]
pub struct Counted<'a> {
    /// The clause.
    pub promise: &'a Promise,
    /// The first of its results with the worst verdict.
    pub outcome: &'a Outcome,
    /// Whether it was judged in a case.
    pub is_judged: bool,
    /// Number of its cases that were run.
    cases_run: usize,
}

impl Counted<'_> {
    /// Whether there was something to keep in a case.
    pub fn applies(&self) -> bool {
        self.outcome.reason != Some(Reason::NotApplicable)
    }

    /// The routine that the library lacks, if that kept the clause from being judged.
    pub fn missing(&self) -> Option<&str> {
        let is_open = self.outcome.reason == Some(Reason::NotJudged);
        self.outcome.missing.as_deref().filter(|_| is_open)
    }

    /// Whether all its cases were run: --only, --skip, --fault or an interruption may
    /// leave out some.
    pub fn is_whole(&self) -> bool {
        self.cases_run == self.promise.cases.len()
    }
}

/// Every clause of a library's results, each once.
pub fn counted<'a>(run: &'a Run, library: &'a Library) -> Vec<Counted<'a>> {
    let promises: HashMap<&str, &Promise> =
        run.clauses.iter().map(|it| (it.id.as_str(), it)).collect();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut counted: Vec<Counted> = Vec::new();
    for outcome in &library.results {
        let Some(promise) = promises.get(outcome.clause.as_str()) else {
            continue;
        };
        let is_judged = outcome.verdict.is_judged();
        // A clause of which one case was not judged is no clause that does not apply.
        let weight = |it: &Outcome| (it.verdict, it.reason);
        match places.get(outcome.clause.as_str()) {
            Some(place) => {
                let known = &mut counted[*place];
                known.is_judged |= is_judged;
                known.cases_run += 1;
                if weight(outcome) > weight(known.outcome) {
                    known.outcome = outcome;
                }
            }
            None => {
                places.insert(&outcome.clause, counted.len());
                counted.push(Counted {
                    promise,
                    outcome,
                    is_judged,
                    cases_run: 1,
                });
            }
        }
    }
    counted
}

/// The number of clauses that were judged. Clauses of level `record` do not count: they
/// are never judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// Clauses that were judged in a case.
    pub clauses: usize,
    /// Clauses that apply.
    pub applicable: usize,
}

/// Counts the clauses of a library's results.
pub fn count(run: &Run, library: &Library) -> Count {
    let counted = counted(run, library);
    let promises = counted
        .iter()
        .filter(|it| it.outcome.level != Level::Record);
    Count {
        clauses: promises.clone().filter(|it| it.is_judged).count(),
        applicable: promises.filter(|it| it.applies()).count(),
    }
}

/// The number of results with each verdict, in the order of [`Verdict::ALL`].
pub fn counts(library: &Library) -> [(Verdict, usize); 6] {
    Verdict::ALL.map(|verdict| {
        let results = library.results.iter();
        (verdict, results.filter(|it| it.verdict == verdict).count())
    })
}

/// The clauses that one cause kept from being judged.
#[derive(Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// The cause.
    pub cause: String,
    /// The clauses.
    pub clauses: Vec<&'a str>,
}

/// The clauses that are unsupported for this reason, by cause, without those that
/// [`lacking`] names.
pub fn groups<'a>(counted: &[Counted<'a>], reason: Reason) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    let unsupported = counted
        .iter()
        .filter(|it| it.outcome.reason == Some(reason));
    for Counted { outcome, .. } in unsupported.filter(|it| it.missing().is_none()) {
        let (cause, id) = (&outcome.observed, outcome.clause.as_str());
        match groups.iter_mut().find(|group| group.cause == *cause) {
            Some(group) => group.clauses.push(id),
            None => groups.push(Group {
                cause: cause.clone(),
                clauses: vec![id],
            }),
        }
    }
    groups
}

/// The clauses that were not judged because the library lacks routines, under one cause
/// that names the routines; `None` if there are none. Clauses of level `record` are left
/// out.
pub fn lacking<'a>(counted: &[Counted<'a>]) -> Option<Group<'a>> {
    let (mut routines, mut clauses) = (Vec::new(), Vec::new());
    for one in counted {
        if let (Some(routine), Level::Must | Level::Should) = (one.missing(), one.outcome.level) {
            if !routines.contains(&routine) {
                routines.push(routine);
            }
            clauses.push(one.outcome.clause.as_str());
        }
    }
    (!clauses.is_empty()).then(|| Group {
        cause: format!("the library does not export {}", routines.join(", ")),
        clauses,
    })
}
