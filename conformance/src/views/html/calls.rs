//! The calls of a case, as a table with a group of rows for each step.

use super::text::{counted, shown};
use crate::clause::Verdict;
use crate::record::{At, Call, Case, Event, Outcome};
use maud::{Markup, html};
use std::ops::Range;

/// The greatest number of rows in all tables of a page together, unless there are very many.
const MOST_ROWS: usize = 6_000;
/// A table with more rows is closed at first.
const SHORT: usize = 20;

/// The greatest number of events in each of this many tables.
pub(super) fn most_events(tables: usize) -> usize {
    (MOST_ROWS / tables.max(1)).clamp(6, 160)
}

/// The events of a deviation's case around the place where it deviates, at most `most` of them.
pub(super) fn events(outcome: &Outcome, case: &Case, most: usize) -> Markup {
    let place = outcome.at.as_ref().and_then(|at| place(&case.events, at));
    let is_ended = matches!(outcome.verdict, Verdict::Crash | Verdict::Timeout);
    let kept = window(case.events.len(), place, most);
    let seen = &case.events[kept.clone()];
    let after = case.events.len() - kept.end;
    let trace = Trace {
        outcome,
        case,
        kept,
        marked: place.filter(|_| !is_ended),
        ending: (is_ended && after == 0).then_some(case.ending.as_str()),
        after,
    };
    let calls = seen.iter().filter(|it| matches!(it, Event::Call(_)));
    let calls = calls.count();
    let is_counted = seen.iter().any(|it| matches!(it, Event::Fact(_)));
    html! {
        @if seen.is_empty() {
        } @else if calls == 0 && !is_counted {
            (trace.steps_only())
        } @else {
            details open[seen.len() <= SHORT] {
                summary { (counted(calls, "call", "calls")) " and the steps around them" }
                (trace.table())
            }
        }
    }
}

/// The events that are shown.
struct Trace<'a> {
    outcome: &'a Outcome,
    case: &'a Case,
    /// Their indices.
    kept: Range<usize>,
    /// The index of the one that deviates.
    marked: Option<usize>,
    /// How the process ended, if it did so after the last of them.
    ending: Option<&'a str>,
    /// Number of events that are left out after them.
    after: usize,
}

impl Trace<'_> {
    /// The steps, if nothing else was recorded.
    fn steps_only(&self) -> Markup {
        html! {
            p.heading { "Steps" }
            ul.steps {
                @if self.kept.start > 0 { li.quiet { (left_out(self.kept.start)) } }
                @for event in &self.case.events[self.kept.clone()] {
                    @match event {
                        Event::Step(text) | Event::Note(text) => li { (shown(text)) },
                        Event::LeftOut(count) => li.quiet { (left_out(*count)) },
                        Event::Call(_) | Event::Fact(_) => {}
                    }
                }
                @if self.after > 0 { li.quiet { (left_out(self.after)) } }
                @if let Some(ending) = self.ending { li.deviates { (ended(ending)) } }
            }
        }
    }

    fn table(&self) -> Markup {
        let Trace {
            outcome,
            case,
            kept,
            ..
        } = self;
        let columns = Columns::of(&case.events[kept.clone()]);
        html! {
            div.scroll role="region" tabindex="0"
                aria-label={ "Calls of " (shown(&outcome.case)) " for " (shown(&outcome.clause)) } {
                table.calls {
                    caption { "Calls of the case " code { (shown(&outcome.case)) } }
                    thead { (columns.heads()) }
                    @if kept.start > 0 { tbody { (columns.left_out(kept.start)) } }
                    @for step in steps(case, kept.clone()) {
                        tbody {
                            @for at in step {
                                (columns.row(&case.events[at], self.marked == Some(at)))
                            }
                        }
                    }
                    @if self.after > 0 { tbody { (columns.left_out(self.after)) } }
                    @if let Some(ending) = self.ending {
                        tbody {
                            tr.deviates { td colspan=(columns.count()) { (ended(ending)) } }
                        }
                    }
                }
            }
        }
    }
}

fn left_out(count: usize) -> Markup {
    html! { "… " (counted(count, "event", "events")) " left out" }
}

fn ended(ending: &str) -> Markup {
    html! { b { "◀ ended here: " } (shown(ending)) }
}

/// The index of the event that deviates. Runs that were saved before events had numbers have
/// the call only.
fn place(events: &[Event], at: &At) -> Option<usize> {
    let number = |event: &Event| match event {
        Event::Call(call) => call.event,
        Event::Fact(fact) => fact.event,
        Event::Step(_) | Event::Note(_) | Event::LeftOut(_) => 0,
    };
    let by_number = events.iter().position(|it| number(it) == at.event);
    by_number.filter(|_| at.event > 0).or_else(|| {
        let call = at.call.as_ref()?;
        let is_it = |event: &Event| matches!(event, Event::Call(other) if other == call);
        events.iter().rposition(is_it)
    })
}

/// The events to show: at most `most`, two thirds of them up to the place.
fn window(all: usize, place: Option<usize>, most: usize) -> Range<usize> {
    let place = place.unwrap_or(0);
    let before = most * 2 / 3;
    let start = (place + 1)
        .saturating_sub(before)
        .min(all.saturating_sub(most));
    start..(start + most).min(all)
}

/// The events of each step, by index. The step's own event is the first of them.
fn steps(case: &Case, kept: Range<usize>) -> Vec<Range<usize>> {
    let mut steps: Vec<Range<usize>> = Vec::new();
    for at in kept {
        let begins = matches!(case.events[at], Event::Step(_));
        match steps.last_mut() {
            Some(step) if !begins => step.end = at + 1,
            _ => steps.push(at..at + 1),
        }
    }
    steps
}

/// The columns: those that say something in a row.
struct Columns {
    errno: bool,
    doserrno: bool,
    handler: bool,
    refusals: bool,
}

impl Columns {
    fn of(events: &[Event]) -> Columns {
        let any = |is: fn(&Call) -> bool| {
            let is = |event: &Event| matches!(event, Event::Call(call) if is(call));
            events.iter().any(is)
        };
        Columns {
            errno: any(|it| it.errno.is_some()),
            doserrno: any(|it| it.doserrno.is_some()),
            handler: any(|it| it.handler_calls > 0),
            refusals: any(|it| it.refusals.is_some()),
        }
    }

    fn count(&self) -> usize {
        let more = [self.errno, self.doserrno, self.handler, self.refusals];
        4 + more.into_iter().filter(|it| *it).count()
    }

    fn heads(&self) -> Markup {
        html! {
            tr {
                th scope="col" { "event" }
                th scope="col" { "call" }
                th scope="col" { "returned" }
                @if self.errno { th scope="col" { "errno before → after" } }
                @if self.doserrno { th scope="col" { "_doserrno before → after" } }
                th scope="col" { "last error before" }
                @if self.handler { th scope="col" { "calls of the handler" } }
                @if self.refusals { th scope="col" { "requests refused" } }
            }
        }
    }

    fn left_out(&self, count: usize) -> Markup {
        html! {
            tr.quiet {
                td colspan=(self.count()) { (left_out(count)) }
            }
        }
    }

    fn row(&self, event: &Event, is_marked: bool) -> Markup {
        html! {
            @match event {
                Event::Step(step) => tr { th scope="rowgroup" colspan=(self.count()) { "step: " (shown(step)) } },
                Event::Call(call) => (self.call(call, is_marked)),
                Event::Fact(fact) => tr class=[is_marked.then_some("deviates")] {
                    td { (fact.event) }
                    td colspan=(self.count() - 1) {
                        (shown(&fact.name)) ": " (fact.value)
                        @if is_marked { b { " ◀ deviates" } }
                    }
                },
                Event::Note(note) => tr { td {} td colspan=(self.count() - 1) { (shown(note)) } },
                Event::LeftOut(count) => (self.left_out(*count)),
            }
        }
    }

    fn call(&self, call: &Call, is_marked: bool) -> Markup {
        html! {
            tr class=[is_marked.then_some("deviates")] {
                td { (call.event) }
                td {
                    code { (shown(&call.call)) }
                    @if is_marked { b { " ◀ deviates" } }
                }
                td { code { (shown(&call.returned)) } }
                @if self.errno {
                    @match &call.errno {
                        Some([before, after]) => (change(before, after)),
                        None => td { "not located" },
                    }
                }
                @if self.doserrno {
                    @match call.doserrno {
                        Some([before, after]) => (change(&before.to_string(), &after.to_string())),
                        None => td { "none" },
                    }
                }
                td { (call.last_error) }
                @if self.handler { td { (call.handler_calls) } }
                @if self.refusals { td { @if let Some(count) = call.refusals { (count) } } }
            }
        }
    }
}

/// A value before and after a call.
fn change(before: &str, after: &str) -> Markup {
    html! {
        td class=[(before == after).then_some("quiet")] { (shown(before)) " → " (shown(after)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn call(event: usize) -> Event {
        Event::Call(Call {
            event,
            call: "f()".into(),
            returned: "0".into(),
            errno: None,
            doserrno: None,
            last_error: 0,
            handler_calls: 0,
            refusals: None,
        })
    }

    fn at(event: usize, of_call: usize) -> At {
        let Event::Call(call) = call(of_call) else {
            unreachable!("a call")
        };
        At {
            step: None,
            event,
            call: Some(call),
        }
    }

    #[test]
    fn of_equal_calls_the_one_with_the_number_deviates() {
        let events = [call(3), call(5), call(6)];
        assert_eq!(place(&events, &at(5, 5)), Some(1));
        // The event itself is not among them, so its call is it.
        assert_eq!(place(&events, &at(4, 3)), Some(0));
        assert_eq!(place(&events, &at(9, 8)), None);
    }

    #[test]
    fn without_numbers_the_last_equal_call_deviates() {
        let events = [call(0), call(0), Event::Step("s".into())];
        assert_eq!(place(&events, &at(5, 0)), Some(1));
    }

    #[rstest]
    #[case::all_fit(5, Some(2), 8, 0..5)]
    #[case::without_a_place(100, None, 9, 0..9)]
    #[case::in_the_middle(100, Some(50), 9, 45..54)]
    #[case::at_the_end(100, Some(99), 9, 91..100)]
    #[case::nothing(0, None, 9, 0..0)]
    fn the_events_around_the_place_are_shown(
        #[case] all: usize,
        #[case] place: Option<usize>,
        #[case] most: usize,
        #[case] wanted: Range<usize>,
    ) {
        let kept = window(all, place, most);
        assert_eq!(kept, wanted);
        assert!(place.is_none_or(|it| kept.contains(&it)));
    }
}
