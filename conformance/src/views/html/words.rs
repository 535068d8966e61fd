//! The word and the sign of a verdict. Colour alone never says what a result is.

use crate::clause::{Level, Reason, Verdict};
use crate::record::{Outcome, State};
use maud::{Markup, Render, html};

/// A word with a sign, and the class that colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::views) struct Word {
    pub(in crate::views) sign: &'static str,
    pub(in crate::views) word: &'static str,
    pub(in crate::views) class: &'static str,
}

impl Word {
    pub(in crate::views) const fn new(
        sign: &'static str,
        word: &'static str,
        class: &'static str,
    ) -> Word {
        Word { sign, word, class }
    }
}

impl Render for Word {
    fn render(&self) -> Markup {
        html! { (self.sign) " " (self.word) }
    }
}

/// What a result is.
pub(in crate::views) fn verdict(outcome: &Outcome) -> Word {
    let is_recorded = outcome.level == Level::Record;
    match outcome.verdict {
        Verdict::Pass if is_recorded => Word::new("•", "recorded", "recorded"),
        Verdict::Pass => Word::new("✓", "pass", "pass"),
        Verdict::Fail => Word::new("✗", "fail", "fail"),
        Verdict::Crash => Word::new("‼", "crash", "crash"),
        Verdict::Timeout => Word::new("◔", "timeout", "timeout"),
        Verdict::Error => Word::new("?", "error", "error"),
        Verdict::Unsupported if outcome.reason == Some(Reason::NotApplicable) => {
            Word::new("∅", "not applicable", "inapplicable")
        }
        Verdict::Unsupported => Word::new("–", "not judged", "open"),
    }
}

/// What a result is beside the expected results, unless it is as expected.
pub(in crate::views) fn state(outcome: &Outcome) -> Option<&'static str> {
    match outcome.state {
        State::AsExpected => None,
        State::New => Some("new"),
        State::Known => Some("known"),
        State::Stale => Some("stale"),
        State::Lost => Some("lost"),
    }
}

/// A result's word, as a badge.
pub(in crate::views) fn badge(outcome: &Outcome) -> Markup {
    let states: Vec<_> = state(outcome).into_iter().collect();
    badge_with(outcome, &states)
}

/// A result's word with these states, as a badge.
pub(in crate::views) fn badge_with(outcome: &Outcome, states: &[&str]) -> Markup {
    let word = verdict(outcome);
    html! {
        span class={ "badge " (word.class) @for state in states { " " (state) } } {
            (word)
            @for state in states { ", " (state) }
        }
    }
}
