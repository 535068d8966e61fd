//! What was observed in a case, as data for reports: shortened to the calls around the first
//! that deviates.

use super::{At, Call, Case, Event, Fact, Moment};
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::observation::{self, Ending, Kind, Observation};
use std::ops::Range;

/// The greatest number of calls of a case that a record has.
pub const MOST_CALLS: usize = 50;
/// The greatest number of calls if none deviates.
const MOST_WITHOUT_DEVIATION: usize = 6;
/// The greatest number of other events. The steps of a case may be many.
const MOST_OTHERS: usize = 100;

/// The record of a case. `deviates` is the index of the first event that deviates.
pub fn trace(
    case: &crate::clause::Case,
    observation: &Observation,
    numbering: Numbering,
    deviates: Option<usize>,
) -> Case {
    let all = &observation.events;
    let kept = window(all, deviates);
    let mut events = Vec::new();
    let left_out = |count| (count > 0).then_some(Event::LeftOut(count));
    events.extend(left_out(kept.start));
    let shown = kept
        .clone()
        .filter_map(|index| event(&all[index], index + 1, numbering));
    events.extend(shown);
    events.extend(left_out(all.len() - kept.end));
    let memory = all.iter().filter_map(moment).collect();
    Case {
        summary: case.summary.to_owned(),
        ending: match &observation.ending {
            Ending::Done => "done".into(),
            Ending::Died(how) => on_one_line(how),
            Ending::TimedOut => "timed out".into(),
            Ending::Failed(why) => format!("not observed: {}", on_one_line(why)),
            Ending::Interrupted => "interrupted".into(),
        },
        duration_ms: observation.duration_ms,
        events,
        memory,
    }
}

/// The place of the event with this index, with the last call up to there.
pub fn at(observation: &Observation, index: usize, numbering: Numbering) -> At {
    let end = observation.events.len().min(index + 1);
    let before = || observation.events[..end].iter().enumerate().rev();
    At {
        step: before().find_map(|(_, event)| match event {
            observation::Event::Step(step) => Some(on_one_line(step)),
            _ => None,
        }),
        event: index + 1,
        call: before().find_map(|(index, event)| match event {
            observation::Event::Call(call) => Some(self::call(call, index + 1, numbering)),
            _ => None,
        }),
    }
}

/// The events that are kept: those with at most [`MOST_CALLS`] calls, and as many of the
/// calls before the event that deviates as after it.
fn window(events: &[observation::Event], deviates: Option<usize>) -> Range<usize> {
    let most = match deviates {
        Some(_) => MOST_CALLS,
        None => MOST_WITHOUT_DEVIATION,
    };
    let centre = deviates.unwrap_or(0).min(events.len());
    let is_call = |index: &usize| matches!(events[*index], observation::Event::Call(_));
    let mut end = (centre + 1).min(events.len());
    let mut calls = (centre..end).filter(is_call).count();
    let mut others = 0;
    // Backwards first: what leads to the deviation matters most.
    let mut start = centre;
    while start > 0 && others < MOST_OTHERS {
        match is_call(&(start - 1)) {
            true if calls == most / 2 + most % 2 => break,
            true => calls += 1,
            false => others += 1,
        }
        start -= 1;
    }
    while end < events.len() && others < 2 * MOST_OTHERS {
        match is_call(&end) {
            true if calls == most => break,
            true => calls += 1,
            false => others += 1,
        }
        end += 1;
    }
    start..end
}

/// `number` counts all events of the case, from 1.
fn event(event: &observation::Event, number: usize, numbering: Numbering) -> Option<Event> {
    use observation::Event as Seen;
    let note = |text: String| Some(Event::Note(on_one_line(&text)));
    match event {
        Seen::Step(step) => Some(Event::Step(on_one_line(step))),
        Seen::Call(call) => Some(Event::Call(self::call(call, number, numbering))),
        Seen::Fact { name, value } => Some(Event::Fact(Fact {
            event: number,
            name: on_one_line(name),
            value: *value,
        })),
        Seen::LoadFailed(why) => note(format!("could not be loaded: {why}")),
        Seen::Elsewhere { routine, file } => note(format!("calls {routine} in {file}")),
        Seen::Missing(routine) => note(format!("the library does not export {routine}")),
        Seen::NotApplicable(why) => note(format!("not applicable: {why}")),
        Seen::NotJudged(why) => note(format!("not judged: {why}")),
        Seen::OutOfMemory { size, .. } => note(format!("no memory for {size} bytes")),
        Seen::ProbeFailed(why) => note(format!("the probe failed: {why}")),
        Seen::Exception(code) => note(format!("exception {code:#010x}")),
        // The memory has a list of its own, and the rest says nothing about the library.
        Seen::Moment { .. }
        | Seen::Hello { .. }
        | Seen::Fenced(_)
        | Seen::Loaded { .. }
        | Seen::SharesErrno
        | Seen::Routines(_)
        | Seen::Answer(_)
        | Seen::Covered { .. }
        | Seen::Done => None,
    }
}

fn call(call: &observation::Call, event: usize, numbering: Numbering) -> Call {
    Call {
        event,
        call: on_one_line(&format!("{}({})", call.routine, call.arguments)),
        returned: match (call.kind, call.returned) {
            (Kind::Nothing, _) => "nothing".into(),
            (Kind::Pointer, 0) => "NULL".into(),
            (Kind::Pointer, _) => "a block".into(),
            (Kind::Number | Kind::Size, number) => number.to_string(),
        },
        errno: call
            .errno
            .map(|(before, after)| [numbering.describe(before), numbering.describe(after)]),
        doserrno: call.doserrno.map(|(before, after)| [before, after]),
        last_error: call.last_error_before,
        handler_calls: call.handler_calls,
        refusals: call.refusals,
    }
}

fn moment(event: &observation::Event) -> Option<Moment> {
    let observation::Event::Moment {
        name,
        inside,
        outside,
    } = event
    else {
        return None;
    };
    let memory = outside.or(*inside)?;
    Some(Moment {
        moment: on_one_line(name),
        resident: memory.resident,
        lazily_freed: memory.lazily_freed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged;
    use rstest::rstest;

    fn observation(calls: usize) -> Observation {
        let call = |index: usize| observation::Event::Call(forged::call(&format!("f{index}")));
        Observation {
            events: (0..calls).map(call).collect(),
            ending: Ending::Done,
            duration_ms: 3,
        }
    }

    /// The first and last call that are kept, and the numbers that are left out.
    fn kept(calls: usize, deviates: Option<usize>) -> (String, String, Vec<usize>, usize) {
        let case = crate::clauses::all().next().expect("a clause").cases[0];
        let traced = trace(case, &observation(calls), Numbering::Msvc, deviates);
        let shown = traced.events.iter().filter_map(|event| match event {
            Event::Call(call) => Some(call.call.clone()),
            _ => None,
        });
        let shown: Vec<_> = shown.collect();
        let left_out = traced.events.iter().filter_map(|event| match event {
            Event::LeftOut(count) => Some(*count),
            _ => None,
        });
        let (first, last) = (shown[0].clone(), shown[shown.len() - 1].clone());
        (first, last, left_out.collect(), shown.len())
    }

    #[rstest]
    #[case::few(10, Some(5), "f0()", "f9()", &[], 10)]
    #[case::as_many_as_fit(50, Some(25), "f1()", "f49()", &[1], 49)]
    #[case::in_the_middle(1000, Some(500), "f476()", "f525()", &[476, 474], 50)]
    #[case::first(1000, Some(0), "f0()", "f49()", &[950], 50)]
    #[case::last(1000, Some(999), "f975()", "f999()", &[975], 25)]
    #[case::none(1000, None, "f0()", "f5()", &[994], 6)]
    #[case::beyond_the_end(3, Some(7), "f0()", "f2()", &[], 3)]
    fn at_most_fifty_calls_around_the_one_that_deviates_are_kept(
        #[case] calls: usize,
        #[case] deviates: Option<usize>,
        #[case] first: &str,
        #[case] last: &str,
        #[case] left_out: &[usize],
        #[case] count: usize,
    ) {
        let (seen_first, seen_last, seen_left_out, seen_count) = kept(calls, deviates);
        assert_eq!((seen_first.as_str(), seen_last.as_str()), (first, last));
        assert_eq!((seen_left_out.as_slice(), seen_count), (left_out, count));
    }

    #[test]
    fn a_place_has_the_step_and_the_last_call() {
        let mut seen = observation(2);
        seen.events
            .insert(1, observation::Event::Step("a\nstep".into()));
        seen.events.push(forged::fact("lost", 1));
        let place = at(&seen, 3, Numbering::Msvc);
        assert_eq!(place.step.as_deref(), Some("a\\nstep"));
        assert_eq!(place.call.map(|it| it.call).as_deref(), Some("f1()"));
        assert_eq!(at(&seen, 0, Numbering::Msvc).step, None);
    }
}
