//! The deviations of a library that this page shows together. They are fewer than those with one
//! cause: each case that failed in another way has calls of its own to show.

use crate::clause::Verdict;
use crate::record::{Library, Outcome, State};

/// Deviations with one cause.
pub(super) struct Cause<'a> {
    /// The first of them.
    pub(super) first: &'a Outcome,
    /// The others.
    pub(super) others: Vec<&'a Outcome>,
}

impl<'a> Cause<'a> {
    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &'a Outcome> {
        let others = self.others.iter().copied();
        std::iter::once(self.first).chain(others)
    }

    /// The number of clauses.
    pub(super) fn clauses(&self) -> usize {
        let mut clauses: Vec<_> = self.all().map(|it| &it.clause).collect();
        clauses.sort();
        clauses.dedup();
        clauses.len()
    }

    /// Whether the process ended or was not observed, so that no clause was really judged.
    pub(super) fn hides_clauses(&self) -> bool {
        hides_clauses(self.first)
    }

    /// Whether they are listed.
    pub(super) fn is_known(&self) -> bool {
        self.first.state == State::Known
    }
}

fn hides_clauses(outcome: &Outcome) -> bool {
    matches!(
        outcome.verdict,
        Verdict::Crash | Verdict::Timeout | Verdict::Error
    )
}

/// Whether two deviations have one cause: the process ended in the same way in the same step,
/// or one clause failed in the same way in several cases.
fn are_one(a: &Outcome, b: &Outcome) -> bool {
    let step = |it: &Outcome| it.at.as_ref().and_then(|at| at.step.clone());
    let last_call = |it: &Outcome| {
        let at = it.at.as_ref();
        at.and_then(|at| at.call.as_ref().map(|call| call.call.clone()))
    };
    let are_alike = a.verdict == b.verdict
        && a.state == b.state
        && a.entry == b.entry
        && a.observed == b.observed;
    are_alike
        && match hides_clauses(a) {
            true => step(a) == step(b) && last_call(a) == last_call(b),
            false => a.clause == b.clause,
        }
}

/// The causes of a library's deviations: crashes and timeouts before failures, errors last.
/// Of the former, those that hide the most come first.
pub(super) fn causes(library: &Library) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause> = Vec::new();
    let deviations = library.results.iter();
    for outcome in deviations.filter(|it| it.verdict.is_deviation()) {
        match causes.iter_mut().find(|it| are_one(it.first, outcome)) {
            Some(cause) => cause.others.push(outcome),
            None => causes.push(Cause {
                first: outcome,
                others: Vec::new(),
            }),
        }
    }
    causes.sort_by_key(|cause| match cause.first.verdict {
        Verdict::Error => (2, 0),
        _ if cause.hides_clauses() => (0, usize::MAX - cause.others.len()),
        _ => (1, 0),
    });
    causes
}
