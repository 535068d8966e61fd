//! Runs each candidate's cases in parallel and judges the results.

use crate::clause::{Case, Clause, Judgement, Seen};
use crate::judge::judge;
use crate::observe::observe;
use crate::select::Selection;
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::interruption;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::fence::InForce;
use heapmin_harness::wire::observation::{Ending, Event, Observation};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Number of cases to run in parallel.
    pub jobs: usize,
    /// Time limit for each case.
    pub timeout: Duration,
}

/// One clause judged by one case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The clause.
    pub clause: &'static Clause,
    /// The case.
    pub case: &'static Case,
    /// The verdict and the observation.
    pub judgement: Judgement,
    /// The reason, if this deviation is known. [`crate::expected`] sets it.
    pub known: Option<String>,
    /// Duration of the case, in milliseconds.
    pub duration_ms: u64,
}

/// A candidate with its verdicts.
#[derive(Debug)]
pub struct Checked {
    /// The candidate.
    pub candidate: Candidate,
    /// The results, in the order of the clauses.
    pub outcomes: Vec<Outcome>,
    /// Number of cases that were run: all, unless the run was interrupted.
    pub cases_run: usize,
    /// The restrictions that were in force; `None` without a fence.
    pub fence: Option<InForce>,
    /// Bytes that the workloads used, and bytes of them that the library gave back.
    pub given_back: Option<(u64, u64)>,
}

impl Outcome {
    /// Whether this is a deviation that is not listed.
    pub fn is_unexpected(&self) -> bool {
        self.judgement.verdict.is_deviation() && self.known.is_none()
    }
}

/// Judges a clause by an observation of one of its cases.
pub fn judge_observation(
    clause: &'static Clause,
    case: &Case,
    candidate: &Candidate,
    observation: &Observation,
) -> Judgement {
    let seen = Seen {
        clause,
        case,
        observation,
        numbering: numbering(candidate),
        candidate,
    };
    judge(&seen)
}

/// The numbering of a candidate's `errno` values. Without a profile, it is Microsoft's
/// if the candidate exports `_errno`, else the host's.
pub fn numbering(candidate: &Candidate) -> Numbering {
    match &candidate.profile {
        Some(profile) => profile.errno,
        None if candidate.image.exports.iter().any(|name| name == "_errno") => Numbering::Msvc,
        None => Numbering::Host,
    }
}

/// Runs the selected cases on the candidates in parallel and judges the results.
/// Stops early if the run is interrupted. Calls `progress` after each case.
pub fn check(
    candidates: Vec<Candidate>,
    selection: &Selection,
    limits: Limits,
    progress: impl Fn() + Sync,
) -> Vec<Checked> {
    let cases = selection.cases();
    let work: Vec<_> = candidates
        .iter()
        .flat_map(|candidate| cases.iter().map(move |case| (candidate, *case)))
        .collect();
    let seen: Vec<OnceLock<Observation>> = work.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..limits.jobs.max(1).min(work.len()) {
            scope.spawn(|| {
                loop {
                    let position = next.fetch_add(1, Ordering::Relaxed);
                    let Some((candidate, case)) = work.get(position) else {
                        return;
                    };
                    if interruption::is_wanted() {
                        return;
                    }
                    let observation = observe(candidate, case, limits.timeout);
                    // The interruption may have ended the probe.
                    if interruption::is_wanted() && observation.ending != Ending::Done {
                        return;
                    }
                    let is_first = seen[position].set(observation).is_ok();
                    debug_assert!(is_first, "one thread takes each position");
                    progress();
                }
            });
        }
    });
    let mut seen = seen.into_iter().map(OnceLock::into_inner);
    candidates
        .into_iter()
        .map(|candidate| {
            let observations: Vec<(&Case, Observation)> = cases
                .iter()
                .filter_map(|case| Some((*case, seen.next().flatten()?)))
                .collect();
            conclude(candidate, selection, &observations)
        })
        .collect()
}

/// Judges the selected clauses by the observations of a candidate's cases.
pub fn conclude(
    candidate: Candidate,
    selection: &Selection,
    observations: &[(&Case, Observation)],
) -> Checked {
    let mut outcomes = Vec::new();
    for clause in &selection.clauses {
        for case in selection.cases_of(clause) {
            let mut observations = observations.iter();
            let Some((_, observation)) = observations.find(|(seen, _)| seen.name == case.name)
            else {
                continue;
            };
            outcomes.push(Outcome {
                clause,
                case,
                judgement: judge_observation(clause, case, &candidate, observation),
                known: None,
                duration_ms: observation.duration_ms,
            });
        }
    }
    let figures = observations
        .iter()
        .filter_map(|(case, observation)| case.given_back?(observation));
    let given_back = figures.reduce(|(held, back), figure| {
        (held.saturating_add(figure.0), back.saturating_add(figure.1))
    });
    let mut events = observations.iter().flat_map(|(_, seen)| &seen.events);
    let fence = events.find_map(|event| match event {
        Event::Fenced(in_force) => Some(InForce {
            kept: in_force.kept.iter().map(|it| on_one_line(it)).collect(),
            missing: in_force.missing.iter().map(|it| on_one_line(it)).collect(),
        }),
        _ => None,
    });
    Checked {
        cases_run: observations.len(),
        fence,
        given_back,
        candidate,
        outcomes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Verdict;
    use crate::forged::candidate;

    fn outcome(verdict: Verdict, known: Option<&str>) -> Outcome {
        let clause = crate::clauses::all().next().expect("a clause");
        Outcome {
            clause,
            case: clause.cases[0],
            judgement: Judgement {
                verdict,
                reason: None,
                observed: String::new(),
            },
            known: known.map(str::to_owned),
            duration_ms: 0,
        }
    }

    #[test]
    fn a_deviation_is_unexpected_until_it_is_listed() {
        assert!(outcome(Verdict::Fail, None).is_unexpected());
        assert!(!outcome(Verdict::Fail, Some("a reason")).is_unexpected());
        assert!(!outcome(Verdict::Pass, None).is_unexpected());
        assert!(!outcome(Verdict::Pass, Some("a reason")).is_unexpected());
    }

    #[test]
    fn errno_numbering_defaults_to_msvc_when_errno_is_exported() {
        let mut candidate = candidate();
        candidate.image.exports = vec!["malloc".into()];
        assert_eq!(numbering(&candidate), Numbering::Host);
        candidate.image.exports = vec!["malloc".into(), "_errno".into()];
        assert_eq!(numbering(&candidate), Numbering::Msvc);
    }
}
