//! Whose fault a deviation is. A C runtime of Windows rests on the system's heap: its
//! `_heapwalk` calls `HeapWalk`, its `free` calls `HeapFree`. So the control runs the case of
//! a deviation again, on the system's heap itself and without the library. If that deviates
//! in the same way, the deviation is the system's.

use crate::clause::{Case, Seen};
use crate::judge::{judge, judged_alike};
use crate::observe::observe_with;
use crate::run::{Checked, Limits, Outcome, seen_by};
use heapmin_harness::library::inspect::Format;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::interruption;
use heapmin_harness::parent::runner::Runner;
use heapmin_harness::probe::{Act, Probe, Stop, win32_heap_owns, win32_heaps};
use heapmin_harness::wire::observation::Observation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::thread;
use std::time::Instant;

/// What the heap of the system showed that runs a library, where both deviate in the same
/// way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Beneath {
    /// The system, `Wine 10.0`.
    pub system: String,
    /// What its heap showed.
    pub observed: String,
}

/// A candidate with its verdicts, and the observations that they come from.
pub type Run = (Checked, Vec<(&'static Case, Observation)>);

/// Marks the deviations that are the system's. Each case runs once on each system.
pub fn mark(runs: &mut [Run], limits: Limits) {
    let is_over = || limits.until.is_some_and(|until| Instant::now() >= until);
    mark_by(runs, limits.jobs, |candidate, act| {
        let may_run = !interruption::is_wanted() && !is_over();
        let timeout = limits.pace.of(&candidate.runner).full;
        may_run.then(|| observe_with(candidate, act, &[], timeout))
    });
}

/// As [`mark`]. `observe` runs an act or a case on a candidate; it returns `None` if there is
/// no time for it.
fn mark_by(
    runs: &mut [Run],
    jobs: usize,
    observe: impl Fn(&Candidate, &str) -> Option<Observation> + Sync,
) {
    let system = |index: usize| {
        let candidate = &runs[index].0.candidate;
        (candidate.runner.command(), &candidate.image.arch)
    };
    let may_be = |index: &usize| {
        let checked = &runs[*index].0;
        checked.candidate.image.format == Format::Pe
            && checked.outcomes.iter().any(may_be_the_systems)
    };
    let mut suspects: Vec<usize> = (0..runs.len()).filter(may_be).collect();
    let rests = in_parallel(&suspects, jobs, |index| {
        let seen = observe(&runs[*index].0.candidate, WHOSE_BLOCKS);
        seen.is_some_and(|seen| seen.fact(IN_A_WIN32_HEAP) == Some(1))
    });
    let mut rests = rests.into_iter();
    suspects.retain(|_| rests.next() == Some(true));
    let mut controls: Vec<(usize, &'static Case)> = Vec::new();
    for index in &suspects {
        let outcomes = runs[*index].0.outcomes.iter();
        for outcome in outcomes.filter(|it| may_be_the_systems(it)) {
            let is_same = |(of, case): &(usize, &Case)| {
                system(*of) == system(*index) && case.name == outcome.case.name
            };
            if !controls.iter().any(is_same) {
                controls.push((*index, outcome.case));
            }
        }
    }
    let seen = in_parallel(&controls, jobs, |(index, case)| {
        observe(&runs[*index].0.candidate.system_heap(), case.name)
    });
    let controls: Vec<_> = controls
        .into_iter()
        .zip(seen)
        .filter_map(|((index, case), seen)| {
            let (command, arch) = system(index);
            Some((command, arch.clone(), case, seen?))
        })
        .collect();
    for index in suspects {
        let (checked, observations) = &mut runs[index];
        let candidate = &checked.candidate;
        let heap = candidate.system_heap();
        let outcomes = checked.outcomes.iter_mut();
        for outcome in outcomes.filter(|it| may_be_the_systems(it)) {
            let case = outcome.case.name;
            let of_library = observations.iter().find(|(seen, _)| seen.name == case);
            let of_system = controls.iter().find(|(command, arch, seen, _)| {
                *command == candidate.runner.command()
                    && *arch == candidate.image.arch
                    && seen.name == case
            });
            let (Some((_, of_library)), Some((.., of_system))) = (of_library, of_system) else {
                continue;
            };
            let of_library = seen_by(outcome.clause, outcome.case, candidate, of_library);
            let of_system = seen_by(outcome.clause, outcome.case, &heap, of_system);
            outcome.beneath = beneath(&of_library, &of_system);
            if let Some(Beneath { system, .. }) = &outcome.beneath {
                let observed = &mut outcome.judgement.observed;
                *observed += &format!("; the system beneath, {system}, does the same");
            }
        }
    }
}

/// Whether a deviation may be the system's.
fn may_be_the_systems(outcome: &Outcome) -> bool {
    let verdict = outcome.judgement.verdict;
    outcome.clause.rests_on_system && verdict.is_judged() && verdict.is_deviation()
}

/// What the system showed, if both deviate in the same way.
fn beneath(of_library: &Seen, of_system: &Seen) -> Option<Beneath> {
    judged_alike(of_library, of_system).then(|| Beneath {
        system: name(&of_library.candidate.runner),
        observed: judge(of_system).observed,
    })
}

/// The system that runs a library, with its version.
fn name(runner: &Runner) -> String {
    match (runner.is_wine(), &runner.wine_version) {
        (true, Some(version)) => format!("Wine {version}"),
        (true, None) => "Wine".into(),
        (false, _) => "Windows".into(),
    }
}

/// The results of `act` for each item, in this order, `jobs` at a time.
fn in_parallel<T: Sync, R: Send>(items: &[T], jobs: usize, act: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let mut results = Vec::new();
    for group in items.chunks(jobs.max(1)) {
        results.extend(thread::scope(|scope| {
            let threads = group.iter().map(|item| scope.spawn(|| act(item)));
            let threads: Vec<_> = threads.collect();
            let threads = threads.into_iter();
            let results = threads.map(|it| it.join().expect("a control does not panic"));
            results.collect::<Vec<_>>()
        }));
    }
    results
}

const WHOSE_BLOCKS: &str = "whose-blocks";
const IN_A_WIN32_HEAP: &str = "the block is in a Win32 heap";

/// The act of this name.
pub(crate) fn act_of(name: &str) -> Option<Act> {
    (name == WHOSE_BLOCKS).then_some(whose_blocks)
}

/// Reports whether a block of the library is a block of one of the system's heaps. A library
/// with a heap of its own answers for itself.
fn whose_blocks(probe: &mut Probe) -> Result<(), Stop> {
    let block = probe.crt.need(1000)?;
    let heaps = win32_heaps().map_err(Stop::NotApplicable)?;
    let owns = |heap: &isize| matches!(win32_heap_owns(*heap, block.address()), Ok((true, _)));
    probe.fact(IN_A_WIN32_HEAP, heaps.iter().any(owns).into())?;
    probe.crt.free(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Verdict;
    use crate::forged::{self, fact};
    use crate::judge::LOST_BYTES;
    use crate::run::{conclude, judge_observation};
    use crate::select::{Selection, clause};
    use heapmin_harness::parent::runner::Starter;
    use heapmin_harness::parent::target::Target;
    use heapmin_harness::wire::job::SYSTEM_HEAP;
    use heapmin_harness::wire::observation::{Ending, Event};
    use rstest::rstest;
    use std::sync::Mutex;

    /// A clause that rests on the system, and one that does not, of the same case.
    const WALK: &str = "heapwalk.every-live-block-once";
    const KEEPS: &str = "heapwalk.keeps-the-heap";
    const CASE: &str = "heapwalk-in-use";

    fn observation(events: Vec<Event>, ending: Ending) -> Observation {
        let before = [
            Event::Hello {
                build: String::new(),
                process: 0,
            },
            Event::Loaded { path: None },
            Event::Step("_heapwalk".into()),
        ];
        Observation {
            events: before.into_iter().chain(events).collect(),
            ending,
            duration_ms: 1,
        }
    }

    /// What a walk shows that finds `found` of 10 live blocks.
    fn walk(found: i64) -> Observation {
        let facts = [
            ("_heapwalk ended with", -5),
            ("entries", 10),
            ("live blocks", 10),
            ("found once", found),
            ("bytes changed", 10 - found),
        ];
        let facts = facts.into_iter().map(|(name, value)| fact(name, value));
        observation(facts.collect(), Ending::Done)
    }

    fn crash(step: &str) -> Observation {
        let step = Event::Step(step.into());
        observation(vec![step], Ending::Died("exception".into()))
    }

    fn not_observed() -> Observation {
        observation(Vec::new(), Ending::Failed("f".into()))
    }

    /// A Windows library of which the case showed this.
    fn run(name: &str, seen: &Observation) -> Run {
        let mut candidate = forged::candidate();
        candidate.name = name.into();
        candidate.image.format = Format::Pe;
        candidate.runner.starter = Starter::Wine("/wine".into());
        candidate.runner.target = Target::new(Format::Pe, "x86_64");
        candidate.runner.wine_version = Some("10.0".into());
        let selection = Selection::new(vec![clause(WALK).unwrap(), clause(KEEPS).unwrap()], None);
        let cases = selection.cases();
        let case = cases.into_iter().find(|case| case.name == CASE).unwrap();
        let observations = vec![(case, seen.clone())];
        let checked = conclude(candidate, &selection, &observations);
        assert_eq!(checked.outcomes.len(), 2);
        (checked, observations)
    }

    /// What the control observes: whose the library's blocks are, and the case on the
    /// system's heap.
    fn control(
        is_in_a_win32_heap: bool,
        system: Option<Observation>,
    ) -> impl Fn(&Candidate, &str) -> Option<Observation> {
        move |candidate, act| {
            if act == WHOSE_BLOCKS {
                assert_ne!(candidate.load_name, SYSTEM_HEAP);
                let fact = fact(IN_A_WIN32_HEAP, is_in_a_win32_heap.into());
                return Some(observation(vec![fact], Ending::Done));
            }
            assert_eq!(candidate.load_name, SYSTEM_HEAP);
            system.clone()
        }
    }

    fn lost(seen: Observation) -> Observation {
        let mut seen = seen;
        seen.events.push(fact(LOST_BYTES, 3));
        seen
    }

    #[rstest]
    #[case::same_check(walk(7), true, Some(walk(8)), true)]
    #[case::sound_library(walk(10), true, Some(walk(8)), false)]
    #[case::both_sound(walk(10), true, Some(walk(10)), false)]
    #[case::sound_system(walk(7), true, Some(walk(10)), false)]
    #[case::heap_of_its_own(walk(7), false, Some(walk(8)), false)]
    #[case::no_time(walk(7), true, None, false)]
    #[case::library_loses_bytes(lost(walk(7)), true, Some(walk(8)), false)]
    #[case::library_crashes(crash("_heapwalk"), true, Some(walk(8)), false)]
    #[case::both_crash(crash("_heapwalk"), true, Some(crash("_heapwalk")), true)]
    #[case::crash_elsewhere(crash("_heapwalk"), true, Some(crash("free")), false)]
    #[case::system_not_observed(walk(7), true, Some(not_observed()), false)]
    #[case::neither_observed(not_observed(), true, Some(not_observed()), false)]
    fn a_deviation_is_the_systems_if_its_heap_deviates_in_the_same_way(
        #[case] library: Observation,
        #[case] is_in_a_win32_heap: bool,
        #[case] system: Option<Observation>,
        #[case] is_the_systems: bool,
    ) {
        let mut runs = [run("a", &library)];
        let before = runs[0].0.outcomes[0].judgement.clone();
        mark_by(&mut runs, 2, control(is_in_a_win32_heap, system.clone()));
        let [of_walk, of_other] = &runs[0].0.outcomes[..] else {
            panic!("two clauses");
        };
        assert_eq!(of_walk.beneath.is_some(), is_the_systems);
        assert_eq!(of_other.beneath, None, "it does not rest on the system");
        assert_eq!(
            of_walk.judgement.verdict, before.verdict,
            "still a deviation"
        );
        if let Some(Beneath {
            system: name,
            observed,
        }) = &of_walk.beneath
        {
            let words = format!(
                "{}; the system beneath, Wine 10.0, does the same",
                before.observed
            );
            assert_eq!(
                (&**name, &of_walk.judgement.observed),
                ("Wine 10.0", &words)
            );
            let (_, observations) = &runs[0];
            let heap = runs[0].0.candidate.system_heap();
            let (clause, case) = (of_walk.clause, observations[0].0);
            let of_system = judge_observation(clause, case, &heap, &system.unwrap());
            assert_eq!(*observed, of_system.observed);
        } else {
            assert_eq!(of_walk.judgement, before);
        }
    }

    #[test]
    fn a_library_of_another_system_has_no_control() {
        let mut runs = [run("a", &walk(7))];
        runs[0].0.candidate.image.format = Format::Elf;
        mark_by(&mut runs, 1, |_, act| panic!("{act} was run"));
        assert_eq!(runs[0].0.outcomes[0].judgement.verdict, Verdict::Fail);
    }

    #[test]
    fn a_control_runs_once_on_each_system() {
        let mut runs = ["a", "b", "c"].map(|name| run(name, &walk(7)));
        runs[2].0.candidate.runner.starter = Starter::Wine("/wine-8".into());
        let acts = Mutex::new(Vec::new());
        let observe = control(true, Some(walk(8)));
        mark_by(&mut runs, 1, |candidate, act| {
            let system = candidate.runner.command().concat();
            acts.lock().unwrap().push(format!("{system} {act}"));
            observe(candidate, act)
        });
        let of_libraries = ["/wine", "/wine", "/wine-8"].map(|it| format!("{it} {WHOSE_BLOCKS}"));
        let of_systems = ["/wine", "/wine-8"].map(|it| format!("{it} {CASE}"));
        let wanted: Vec<_> = of_libraries.into_iter().chain(of_systems).collect();
        assert_eq!(acts.into_inner().unwrap(), wanted);
        let marked = runs
            .iter()
            .filter(|run| run.0.outcomes[0].beneath.is_some());
        assert_eq!(marked.count(), 3);
    }
}
