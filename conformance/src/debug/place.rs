//! The place in a case at which a library deviates.

use crate::clause::{Case, Clause, Judgement, Verdict};
use crate::run::judge_observation;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::observation::{Ending, Event, Observation};
use heapmin_harness::wire::stop::StopAt;

/// A place in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the probe stops: right before the place.
    pub stop: StopAt,
    /// The step.
    pub step: Option<String>,
    /// The call that deviates; if the process ended, the last that returned.
    pub call: Option<String>,
    /// The number of that call in the case, from 1.
    pub number: usize,
    /// The figure that shows it, if no call does.
    pub figure: Option<String>,
}

impl Place {
    /// The place of a judgement in its observation; `None` if there is no deviation.
    pub fn of(
        clause: &'static Clause,
        case: &Case,
        candidate: &Candidate,
        observation: &Observation,
        judgement: &Judgement,
    ) -> Option<Place> {
        let events = &observation.events;
        match judgement.verdict {
            Verdict::Crash | Verdict::Timeout => {
                let stop = StopAt::after_the_last(events);
                Some(Place::after(events, events.len(), stop))
            }
            Verdict::Fail => {
                let part = |count: usize| {
                    let part = Observation {
                        events: events[..count].to_vec(),
                        ending: Ending::Done,
                        duration_ms: observation.duration_ms,
                    };
                    judge_observation(clause, case, candidate, &part)
                };
                let fails = |count| part(count).verdict == Verdict::Fail;
                // Some checks fail also without the figures that they read, with other words.
                let fails_so = |count| part(count) == *judgement;
                let index = (judgement.at)
                    .or_else(|| turning_point(events.len(), fails))
                    .or_else(|| turning_point(events.len(), fails_so))?;
                let stop = StopAt::before(events, index);
                Some(Place::after(events, index + 1, stop))
            }
            Verdict::Pass | Verdict::Unsupported | Verdict::Error => None,
        }
    }

    /// The place of the last of the first `count` events.
    fn after(events: &[Event], count: usize, stop: StopAt) -> Place {
        let until = &events[..count];
        let call = until.iter().rev().find_map(|event| match event {
            Event::Call(call) => Some(format!("{}({})", call.routine, call.arguments)),
            _ => None,
        });
        let step = until.iter().rev().find_map(|event| match event {
            Event::Step(step) => Some(on_one_line(step)),
            _ => None,
        });
        let is_call = |event: &&Event| matches!(event, Event::Call(_));
        Place {
            stop,
            step,
            call: call.map(|call| on_one_line(&call)),
            number: until.iter().filter(is_call).count(),
            figure: match until.last() {
                Some(Event::Fact { name, value }) => {
                    Some(format!("\"{}\" is {value}", on_one_line(name)))
                }
                Some(Event::Moment { name, .. }) => Some(format!(
                    "the memory at \"{}\" is as observed",
                    on_one_line(name)
                )),
                _ => None,
            },
        }
    }
}

/// The index of the event with which a judgement fails that did not fail before it. All
/// `count` events fail. Most checks do not say which event decides; this needs few judgements
/// to find one.
fn turning_point(count: usize, fails: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut passes, mut failing) = (0, count);
    if count == 0 || fails(0) || !fails(count) {
        return None;
    }
    while failing - passes > 1 {
        let middle = passes + (failing - passes) / 2;
        match fails(middle) {
            true => failing = middle,
            false => passes = middle,
        }
    }
    Some(failing - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::{call, candidate, fact};
    use crate::judge::LOST_BYTES;
    use crate::select::clause;
    use rstest::rstest;

    #[rstest]
    #[case::first(9, 1, Some(0))]
    #[case::middle(9, 5, Some(4))]
    #[case::last(9, 9, Some(8))]
    #[case::always(9, 0, None)]
    #[case::never(9, 10, None)]
    #[case::nothing(0, 0, None)]
    fn the_turning_point_is_the_first_event_that_makes_the_judgement_fail(
        #[case] count: usize,
        #[case] from: usize,
        #[case] index: Option<usize>,
    ) {
        assert_eq!(turning_point(count, |part| part >= from), index);
    }

    #[test]
    fn a_figure_that_no_check_names_is_found_with_the_call_before_it() {
        let events = vec![
            Event::Loaded { path: None },
            Event::Step("fill".into()),
            Event::Call(call("_heapmin")),
            Event::Call(call("_heapmin")),
            fact(LOST_BYTES, 3),
            fact("more", 0),
            Event::Step("end".into()),
        ];
        let observation = Observation {
            events,
            ending: Ending::Done,
            duration_ms: 0,
        };
        let clause = clause("heapmin.preserves-live-blocks").unwrap();
        let (case, candidate) = (clause.cases[0], candidate());
        let judgement = judge_observation(clause, case, &candidate, &observation);
        let place = Place::of(clause, case, &candidate, &observation, &judgement).unwrap();
        let expected = Place {
            stop: StopAt::Call(2),
            step: Some("fill".into()),
            call: Some("_heapmin()".into()),
            number: 2,
            figure: Some(format!("\"{LOST_BYTES}\" is 3")),
        };
        assert_eq!(place, expected);
    }
}
