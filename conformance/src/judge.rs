//! Judges a clause by an observation: first by rules for all clauses, then by the
//! clause's own.

use crate::clause::{Judgement, Level, Seen, Verdict};
use crate::load::other_file;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::observation::{Ending, Observation};

/// A fact that any case may report: the bytes of live blocks that changed.
pub const LOST_BYTES: &str = "lost bytes";

/// The judgement of a clause by an observation of one of its cases. A candidate
/// can forge events: any names, numbers and order must be judged without a panic.
pub fn judge(seen: &Seen) -> Judgement {
    let (_, judgement) = decide(seen);
    Judgement {
        observed: on_one_line(&judgement.observed),
        ..judgement
    }
}

/// Whether two observations of a case are judged alike: the same rule gives the same verdict.
/// Figures may differ.
pub fn judged_alike(one: &Seen, other: &Seen) -> bool {
    let ((rule, judgement), (other_rule, other)) = (decide(one), decide(other));
    (rule, judgement.verdict) == (other_rule, other.verdict)
}

/// The rule that decides a judgement.
#[derive(Debug, PartialEq, Eq)]
enum Rule<'a> {
    /// The library lacks the routine of the clause.
    Routine,
    /// The case did not run to its end; the step in which it ended.
    Ending(Option<&'a str>),
    /// Bytes of live blocks changed.
    LostBytes,
    /// A check of the clause; its place in the list.
    Check(usize),
}

/// The judgement, with texts from the probe unchanged, and the rule that decides it.
fn decide<'a>(seen: &Seen<'a>) -> (Rule<'a>, Judgement) {
    // Before anything that the process did: a crash before a routine that is not there
    // says nothing about that routine.
    if lacks_its_routine(seen) {
        return (Rule::Routine, seen.missing(seen.clause.routine));
    }
    let has_ended = matches!(seen.observation.ending, Ending::Died(_) | Ending::TimedOut);
    let is_an_answer = seen.case.undefined && seen.observation.was_loaded();
    if !(has_ended && is_an_answer)
        && let Some(judgement) = not_observed(seen)
    {
        return (Rule::Ending(seen.observation.last_step()), judgement);
    }
    let observation = seen.observation;
    if let Some(lost) = observation.fact(LOST_BYTES).filter(|lost| *lost != 0)
        && seen.clause.level != Level::Record
    {
        let observed = format!("{lost} bytes of live blocks have changed since they were written");
        let judgement = Judgement {
            loses_data: true,
            ..Judgement::fail(observed)
        };
        return (Rule::LostBytes, judgement);
    }
    let (place, judgement) = seen.clause.judge(seen);
    (Rule::Check(place), judgement)
}

/// Whether the clause is about a routine that the library does not have, so that nothing
/// in the observation matters.
pub fn lacks_its_routine(seen: &Seen) -> bool {
    // What follows damage is recorded also without the routine.
    let records_an_ending = seen.case.undefined && seen.clause.level == Level::Record;
    // A clause about a heap in a process is about no single routine.
    let needs_routine = !records_an_ending && !seen.case.only_loads && seen.case.stand_in.is_none();
    needs_routine && seen.lacks(seen.clause.routine)
}

/// The judgement if the case did not run to its end.
fn not_observed(seen: &Seen) -> Option<Judgement> {
    let observation = seen.observation;
    let during = during(observation);
    let is_silent = !observation.has_started();
    let judgement = match &observation.ending {
        Ending::Failed(reason) => Verdict::Error.because(reason.clone()),
        Ending::Interrupted => Verdict::Error.because("the run was interrupted"),
        // Without the library the probe starts, so this is the library's doing.
        Ending::TimedOut if is_silent && seen.case.is_preloaded() => {
            Verdict::Timeout.because(format!(
                "the process did not start within {} s with the library preloaded",
                observation.duration_ms / 1000
            ))
        }
        Ending::Died(how) if is_silent && seen.case.is_preloaded() => {
            let what = "the process did not start with the library preloaded";
            Verdict::Crash.because(format!("{what}: {how}"))
        }
        Ending::TimedOut if is_silent => Verdict::Error.because(format!(
            "the probe did not start within {} s",
            observation.duration_ms / 1000
        )),
        Ending::TimedOut => Verdict::Timeout.because(format!(
            "the case did not finish within {} s{during}",
            observation.duration_ms / 1000
        )),
        // Our seccomp filter raises SIGSYS to inject a fault. It kills a thread that
        // blocks signals; glibc's threads block them while they end. In other cases
        // there is no filter, and the signal is the library's own.
        Ending::Died(how) if how.contains("SIGSYS") && seen.case.refuses => Judgement::not_judged(
            format!("{how}{during}: the fault hit a thread that blocks signals"),
        ),
        Ending::Died(how) if is_silent => {
            Verdict::Error.because(format!("the probe did not start: {how}"))
        }
        Ending::Died(how) => Verdict::Crash.because(format!("{how}{during}")),
        Ending::Done => {
            if let Some(reason) = observation.load_failure() {
                Verdict::Error.because(format!("the library could not be loaded: {reason}"))
            } else if let Some((routine, file)) = observation.elsewhere() {
                calls_elsewhere(routine, file)
            } else if let Some(other) = other_file(seen.candidate, observation) {
                Verdict::Error.because(other)
            } else if let Some(routine) = observation.missing() {
                seen.missing(routine)
            } else if let Some(reason) = observation.not_applicable() {
                Judgement::not_applicable(reason)
            } else if let Some(reason) = observation.not_judged() {
                Judgement::not_judged(reason)
            } else if let Some((size, available)) = observation.out_of_memory() {
                no_block(size, available, &during)
            } else {
                return None;
            }
        }
    };
    Some(judgement)
}

/// The judgement of a library that ended, delayed or escaped the process while it was
/// loaded; see [`crate::load`].
pub fn ended_loading(observation: &Observation) -> Judgement {
    let during = during(observation);
    if let Some((routine, file)) = observation.elsewhere() {
        return calls_elsewhere(routine, file);
    }
    match &observation.ending {
        Ending::TimedOut => Verdict::Timeout.because(format!(
            "it did not finish within {} s{during}",
            observation.duration_ms / 1000
        )),
        Ending::Died(how) => Verdict::Crash.because(format!("{how}{during}")),
        _ => Verdict::Error.because("the probe stopped before it had loaded the library"),
    }
}

fn calls_elsewhere(routine: &str, file: &str) -> Judgement {
    Verdict::Error.because(format!(
        "the library calls {routine} in {file} instead of its own; link it with -Wl,-Bsymbolic"
    ))
}

/// The judgement of an allocation that returned NULL. It fails if the machine
/// has enough memory, and is an error if memory may be short.
fn no_block(size: u64, available: Option<u64>, during: &str) -> Judgement {
    const MARGIN: u64 = 256 << 20;
    let observed = format!("NULL for {size} bytes{during}");
    match available {
        Some(available) if available.saturating_sub(size) > MARGIN => Judgement::fail(format!(
            "{observed}, with {} available",
            crate::figures::amount(available)
        )),
        _ => Verdict::Error.because(format!("{observed}; memory is short on this machine")),
    }
}

fn during(observation: &Observation) -> String {
    match observation.last_step() {
        Some(step) => format!(", in the step \"{step}\""),
        None if observation.was_loaded() => String::new(),
        None => ", while the library was being loaded".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::{Clause, Reason};
    use crate::clauses;
    use crate::forged::{call, candidate, fact, judged_by};
    use heapmin_harness::library::errno_names::Numbering;
    use heapmin_harness::library::inspect::Format;
    use heapmin_harness::library::profile::Profile;
    use heapmin_harness::library::routines::ROUTINES;
    use heapmin_harness::memory::Memory;
    use heapmin_harness::parent::candidate::Candidate;
    use heapmin_harness::wire::observation::{Call, Event, Kind};
    use rstest::rstest;

    fn clause(id: &str) -> &'static Clause {
        clauses::all().find(|it| it.id == id).unwrap()
    }

    /// The judgements of the clause by these events, in each of its cases.
    fn judged(clause: &str, events: &[Event]) -> Vec<Judgement> {
        let clause = self::clause(clause);
        let observation = Observation {
            events: events.to_vec(),
            ending: Ending::Done,
            duration_ms: 0,
        };
        let candidate = candidate();
        let cases = clause.cases.iter();
        let judgements = cases.map(|case| {
            judge(&Seen {
                clause,
                case,
                observation: &observation,
                numbering: Numbering::Host,
                candidate: &candidate,
            })
        });
        judgements.collect()
    }

    fn resident(moment: &str, resident: u64) -> Event {
        Event::Moment {
            name: moment.into(),
            inside: None,
            outside: Some(Memory {
                resident,
                lazily_freed: 0,
            }),
        }
    }

    fn success() -> Event {
        Event::Call(call("_heapmin"))
    }

    /// The events of a workload; `left` is the resident memory at each moment.
    fn workload(left: u64) -> Vec<Event> {
        let moments = [
            "freed",
            "minimised",
            "minimised again",
            "filled again",
            "filled after _heapmin",
            "large",
        ];
        let figures = [("baseline", 0), ("peak", u64::MAX)].into_iter();
        let figures = figures.chain(moments.map(|moment| (moment, left)));
        let events = figures.map(|(moment, figure)| resident(moment, figure));
        [success(), success()].into_iter().chain(events).collect()
    }

    // The sums and products of these figures overflow.
    #[rstest]
    #[case::more_than_memory("heapmin.exported", vec![Event::OutOfMemory { size: u64::MAX, available: Some(u64::MAX) }], Verdict::Error)]
    #[case::much_resident("heapmin.never-grows", workload(u64::MAX), Verdict::Pass)]
    #[case::much_again("heapmin.memory-reusable", workload(u64::MAX), Verdict::Pass)]
    #[case::much_at_once("heapmin.coalesces", workload(u64::MAX), Verdict::Pass)]
    #[case::much_live("heapmin.releases-partial", [workload(1), vec![fact("live page bytes", i64::MAX)]].concat(), Verdict::Pass)]
    // A negative count must not pass.
    #[case::negative_live("heapmin.releases-partial", [workload(u64::MAX), vec![fact("live page bytes", -1)]].concat(), Verdict::Fail)]
    #[case::negative_loss("heapmin.never-grows", [workload(0), vec![fact(LOST_BYTES, -1)]].concat(), Verdict::Fail)]
    fn forged_figures_are_judged_without_overflow(
        #[case] clause: &str,
        #[case] events: Vec<Event>,
        #[case] verdict: Verdict,
    ) {
        for judgement in judged(clause, &events) {
            assert_eq!(judgement.verdict, verdict, "{}", judgement.observed);
        }
    }

    #[test]
    fn control_characters_from_a_candidate_are_removed() {
        let forged = Event::LoadFailed("\u{1b}[2J\r\nreference: 196 pass".into());
        for judgement in judged("heapmin.exported", &[forged]) {
            let observed = judgement.observed;
            assert!(!observed.contains(char::is_control), "{observed:?}");
            assert!(observed.contains("196 pass"), "{observed:?}");
        }
    }

    #[test]
    fn no_clause_panics_on_missing_or_odd_events() {
        let some = [success(), fact(LOST_BYTES, i64::MIN), Event::Done];
        for clause in clauses::all() {
            for events in [&[][..], &some, &[Event::Exception(0), Event::Done]] {
                assert!(!judged(clause.id, events).is_empty());
            }
        }
    }

    fn hello() -> Event {
        let build = String::new();
        Event::Hello { build, process: 0 }
    }

    fn step() -> Event {
        Event::Step("the call".into())
    }

    fn loaded() -> Event {
        Event::Loaded { path: None }
    }

    fn no_memory(size: u64, available: Option<u64>) -> Event {
        Event::OutOfMemory { size, available }
    }

    fn died(how: &str) -> Ending {
        Ending::Died(how.into())
    }

    #[rstest]
    #[case::no_probe(vec![], died("signal 11"), Verdict::Error, "the probe did not start: signal 11")]
    #[case::at_loading(vec![hello()], died("signal 11"), Verdict::Crash, "signal 11, while the library was being loaded")]
    #[case::between_steps(vec![hello(), loaded()], died("signal 11"), Verdict::Crash, "signal 11")]
    #[case::in_a_step(vec![hello(), loaded(), step()], died("signal 11"), Verdict::Crash, "signal 11, in the step \"the call\"")]
    #[case::without_a_fault(vec![hello(), step()], died("signal 31 (SIGSYS)"), Verdict::Crash, "signal 31 (SIGSYS), in the step \"the call\"")]
    #[case::no_probe_in_time(vec![], Ending::TimedOut, Verdict::Error, "the probe did not start within 3 s")]
    #[case::in_no_time(vec![hello(), step()], Ending::TimedOut, Verdict::Timeout, "the case did not finish within 3 s, in the step \"the call\"")]
    #[case::we_failed(vec![], Ending::Failed("no pipe".into()), Verdict::Error, "no pipe")]
    #[case::interrupted(vec![hello()], Ending::Interrupted, Verdict::Error, "the run was interrupted")]
    #[case::not_loaded(vec![hello(), Event::LoadFailed("no".into())], Ending::Done, Verdict::Error, "the library could not be loaded: no")]
    #[case::not_there(vec![hello(), Event::Missing("_msize".into())], Ending::Done, Verdict::Unsupported, "the library does not export _msize")]
    #[case::not_here(vec![hello(), Event::NotApplicable("no fork".into())], Ending::Done, Verdict::Unsupported, "no fork")]
    #[case::no_memory(vec![step(), no_memory(1024, Some(1 << 20))], Ending::Done, Verdict::Error, "NULL for 1024 bytes, in the step \"the call\"; memory is short on this machine")]
    #[case::nearly_no_memory(vec![step(), no_memory(0, Some(256 << 20))], Ending::Done, Verdict::Error, "NULL for 0 bytes, in the step \"the call\"; memory is short on this machine")]
    #[case::memory_unknown(vec![step(), no_memory(1024, None)], Ending::Done, Verdict::Error, "NULL for 1024 bytes, in the step \"the call\"; memory is short on this machine")]
    #[case::memory_enough(vec![step(), no_memory(1024, Some(1 << 30))], Ending::Done, Verdict::Fail, "NULL for 1024 bytes, in the step \"the call\", with 1024.0 MiB available")]
    fn each_ending_gets_its_verdict(
        #[case] events: Vec<Event>,
        #[case] ending: Ending,
        #[case] verdict: Verdict,
        #[case] observed: &str,
    ) {
        let clause = clause("heapmin.success-returns-zero");
        let judgement = judged_by(judge, clause, events, ending);
        assert_eq!(
            (judgement.verdict, &*judgement.observed),
            (verdict, observed)
        );
    }

    /// A candidate with these exports, and a profile that says what is gone.
    fn exporting(exports: &[&str], gone: &[&str]) -> Candidate {
        let text = format!(
            "title = 'A'\nlibrary = 'a.so'\nsource = 'path'\nerrno = 'host'\ngone = {gone:?}\n"
        );
        let mut candidate = candidate();
        candidate.image.exports = exports.iter().map(|name| (*name).to_owned()).collect();
        candidate.profile = Some(Profile::parse("a", &text).unwrap());
        candidate
    }

    /// The judgement of the clause by its case at `case`.
    fn of_candidate(
        candidate: &Candidate,
        id: &str,
        case: usize,
        events: Vec<Event>,
        ending: Ending,
    ) -> Judgement {
        let clause = clause(id);
        judge(&Seen {
            clause,
            case: clause.cases[case],
            observation: &Observation {
                events,
                ending,
                duration_ms: 0,
            },
            numbering: Numbering::Host,
            candidate,
        })
    }

    const NOT_JUDGED: Option<Reason> = Some(Reason::NotJudged);
    const NOT_APPLICABLE: Option<Reason> = Some(Reason::NotApplicable);

    #[rstest]
    #[case::crashed(died("signal 6"))]
    #[case::hung(Ending::TimedOut)]
    #[case::came_to_its_end(Ending::Done)]
    fn a_routine_that_is_not_exported_comes_before_any_ending(#[case] ending: Ending) {
        let judged = |exports: &[&str], gone: &[&str]| {
            let candidate = exporting(exports, gone);
            let events = vec![hello(), loaded(), step()];
            let id = "heapwalk.use-flag";
            let judgement = of_candidate(&candidate, id, 0, events, ending.clone());
            (judgement.verdict, judgement.reason, judgement.missing)
        };
        let missing = Some("_heapwalk".to_owned());
        let unsupported = Verdict::Unsupported;
        assert_eq!(
            judged(&["realloc"], &[]),
            (unsupported, NOT_JUDGED, missing.clone())
        );
        assert_eq!(
            judged(&["realloc"], &["_heapwalk"]),
            (unsupported, NOT_APPLICABLE, missing)
        );
        let (verdict, ..) = judged(&["realloc", "_heapwalk"], &[]);
        assert_ne!(verdict, unsupported, "an exported routine is judged");
    }

    #[test]
    fn a_missing_routine_of_another_page_is_named_and_does_not_apply_if_it_is_gone() {
        let judged = |gone: &[&str]| {
            let events = vec![hello(), loaded(), Event::Missing("_heapchk".into())];
            let candidate = exporting(&["_heapmin"], gone);
            let id = "heapmin.heap-consistent";
            let judgement = of_candidate(&candidate, id, 0, events, Ending::Done);
            (judgement.reason, judgement.missing)
        };
        let missing = Some("_heapchk".to_owned());
        assert_eq!(judged(&[]), (NOT_JUDGED, missing.clone()));
        assert_eq!(judged(&["_heapchk"]), (NOT_APPLICABLE, missing));
    }

    /// The export table of the candidate says nothing about another library.
    #[test]
    fn a_routine_of_the_errno_library_is_not_looked_for_in_the_candidate() {
        let mut candidate = exporting(&["_heapmin"], &[]);
        let crash = || {
            let events = vec![hello(), loaded(), step()];
            (events, died("signal 11"))
        };
        let judged = |candidate: &Candidate, id| {
            let (events, ending) = crash();
            of_candidate(candidate, id, 0, events, ending).verdict
        };
        assert_eq!(
            judged(&candidate, "set-errno.sets-the-value"),
            Verdict::Unsupported
        );
        candidate.profile.as_mut().unwrap().errno_library = Some("other.dll".into());
        assert_eq!(
            judged(&candidate, "set-errno.sets-the-value"),
            Verdict::Crash
        );
        assert_eq!(
            judged(&candidate, "heapwalk.use-flag"),
            Verdict::Unsupported
        );
    }

    #[test]
    fn what_follows_damage_is_recorded_without_the_routine_too() {
        let candidate = exporting(&["malloc", "free"], &[]);
        let judged = |id| {
            let events = vec![hello(), loaded(), step()];
            of_candidate(&candidate, id, 0, events, died("signal 6")).verdict
        };
        assert_eq!(judged("heapchk.after-a-double-free"), Verdict::Pass);
        assert_eq!(judged("heapchk.error-sets-enosys"), Verdict::Unsupported);
    }

    #[test]
    fn an_elf_library_without_a_win32_heap_has_nothing_to_keep() {
        let mut candidate = exporting(&["_heapmin"], &[]);
        let ids = [
            "get-heap-handle.exported",
            "get-heap-handle.owns-the-blocks",
            "get-heap-handle.keeps-errno",
        ];
        let judged = |candidate: &Candidate, id| {
            let events = vec![hello(), loaded()];
            of_candidate(candidate, id, 0, events, Ending::Done).reason
        };
        for id in ids {
            assert_eq!(judged(&candidate, id), NOT_APPLICABLE, "{id}");
        }
        candidate.image.format = Format::Pe;
        for id in ids {
            assert_eq!(judged(&candidate, id), NOT_JUDGED, "{id}");
        }
    }

    #[test]
    fn a_fault_that_kills_a_thread_that_blocks_signals_is_not_the_librarys() {
        let judgement = |id| {
            let events = vec![hello(), loaded(), step()];
            judged_by(judge, clause(id), events, died("killed by SIGSYS (31)"))
        };
        let seen = judgement("heapmin.recovers");
        assert_eq!(
            (seen.verdict, seen.reason),
            (Verdict::Unsupported, NOT_JUDGED)
        );
        assert!(
            seen.observed
                .contains("the fault hit a thread that blocks signals")
        );
        assert_eq!(
            judgement("heapmin.success-returns-zero").verdict,
            Verdict::Crash
        );
    }

    /// Each event with the reason of a clause that it stops.
    #[test]
    fn a_case_that_stops_gives_its_reason() {
        let reason = |event| {
            let clause = clause("heapmin.success-returns-zero");
            judged_by(judge, clause, vec![hello(), loaded(), event], Ending::Done).reason
        };
        assert_eq!(
            reason(Event::NotApplicable("no fork".into())),
            NOT_APPLICABLE
        );
        assert_eq!(reason(Event::NotJudged("no memory".into())), NOT_JUDGED);
        assert_eq!(reason(step()), None);
    }

    fn unseen(routine: &str) -> Event {
        Event::Call(Call {
            kind: Kind::Pointer,
            errno: None,
            doserrno: None,
            ..call(routine)
        })
    }

    #[rstest]
    #[case::errno("expand.failure-sets-errno", vec![unseen("_expand")], "cannot locate the library's errno")]
    #[case::errno_at_the_limit("heapmin.relieves-memory-limit", vec![fact("errno at the limit", -1), fact("large block", 1)], "cannot locate the library's errno")]
    #[case::doserrno("set-errno.keeps-doserrno", vec![unseen("_set_errno")], "the library does not export __doserrno")]
    fn what_cannot_be_seen_is_not_judged(
        #[case] id: &str,
        #[case] events: Vec<Event>,
        #[case] observed: &str,
    ) {
        let judgement = judged_by(judge, clause(id), events, Ending::Done);
        assert_eq!(
            (judgement.reason, &*judgement.observed),
            (NOT_JUDGED, observed)
        );
    }

    /// A case without a call shows neither that the system supports the routine nor that
    /// it does not.
    #[test]
    fn a_case_without_a_call_does_not_make_a_clause_inapplicable() {
        for id in ["heapset.success-keeps-errno", "set-errno.keeps-doserrno"] {
            let judgement = judged_by(judge, clause(id), vec![loaded()], Ending::Done);
            assert_eq!(judgement.verdict, Verdict::Error, "{id}");
        }
    }

    /// The judgement knows each routine from the export table, so the table has it.
    #[test]
    fn the_routine_of_each_clause_is_one_that_a_probe_looks_up() {
        for clause in clauses::all() {
            // The clauses about a heap in a process have no routine of their own.
            let has_none = clause.cases.iter().all(|case| case.stand_in.is_some());
            let is_known = ROUTINES.contains(&clause.routine);
            assert!(is_known != has_none, "{}", clause.id);
        }
    }

    // Where no page defines the behaviour, any ending passes and is recorded.
    #[rstest]
    #[case::death(died("signal 6"), Verdict::Pass)]
    #[case::time(Ending::TimedOut, Verdict::Pass)]
    #[case::our_failure(Ending::Failed("no pipe".into()), Verdict::Error)]
    #[case::interruption(Ending::Interrupted, Verdict::Error)]
    fn the_ending_of_an_undefined_case_is_recorded(
        #[case] ending: Ending,
        #[case] verdict: Verdict,
    ) {
        let mut all = clauses::all();
        let clause = all.find(|it| it.cases[0].undefined && it.level == Level::Record);
        let clause = clause.expect("some clause has an undefined case");
        let events = vec![hello(), loaded(), step()];
        let judgement = judged_by(judge, clause, events, ending.clone());
        assert_eq!(judgement.verdict, verdict, "{}", judgement.observed);
        let judgement = judged_by(judge, clause, vec![], ending);
        assert_eq!(judgement.verdict, Verdict::Error, "no probe started");
    }

    #[test]
    fn lost_bytes_fail_every_clause_except_recorded_ones() {
        for clause in clauses::all() {
            let events = vec![hello(), loaded(), fact(LOST_BYTES, 3)];
            let judgement = judged_by(judge, clause, events, Ending::Done);
            let lost = "3 bytes of live blocks have changed since they were written";
            let is_blamed = judgement.observed == lost && judgement.verdict == Verdict::Fail;
            assert_eq!(is_blamed, clause.level != Level::Record, "{}", clause.id);
            assert_eq!(is_blamed, judgement.loses_data, "{}", clause.id);
        }
    }
}
