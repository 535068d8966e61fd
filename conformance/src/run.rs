//! Has candidates' cases acted out, several at a time, and judges them.

use crate::clause::{Case, Clause, Judgement, Seen};
use crate::expected::standing::concerns;
use crate::judge::judge;
use crate::select::Selection;
use heapmin_harness::known::Known;
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::library::routines::ROUTINES;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::interruption;
use heapmin_harness::parent::launch::Launch;
use heapmin_harness::text::printable::{on_one_line, shown};
use heapmin_harness::wire::channel::new_token;
use heapmin_harness::wire::fence::InForce;
use heapmin_harness::wire::job::Job;
use heapmin_harness::wire::observation::{Ending, Event, Observation};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How cases are run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many at a time.
    pub jobs: usize,
    /// How long each may take.
    pub timeout: Duration,
}

/// One clause judged by one case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The clause.
    pub clause: &'static Clause,
    /// The case.
    pub case: &'static Case,
    /// What came of it.
    pub judgement: Judgement,
    /// Why this deviation is known, if it is.
    pub known: Option<String>,
    /// How long the case took.
    pub duration_ms: u64,
}

/// A candidate with all its verdicts.
#[derive(Debug)]
pub struct Checked {
    /// The candidate.
    pub candidate: Candidate,
    /// In the order of the clauses.
    pub outcomes: Vec<Outcome>,
    /// How many cases were run: all, unless the run was interrupted.
    pub cases_run: usize,
    /// What the candidate was kept from; `None` if no fence was wanted.
    pub fence: Option<InForce>,
    /// Bytes that workloads held, and how many of them were given back.
    pub given_back: Option<(u64, u64)>,
}

impl Outcome {
    /// Whether this is a deviation that nobody knows of.
    pub fn is_unexpected(&self) -> bool {
        self.judgement.verdict.is_deviation() && self.known.is_none()
    }
}

/// Runs one case on a candidate.
pub fn observe(candidate: &Candidate, case: &Case, timeout: Duration) -> Observation {
    launch(candidate, case.name, None, case.forks, timeout)
}

/// Runs a script of [`heapmin_harness::wire::script`] on a candidate.
pub fn observe_script(candidate: &Candidate, script: &str, timeout: Duration) -> Observation {
    launch(candidate, "script", Some(script), false, timeout)
}

/// Runs an act that is no case on a candidate, with more in its environment.
pub fn observe_with(
    candidate: &Candidate,
    act: &str,
    more: &[(String, String)],
    timeout: Duration,
) -> Observation {
    let environment = [candidate.environment.as_slice(), more].concat();
    launch_in(candidate, &environment, act, None, false, timeout)
}

fn launch(
    candidate: &Candidate,
    case: &str,
    script: Option<&str>,
    may_fork: bool,
    timeout: Duration,
) -> Observation {
    launch_in(
        candidate,
        &candidate.environment,
        case,
        script,
        may_fork,
        timeout,
    )
}

fn launch_in(
    candidate: &Candidate,
    environment: &[(String, String)],
    case: &str,
    script: Option<&str>,
    may_fork: bool,
    timeout: Duration,
) -> Observation {
    let profile = candidate.profile.as_ref();
    let job = Job {
        token: new_token(),
        case: case.to_owned(),
        script: script.map(str::to_owned),
        fence: None,
        load_name: candidate.load_name.clone(),
        exports: Some(known_exports(candidate)),
        errno_library: profile.and_then(|profile| profile.errno_library.clone()),
        // A file that was put in the place of the loader's own has no other name.
        alias: profile
            .filter(|_| candidate.stage.is_none())
            .and_then(|profile| profile.alias.clone()),
    };
    let observation = Launch::new(&candidate.runner, timeout)
        .with_environment(environment)
        .with_children(may_fork)
        .observe(&job);
    if candidate.identity.is_of(&candidate.path) {
        return observation;
    }
    // What was seen may be of either file, or of a mixture.
    let path = shown(candidate.path.as_os_str());
    Observation {
        events: Vec::new(),
        ending: Ending::Failed(format!(
            "{path} was replaced or changed during the run; check it again when it is finished"
        )),
        ..observation
    }
}

/// Those of a library's exports that a probe looks up.
fn known_exports(candidate: &Candidate) -> Vec<String> {
    let exports = candidate.image.exports.iter();
    exports
        .filter(|name| ROUTINES.contains(&name.as_str()))
        .cloned()
        .collect()
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

/// Whose numbers a candidate's `errno` holds. Without a profile, one that
/// has `_errno` counts as Microsoft does, and any other as the host.
pub fn numbering(candidate: &Candidate) -> Numbering {
    match &candidate.profile {
        Some(profile) => profile.errno,
        None if candidate.image.exports.iter().any(|name| name == "_errno") => Numbering::Msvc,
        None => Numbering::Host,
    }
}

/// Checks candidates, or as many of their cases as there is time for before
/// the run is interrupted. `expected` are known deviations beside those of the
/// profiles; `progress` is called after each case.
pub fn check(
    candidates: Vec<Candidate>,
    selection: &Selection,
    limits: Limits,
    expected: &[Known],
    progress: impl Fn() + Sync,
) -> Vec<Checked> {
    let cases = selection.cases();
    let work: Vec<_> = (0..candidates.len())
        .flat_map(|index| cases.iter().map(move |case| (index, *case)))
        .collect();
    let seen: Vec<Mutex<Option<Observation>>> = work.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..limits.jobs.clamp(1, work.len()) {
            scope.spawn(|| {
                while let Some((index, case)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if interruption::is_wanted() {
                        return;
                    }
                    let observation = observe(&candidates[*index], case, limits.timeout);
                    // Whoever interrupts may have hit the probe as well.
                    if interruption::is_wanted() && observation.ending != Ending::Done {
                        return;
                    }
                    let position = index * cases.len()
                        + cases.iter().position(|c| c.name == case.name).unwrap_or(0);
                    *seen[position].lock().expect("no holder panics") = Some(observation);
                    progress();
                }
            });
        }
    });
    let mut seen = seen
        .into_iter()
        .map(|slot| slot.into_inner().expect("no holder panics"));
    candidates
        .into_iter()
        .map(|candidate| {
            let observations: Vec<(&Case, Observation)> = cases
                .iter()
                .filter_map(|case| Some((*case, seen.next().flatten()?)))
                .collect();
            conclude(candidate, selection, &observations, expected)
        })
        .collect()
}

/// Judges the selected clauses by what was seen of a candidate, case by case.
pub fn conclude(
    candidate: Candidate,
    selection: &Selection,
    observations: &[(&Case, Observation)],
    expected: &[Known],
) -> Checked {
    let profile = candidate.profile.as_ref();
    let known: Vec<&Known> = profile
        .iter()
        .flat_map(|profile| &profile.known)
        .chain(expected)
        .filter(|entry| concerns(entry.candidate.as_deref(), &candidate))
        .collect();
    let maker = candidate.image.maker;
    let mut outcomes = Vec::new();
    for clause in &selection.clauses {
        for case in selection.cases_of(clause) {
            let mut observations = observations.iter();
            let Some((_, observation)) = observations.find(|(seen, _)| seen.name == case.name)
            else {
                continue;
            };
            let judgement = judge_observation(clause, case, &candidate, observation);
            let entry = known.iter().find(|entry| {
                entry.applies(clause.id, case.name, maker)
                    && entry.verdict == judgement.verdict.name()
            });
            outcomes.push(Outcome {
                clause,
                case,
                known: entry.map(|entry| entry.why.clone()),
                judgement,
                duration_ms: observation.duration_ms,
            });
        }
    }
    let figures: Vec<_> = observations
        .iter()
        .filter_map(|(case, observation)| case.given_back?(observation))
        .collect();
    let sum = |(held, back): (u64, u64), figure: &(u64, u64)| {
        (held.saturating_add(figure.0), back.saturating_add(figure.1))
    };
    let events = observations.iter().flat_map(|(_, seen)| &seen.events);
    let fence = events.clone().find_map(|event| match event {
        Event::Fenced(in_force) => Some(InForce {
            kept: in_force.kept.iter().map(|it| on_one_line(it)).collect(),
            missing: in_force.missing.iter().map(|it| on_one_line(it)).collect(),
        }),
        _ => None,
    });
    Checked {
        cases_run: observations.len(),
        fence,
        given_back: (!figures.is_empty()).then(|| figures.iter().fold((0, 0), sum)),
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
                observed: String::new(),
            },
            known: known.map(str::to_owned),
            duration_ms: 0,
        }
    }

    #[test]
    fn a_deviation_is_unexpected_until_somebody_knows_of_it() {
        assert!(outcome(Verdict::Fail, None).is_unexpected());
        assert!(!outcome(Verdict::Fail, Some("it is old")).is_unexpected());
        assert!(!outcome(Verdict::Pass, None).is_unexpected());
        assert!(!outcome(Verdict::Pass, Some("it is old")).is_unexpected());
    }

    #[test]
    fn who_has_errno_of_his_own_counts_as_microsoft_does() {
        let mut candidate = candidate();
        candidate.image.exports = vec!["malloc".into()];
        assert_eq!(numbering(&candidate), Numbering::Host);
        candidate.image.exports = vec!["malloc".into(), "_errno".into()];
        assert_eq!(numbering(&candidate), Numbering::Msvc);
    }

    #[test]
    fn a_probe_is_told_of_no_export_that_it_does_not_look_up() {
        let mut candidate = candidate();
        candidate.image.exports = vec!["malloc".into(), "main".into(), "_heapmin".into()];
        assert_eq!(known_exports(&candidate), ["malloc", "_heapmin"]);
    }
}
