//! Runs each candidate's cases in parallel and judges the results.

use crate::beneath::{self, Beneath};
use crate::clause::{Case, Clause, Judgement, Seen, Verdict};
use crate::clauses;
use crate::judge::{ended_loading, judge, lacks_its_routine};
use crate::observe::observe;
use crate::pace::{Limit, Pace};
use crate::record::{self, At, Entry};
use crate::repeat::Repeated;
use crate::select::Selection;
use crate::snapshot;
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::parent::candidate::{Candidate, Loading};
use heapmin_harness::parent::interruption;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::fence::InForce;
use heapmin_harness::wire::observation::{Ending, Event, Observation};
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Number of cases to run in parallel.
    pub jobs: usize,
    /// The time limits of cases.
    pub pace: &'a Pace,
    /// When the run ends: cases that have not begun are then not run.
    pub until: Option<Instant>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A case of a candidate begins.
    Begins(&'a Candidate, &'a Case),
    /// A case is over.
    Ends,
}

/// After this many timeouts of a candidate, its other cases get a shorter limit: a library
/// that hangs everywhere then delays a run by a minute and not by an hour.
pub const MOST_TIMEOUTS: usize = 3;

/// One clause judged by one case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The clause.
    pub clause: &'static Clause,
    /// The case.
    pub case: &'static Case,
    /// The verdict and the observation.
    pub judgement: Judgement,
    /// The entry that lists it, if this deviation is known. [`crate::expected`] sets it.
    pub known: Option<Entry>,
    /// The place in the case at which it deviates.
    pub at: Option<At>,
    /// What the system's heap showed, if the deviation is the system's.
    pub beneath: Option<Beneath>,
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
    /// What was observed in each case, without what varies from run to run.
    pub stable: BTreeMap<&'static str, String>,
    /// What was observed in each case, for reports.
    pub cases: BTreeMap<&'static str, record::Case>,
    /// The numbering of its `errno`.
    pub numbering: Numbering,
    /// What several runs showed, with `--repeat`.
    pub repeated: Option<Repeated>,
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
    judge(&seen_by(clause, case, candidate, observation))
}

/// What a clause is judged by.
pub fn seen_by<'a>(
    clause: &'static Clause,
    case: &'a Case,
    candidate: &'a Candidate,
    observation: &'a Observation,
) -> Seen<'a> {
    Seen {
        clause,
        case,
        observation,
        numbering: numbering(candidate, observation),
        candidate,
    }
}

/// The numbering of a candidate's `errno` values. Without a profile, it is Microsoft's
/// if the candidate exports an `_errno` of its own, and the host's if it has none or if
/// `_errno` returns the address of the host's.
pub fn numbering(candidate: &Candidate, observation: &Observation) -> Numbering {
    match &candidate.profile {
        Some(profile) => profile.errno,
        None if observation.shares_errno() => Numbering::Host,
        None if candidate.exports("_errno") => Numbering::Msvc,
        None => Numbering::Host,
    }
}

/// Runs the selected cases on the candidates in parallel and judges the results.
/// Stops early if the run is interrupted.
pub fn check(
    candidates: Vec<Candidate>,
    selection: &Selection,
    limits: Limits,
    progress: impl Fn(Progress) + Sync,
) -> Vec<Checked> {
    let cases = selection.cases();
    let can_run = |it: &&Candidate| !matches!(it.loading, Loading::Ended(_));
    let work: Vec<_> = candidates
        .iter()
        .filter(can_run)
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
                    progress(Progress::Begins(candidate, case));
                    let of_candidate = position - position % cases.len()..position;
                    let observation = match timeout(candidate, limits, &cases, &seen[of_candidate])
                    {
                        _ if is_pointless(candidate, case) => nothing(Ending::Done),
                        Some(timeout) => observe(candidate, case, timeout),
                        None => not_run(OVER),
                    };
                    // The interruption may have ended the probe.
                    if interruption::is_wanted() && observation.ending != Ending::Done {
                        return;
                    }
                    let is_first = seen[position].set(observation).is_ok();
                    debug_assert!(is_first, "one thread takes each position");
                    progress(Progress::Ends);
                }
            });
        }
    });
    let mut seen = seen.into_iter().map(OnceLock::into_inner);
    let runs = candidates.into_iter().map(|candidate| {
        if let Loading::Ended(loading) = &candidate.loading {
            let loading = loading.clone();
            return (conclude_ended(candidate, selection, &loading), Vec::new());
        }
        let observations = cases
            .iter()
            .filter_map(|case| Some((*case, seen.next().flatten()?)));
        let mut observations: Vec<(&'static Case, Observation)> = observations.collect();
        cut(&mut observations, limits.pace.of(&candidate.runner));
        let checked = conclude(candidate, selection, &observations);
        (checked, observations)
    });
    let mut runs: Vec<beneath::Run> = runs.collect();
    beneath::mark(&mut runs, limits);
    runs.into_iter().map(|(checked, _)| checked).collect()
}

/// Why a case is not run after the end of `--max-time`.
const OVER: &str = "the time of --max-time is over";

/// The time limit for a candidate's next case; `None` if the run's time is over. `earlier`
/// has the observations of its earlier cases, the first of `cases`. A case that does what no
/// page defines may hang: it does not count, and keeps the full limit.
fn timeout(
    candidate: &Candidate,
    limits: Limits,
    cases: &[&Case],
    earlier: &[OnceLock<Observation>],
) -> Option<Duration> {
    let limit = limits.pace.of(&candidate.runner);
    let has_timed_out = |seen: &OnceLock<Observation>| {
        seen.get()
            .is_some_and(|seen| seen.ending == Ending::TimedOut)
    };
    let of_cases = earlier
        .iter()
        .zip(cases)
        .filter(|(_, case)| !case.undefined);
    let timeouts = of_cases.filter(|(seen, _)| has_timed_out(seen)).count();
    let is_shrunk = timeouts >= MOST_TIMEOUTS && !cases[earlier.len()].undefined;
    let timeout = match is_shrunk {
        true => limit.shrunk,
        false => limit.full,
    };
    match limits
        .until
        .map(|until| until.saturating_duration_since(Instant::now()))
    {
        Some(Duration::ZERO) => None,
        Some(left) => Some(timeout.min(left)),
        None => Some(timeout),
    }
}

/// Says of each case that was cut by a shorter limit than the full one that it was not run.
/// So that the verdicts do not depend on how many cases run in parallel, this also applies
/// to a case that took longer than the shorter limit, and had the full one because the
/// earlier cases were not over.
fn cut(observations: &mut [(&Case, Observation)], limit: Limit) {
    let mut timeouts = 0;
    for (case, seen) in observations {
        let is_shrunk = timeouts >= MOST_TIMEOUTS && limit.shrunk < limit.full && !case.undefined;
        let own_limit = if is_shrunk { limit.shrunk } else { limit.full };
        let is_within = Duration::from_millis(seen.duration_ms) < own_limit;
        let timed_out = seen.ending == Ending::TimedOut;
        let was_run = matches!(seen.ending, Ending::Done | Ending::Died(_)) || timed_out;
        if timed_out && is_within {
            *seen = not_run(OVER);
        } else if was_run && is_shrunk && !is_within {
            *seen = not_run(&format!(
                "it did not finish within {} ms, the limit after {MOST_TIMEOUTS} timeouts",
                limit.shrunk.as_millis()
            ));
        } else if timed_out && !case.undefined {
            timeouts += 1;
        }
    }
}

/// Whether no clause can be judged by the case, because the library lacks the routine of
/// each. Its process need not be started.
pub(crate) fn is_pointless(candidate: &Candidate, case: &Case) -> bool {
    let has = |clause: &&Clause| clause.cases.iter().any(|it| it.name == case.name);
    clauses::all()
        .filter(has)
        .all(|clause| lacks_routine_of(candidate, clause, case))
}

/// Whether the file shows that the clause cannot be judged by the case, because the library
/// lacks its routine.
pub(crate) fn lacks_routine_of(
    candidate: &Candidate,
    clause: &'static Clause,
    case: &Case,
) -> bool {
    lacks_its_routine(&Seen {
        clause,
        case,
        observation: &nothing(Ending::Done),
        numbering: Numbering::Host,
        candidate,
    })
}

/// The observation of a case that was not run.
fn not_run(why: &str) -> Observation {
    nothing(Ending::Failed(format!("not run: {why}")))
}

pub(crate) fn nothing(ending: Ending) -> Observation {
    Observation {
        events: Vec::new(),
        ending,
        duration_ms: 0,
    }
}

/// The results of a candidate that could not be loaded without its own code ending or
/// delaying the process: one verdict says what happened, and no case was run.
fn conclude_ended(candidate: Candidate, selection: &Selection, loading: &Observation) -> Checked {
    let why = match &loading.ending {
        _ if loading.elsewhere().is_some() => "the library calls another library's routines",
        Ending::TimedOut => "loading the library did not end",
        _ => "the library ended the process while it was loaded",
    };
    let clauses = selection.clauses.iter();
    let pairs = clauses.flat_map(|clause| selection.cases_of(clause).map(|case| (*clause, case)));
    let outcome = |(index, (clause, case))| Outcome {
        clause,
        case,
        judgement: match index {
            0 => Judgement {
                observed: on_one_line(&ended_loading(loading).observed),
                ..ended_loading(loading)
            },
            _ => Verdict::Error.because(format!("not run: {why}")),
        },
        known: None,
        at: None,
        beneath: None,
        duration_ms: if index == 0 { loading.duration_ms } else { 0 },
    };
    let outcomes = pairs.enumerate().map(outcome).collect();
    Checked {
        cases_run: 0,
        fence: None,
        given_back: None,
        stable: BTreeMap::new(),
        cases: BTreeMap::new(),
        numbering: numbering(&candidate, loading),
        repeated: None,
        candidate,
        outcomes,
    }
}

/// Judges the selected clauses by the observations of a candidate's cases.
pub fn conclude(
    candidate: Candidate,
    selection: &Selection,
    observations: &[(&'static Case, Observation)],
) -> Checked {
    let mut outcomes = Vec::new();
    for clause in &selection.clauses {
        for case in selection.cases_of(clause) {
            let mut observations = observations.iter();
            let Some((_, observation)) = observations.find(|(seen, _)| seen.name == case.name)
            else {
                continue;
            };
            let judgement = judge_observation(clause, case, &candidate, observation);
            let place = deviates_at(&judgement, observation);
            outcomes.push(Outcome {
                clause,
                case,
                known: None,
                at: place.map(|index| {
                    record::at(observation, index, numbering(&candidate, observation))
                }),
                judgement,
                beneath: None,
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
    let traced = observations.iter().map(|(case, seen)| {
        let of_case = outcomes.iter().filter(|it| it.case.name == case.name);
        let places = of_case.filter_map(|it| Some(it.at.as_ref()?.event - 1));
        let numbering = numbering(&candidate, seen);
        (
            case.name,
            record::trace(case, seen, numbering, places.min()),
        )
    });
    Checked {
        cases: traced.collect(),
        numbering: numbering_of_run(&candidate, observations),
        cases_run: observations.len(),
        fence,
        given_back,
        stable: observations
            .iter()
            .map(|(case, seen)| (case.name, snapshot::stable(seen)))
            .collect(),
        repeated: None,
        candidate,
        outcomes,
    }
}

/// The index of the event at which a result deviates. If the process ended, that is the last.
fn deviates_at(judgement: &Judgement, observation: &Observation) -> Option<usize> {
    match judgement.verdict {
        Verdict::Fail => judgement.at,
        Verdict::Crash | Verdict::Timeout => observation.events.len().checked_sub(1),
        Verdict::Pass | Verdict::Unsupported | Verdict::Error => None,
    }
}

/// The numbering of a candidate's `errno` values, as most of a run shows it.
fn numbering_of_run(
    candidate: &Candidate,
    observations: &[(&'static Case, Observation)],
) -> Numbering {
    let loaded = observations.iter().find(|(_, seen)| seen.was_loaded());
    match loaded {
        Some((_, seen)) => numbering(candidate, seen),
        None => numbering(candidate, &nothing(Ending::Done)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Verdict;
    use crate::forged::candidate;

    fn outcome(verdict: Verdict, known: Option<&str>) -> Outcome {
        let known = known.map(|why| Entry {
            why: why.into(),
            ..Entry::default()
        });
        let clause = crate::clauses::all().next().expect("a clause");
        Outcome {
            clause,
            case: clause.cases[0],
            judgement: verdict.because(""),
            known,
            at: None,
            beneath: None,
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
    fn errno_numbering_defaults_to_msvc_when_the_library_has_an_errno_of_its_own() {
        let seen = |shares_errno| Observation {
            events: match shares_errno {
                true => vec![Event::SharesErrno],
                false => Vec::new(),
            },
            ending: Ending::Done,
            duration_ms: 0,
        };
        let mut candidate = candidate();
        candidate.image.exports = vec!["malloc".into()];
        assert_eq!(numbering(&candidate, &seen(false)), Numbering::Host);
        candidate.image.exports = vec!["malloc".into(), "_errno".into()];
        assert_eq!(numbering(&candidate, &seen(false)), Numbering::Msvc);
        assert_eq!(numbering(&candidate, &seen(true)), Numbering::Host);
    }

    /// The verdict words of five cases that time out after these times, in milliseconds.
    fn endings(taken: &[u64], limit: Limit) -> Vec<Ending> {
        let case = crate::clauses::all().next().expect("a clause").cases[0];
        let seen = |duration_ms: &u64| Observation {
            events: Vec::new(),
            ending: Ending::TimedOut,
            duration_ms: *duration_ms,
        };
        let mut seen: Vec<_> = taken.iter().map(|taken| (case, seen(taken))).collect();
        cut(&mut seen, limit);
        seen.into_iter().map(|(_, seen)| seen.ending).collect()
    }

    #[test]
    fn after_three_timeouts_a_case_that_hangs_is_not_run_whatever_limit_it_had() {
        let limit = Limit {
            full: Duration::from_millis(100),
            shrunk: Duration::from_millis(10),
        };
        // The fifth case began before the third was over, as it may in parallel.
        let endings = endings(&[100, 101, 100, 10, 100], limit);
        let is_timeout = |ending: &Ending| *ending == Ending::TimedOut;
        assert!(endings[..3].iter().all(is_timeout), "{endings:?}");
        for ending in &endings[3..] {
            assert_eq!(
                *ending,
                Ending::Failed(
                    "not run: it did not finish within 10 ms, the limit after 3 timeouts".into()
                )
            );
        }
    }

    #[test]
    fn a_limit_that_the_user_gave_does_not_shrink() {
        let limit = Limit {
            full: Duration::from_millis(100),
            shrunk: Duration::from_millis(100),
        };
        let endings = endings(&[100; 5], limit);
        assert!(endings.iter().all(|ending| *ending == Ending::TimedOut));
    }
}
