//! From an observation to a verdict: what holds for every clause comes first.

use crate::clause::{Judgement, Level, Seen, Verdict};
use heapmin_harness::observation::{Ending, Observation};
use heapmin_harness::printable::on_one_line;

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
    (seen.clause.judge)(seen)
}

/// What there is to say if the case did not run to its end.
fn not_observed(seen: &Seen) -> Option<Judgement> {
    let observation = seen.observation;
    let during = during(observation);
    let judgement = match &observation.ending {
        Ending::Failed(reason) => Verdict::Error.because(reason.clone()),
        Ending::Interrupted => Verdict::Error.because("the run was interrupted"),
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
        None if observation.loaded_from().is_some() => String::new(),
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
    use crate::clauses;
    use crate::forged::candidate;
    use heapmin_harness::errno_names::Numbering;
    use heapmin_harness::memory::Memory;
    use heapmin_harness::observation::{Call, Event, Kind};
    use rstest::rstest;

    /// Judges the clause by these events, in each of its cases.
    fn judged(clause: &str, events: &[Event]) -> Vec<Judgement> {
        let clause = clauses::all().find(|it| it.id == clause).unwrap();
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
        Event::Call(Call {
            routine: "_heapmin".into(),
            arguments: String::new(),
            kind: Kind::Number,
            returned: 0,
            errno: Some((0, 0)),
            doserrno: Some((0, 0)),
            last_error_before: 0,
            handler_calls: 0,
            refusals: None,
        })
    }

    fn fact(name: &str, value: i64) -> Event {
        Event::Fact {
            name: name.into(),
            value,
        }
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
}
