//! From an observation to a verdict: what holds for every clause comes first.

use crate::clause::{Judgement, Level, Seen, Verdict};
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::observation::{Ending, Observation};

/// The fact that any case may report: bytes of live blocks that changed.
pub const LOST_BYTES: &str = "lost bytes";

/// Judges a clause by what was seen in one of its cases. A candidate may have
/// forged that, so nothing here relies on it: not on names, numbers or order.
pub fn judge(seen: &Seen) -> Judgement {
    let judgement = raw(seen);
    Judgement {
        observed: on_one_line(&judgement.observed),
        ..judgement
    }
}

/// The judgement in the words of whoever reported.
fn raw(seen: &Seen) -> Judgement {
    let has_ended = matches!(seen.observation.ending, Ending::Died(_) | Ending::TimedOut);
    let is_an_answer = seen.case.undefined && seen.observation.has_started();
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
            "{lost} bytes of live blocks were not as they were written"
        ));
    }
    seen.clause.judge(seen)
}

/// What there is to say if the case did not run to its end.
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
            "nothing came back within {} s{during}",
            observation.duration_ms / 1000
        )),
        // Only our own filter sends it; a thread that blocks signals dies of
        // it, as glibc's do while they end.
        Ending::Died(how) if how.contains("SIGSYS") => Verdict::Error.because(format!(
            "{how}{during}: the fault met a thread that blocks signals"
        )),
        Ending::Died(how) if !observation.has_started() => {
            Verdict::Error.because(format!("the probe did not start: {how}"))
        }
        Ending::Died(how) => Verdict::Crash.because(format!("{how}{during}")),
        Ending::Done => {
            if let Some(reason) = observation.load_failure() {
                Verdict::Error.because(format!("the library could not be loaded: {reason}"))
            } else if let Some(other) = other_file(seen) {
                Verdict::Error.because(other)
            } else if let Some(routine) = observation.missing() {
                Judgement::unsupported(format!("the library does not export {routine}"))
            } else if let Some(reason) = observation.not_applicable() {
                Judgement::unsupported(reason)
            } else if let Some((size, available)) = observation.out_of_memory() {
                no_block(size, available, &during)
            } else {
                return None;
            }
        }
    };
    Some(judgement)
}

/// A candidate that gives NULL where there is memory breaks every promise
/// about blocks. Where there may be none, nobody can say.
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

/// Wine has libraries of its own under the same names. A verdict about them
/// must not be taken for one about the file that was asked for.
fn other_file(seen: &Seen) -> Option<String> {
    let candidate = seen.candidate;
    // What has no stage is Wine's own, or needs no care.
    candidate.stage.as_ref()?;
    let loaded = seen.observation.loaded_from()?;
    let same = candidate.load_name.eq_ignore_ascii_case(loaded);
    (!same).then(|| format!("Wine loaded {loaded} instead of this file"))
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

    /// Judges the clause by these events, in each of its cases.
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

    /// A workload, and what is said to be left of it.
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

    // The sums and products of these figures do not fit.
    #[rstest]
    #[case::more_than_memory("heapmin.exported", vec![Event::OutOfMemory { size: u64::MAX, available: Some(u64::MAX) }], Verdict::Error)]
    #[case::much_resident("heapmin.never-grows", workload(u64::MAX), Verdict::Pass)]
    #[case::much_again("heapmin.memory-reusable", workload(u64::MAX), Verdict::Pass)]
    #[case::much_at_once("heapmin.coalesces", workload(u64::MAX), Verdict::Pass)]
    #[case::much_live("heapmin.releases-partial", [workload(1), vec![fact("live page bytes", i64::MAX)]].concat(), Verdict::Pass)]
    // And a negative count is no reason to pass.
    #[case::negative_live("heapmin.releases-partial", [workload(u64::MAX), vec![fact("live page bytes", -1)]].concat(), Verdict::Fail)]
    #[case::negative_loss("heapmin.never-grows", [workload(0), vec![fact(LOST_BYTES, -1)]].concat(), Verdict::Fail)]
    fn forged_figures_are_judged(
        #[case] clause: &str,
        #[case] events: Vec<Event>,
        #[case] verdict: Verdict,
    ) {
        for judgement in judged(clause, &events) {
            assert_eq!(judgement.verdict, verdict, "{}", judgement.observed);
        }
    }

    #[test]
    fn forged_words_do_not_reach_a_terminal() {
        let forged = Event::LoadFailed("\u{1b}[2J\r\nreference: 196 pass".into());
        for judgement in judged("heapmin.exported", &[forged]) {
            let observed = judgement.observed;
            assert!(!observed.contains(char::is_control), "{observed:?}");
            assert!(observed.contains("196 pass"), "{observed:?}");
        }
    }

    #[test]
    fn no_clause_relies_on_what_was_reported() {
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
    #[case::by_our_filter(vec![hello(), step()], died("signal 31 (SIGSYS)"), Verdict::Error, "signal 31 (SIGSYS), in the step \"the call\": the fault met a thread that blocks signals")]
    #[case::no_probe_in_time(vec![], Ending::TimedOut, Verdict::Error, "the probe did not start within 3 s")]
    #[case::in_no_time(vec![hello(), step()], Ending::TimedOut, Verdict::Timeout, "nothing came back within 3 s, in the step \"the call\"")]
    #[case::we_failed(vec![], Ending::Failed("no pipe".into()), Verdict::Error, "no pipe")]
    #[case::interrupted(vec![hello()], Ending::Interrupted, Verdict::Error, "the run was interrupted")]
    #[case::not_loaded(vec![hello(), Event::LoadFailed("no".into())], Ending::Done, Verdict::Error, "the library could not be loaded: no")]
    #[case::not_there(vec![hello(), Event::Missing("_heapmin".into())], Ending::Done, Verdict::Unsupported, "the library does not export _heapmin")]
    #[case::not_here(vec![hello(), Event::NotApplicable("no fork".into())], Ending::Done, Verdict::Unsupported, "no fork")]
    #[case::no_memory(vec![step(), no_memory(1024, Some(1 << 20))], Ending::Done, Verdict::Error, "NULL for 1024 bytes, in the step \"the call\"; memory is short on this machine")]
    #[case::nearly_no_memory(vec![step(), no_memory(0, Some(256 << 20))], Ending::Done, Verdict::Error, "NULL for 0 bytes, in the step \"the call\"; memory is short on this machine")]
    #[case::nobody_knows(vec![step(), no_memory(1024, None)], Ending::Done, Verdict::Error, "NULL for 1024 bytes, in the step \"the call\"; memory is short on this machine")]
    #[case::memory_enough(vec![step(), no_memory(1024, Some(1 << 30))], Ending::Done, Verdict::Fail, "NULL for 1024 bytes, in the step \"the call\", with 1024.0 MiB available")]
    fn an_ending_is_a_verdict(
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

    // What no page defines may end in any way, and that is what was observed.
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
        let clause = clause.expect("there are such clauses");
        let events = vec![hello(), loaded(), step()];
        let judgement = judged_by(judge, clause, events, ending.clone());
        assert_eq!(judgement.verdict, verdict, "{}", judgement.observed);
        let judgement = judged_by(judge, clause, vec![], ending);
        assert_eq!(judgement.verdict, Verdict::Error, "there was no probe");
    }

    #[test]
    fn lost_bytes_fail_every_clause_but_records() {
        for clause in clauses::all() {
            let events = vec![hello(), loaded(), fact(LOST_BYTES, 3)];
            let judgement = judged_by(judge, clause, events, Ending::Done);
            let lost = "3 bytes of live blocks were not as they were written";
            let is_blamed = judgement == Judgement::fail(lost);
            assert_eq!(is_blamed, clause.level != Level::Record, "{}", clause.id);
        }
    }
}
