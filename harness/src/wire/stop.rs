//! The place in a case at which the probe stops for a debugger.

use super::observation::Event;
use serde::{Deserialize, Serialize};

/// A place in a case. Reports are the events that [`is_report`] counts: their number does
/// not depend on the fence, nor on whether memory is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopAt {
    /// Before the library is loaded.
    Load,
    /// After this many reports. With 0, before the case begins.
    Report(u64),
    /// Before the routine is called whose call would be the next report after this many.
    Call(u64),
}

/// Whether an event counts for [`StopAt`].
pub fn is_report(event: &Event) -> bool {
    matches!(
        event,
        Event::Step(_) | Event::Call(_) | Event::Fact { .. } | Event::Answer(_)
    )
}

impl StopAt {
    /// The place before the event with this index, which deviates. A figure is reported
    /// after the library did what it shows, so the place is before the call, or at the start
    /// of the step, that comes last before the figure.
    pub fn before(events: &[Event], index: usize) -> StopAt {
        let until = &events[..events.len().min(index + 1)];
        let is_work = |event: &Event| matches!(event, Event::Step(_) | Event::Call(_));
        match until.iter().rposition(is_work) {
            None => StopAt::Report(0),
            Some(place) if matches!(until[place], Event::Call(_)) => {
                StopAt::Call(reports(&until[..place]))
            }
            Some(place) => StopAt::Report(reports(&until[..=place])),
        }
    }

    /// The place after the last event of a case that did not come to its end.
    pub fn after_the_last(events: &[Event]) -> StopAt {
        let is_loaded = |event: &Event| matches!(event, Event::Loaded { .. });
        match events.iter().any(is_loaded) {
            true => StopAt::Report(reports(events)),
            false => StopAt::Load,
        }
    }
}

fn reports(events: &[Event]) -> u64 {
    events.iter().filter(|event| is_report(event)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fence::InForce;
    use crate::wire::observation::{Call, Kind};
    use rstest::rstest;

    /// The events of a case: `s` for a step, `c` for a call, `f` for a fact, `m` for a
    /// moment, `l` for the loaded library, `w` for a fence.
    fn events(letters: &str) -> Vec<Event> {
        let event = |letter: char| match letter {
            's' => Event::Step("a step".into()),
            'c' => Event::Call(Call {
                routine: "malloc".into(),
                arguments: "1".into(),
                kind: Kind::Pointer,
                returned: 1,
                errno: None,
                doserrno: None,
                last_error_before: 0,
                handler_calls: 0,
                refusals: None,
            }),
            'f' => Event::Fact {
                name: "a fact".into(),
                value: 0,
            },
            'm' => Event::Moment {
                name: "a moment".into(),
                inside: None,
                outside: None,
            },
            'l' => Event::Loaded { path: None },
            _ => Event::Fenced(InForce::default()),
        };
        letters.chars().map(event).collect()
    }

    #[rstest]
    #[case::a_call("wlsccf", 4, StopAt::Call(2))]
    #[case::the_first_call("lc", 1, StopAt::Call(0))]
    #[case::a_figure_after_a_call("wlscff", 5, StopAt::Call(1))]
    #[case::a_figure_after_a_step("lcsf", 3, StopAt::Report(2))]
    #[case::memory_after_a_call("lcmcm", 4, StopAt::Call(1))]
    #[case::a_figure_alone("lf", 1, StopAt::Report(0))]
    #[case::beyond_the_end("lc", 9, StopAt::Call(0))]
    fn the_place_is_before_the_work_that_deviates(
        #[case] letters: &str,
        #[case] index: usize,
        #[case] place: StopAt,
    ) {
        assert_eq!(StopAt::before(&events(letters), index), place);
    }

    #[rstest]
    #[case::in_a_step("wlscms", StopAt::Report(3))]
    #[case::before_the_first_step("l", StopAt::Report(0))]
    #[case::while_loading("w", StopAt::Load)]
    #[case::before_the_fence("", StopAt::Load)]
    fn a_case_that_dies_stops_after_what_it_reported_last(
        #[case] letters: &str,
        #[case] place: StopAt,
    ) {
        assert_eq!(StopAt::after_the_last(&events(letters)), place);
    }
}
