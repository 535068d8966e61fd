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
    let judgement = raw(seen);
    Judgement {
        observed: on_one_line(&judgement.observed),
        ..judgement
    }
}

/// The judgement, with texts from the probe unchanged.
fn raw(seen: &Seen) -> Judgement {
    let has_ended = matches!(seen.observation.ending, Ending::Died(_) | Ending::TimedOut);
    let is_an_answer = seen.case.undefined && seen.observation.was_loaded();
    if !(has_ended && is_an_answer)
        && let Some(judgement) = not_observed(seen)
    {
        return judgement;
    }
    let observation = seen.observation;
    if let Some(lost) = observation.fact(LOST_BYTES).filter(|lost| *lost != 0)
        && seen.clause.level != Level::Record
    {
        return Judgement::fail(format!(
            "{lost} bytes of live blocks have changed since they were written"
        ));
    }
    seen.clause.judge(seen)
}

/// The judgement if the case did not run to its end.
fn not_observed(seen: &Seen) -> Option<Judgement> {
    let observation = seen.observation;
    let during = during(observation);
    let judgement = match &observation.ending {
        Ending::Failed(reason) => Verdict::Error.because(reason.clone()),
        Ending::Interrupted => Verdict::Error.because("the run was interrupted"),
        Ending::TimedOut if !observation.has_started() => Verdict::Error.because(format!(
            "the probe did not start within {} s",
            observation.duration_ms / 1000
        )),
        Ending::TimedOut => Verdict::Timeout.because(format!(
            "the case did not finish within {} s{during}",
            observation.duration_ms / 1000
        )),
        // Our seccomp filter raises SIGSYS to inject a fault. It kills a thread that
        // blocks signals; glibc's threads block them while they end.
        Ending::Died(how) if how.contains("SIGSYS") => Verdict::Error.because(format!(
            "{how}{during}: the fault hit a thread that blocks signals"
        )),
        Ending::Died(how) if !observation.has_started() => {
            Verdict::Error.because(format!("the probe did not start: {how}"))
        }
        Ending::Died(how) => Verdict::Crash.because(format!("{how}{during}")),
        Ending::Done => {
            if let Some(reason) = observation.load_failure() {
                Verdict::Error.because(format!("the library could not be loaded: {reason}"))
            } else if let Some((routine, file)) = observation.elsewhere() {
                Verdict::Error.because(format!(
                    "the library calls {routine} in {file} instead of its own; link it with -Wl,-Bsymbolic"
                ))
            } else if let Some(other) = other_file(seen.candidate, observation) {
                Verdict::Error.because(other)
            } else if let Some(routine) = observation.missing() {
                Judgement::not_judged(format!("the library does not export {routine}"))
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
    use crate::clause::Clause;
    use crate::clauses;
    use crate::forged::{call, candidate, fact, judged_by};
    use heapmin_harness::library::errno_names::Numbering;
    use heapmin_harness::memory::Memory;
    use heapmin_harness::wire::observation::Event;
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
        Event::Hello { build }
    }

    fn step() -> Event {
        Event::Step("the call".into())
    }

    fn loaded() -> Event {
        Event::Loaded {
            path: None,
            shares_errno: false,
        }
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
    #[case::by_our_filter(vec![hello(), step()], died("signal 31 (SIGSYS)"), Verdict::Error, "signal 31 (SIGSYS), in the step \"the call\": the fault hit a thread that blocks signals")]
    #[case::no_probe_in_time(vec![], Ending::TimedOut, Verdict::Error, "the probe did not start within 3 s")]
    #[case::in_no_time(vec![hello(), step()], Ending::TimedOut, Verdict::Timeout, "the case did not finish within 3 s, in the step \"the call\"")]
    #[case::we_failed(vec![], Ending::Failed("no pipe".into()), Verdict::Error, "no pipe")]
    #[case::interrupted(vec![hello()], Ending::Interrupted, Verdict::Error, "the run was interrupted")]
    #[case::not_loaded(vec![hello(), Event::LoadFailed("no".into())], Ending::Done, Verdict::Error, "the library could not be loaded: no")]
    #[case::not_there(vec![hello(), Event::Missing("_heapmin".into())], Ending::Done, Verdict::Unsupported, "the library does not export _heapmin")]
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
            let is_blamed = judgement == Judgement::fail(lost);
            assert_eq!(is_blamed, clause.level != Level::Record, "{}", clause.id);
        }
    }
}
