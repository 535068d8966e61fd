//! A badge as JSON, in the form of an endpoint of shields.io. `badge-svg` is the same as an image.

use crate::clause::{Level, Verdict};
use crate::record::{Run, counted};
use serde_json::json;

/// The left half of the badge.
pub(super) const LABEL: &str = "heapmin";

/// The right half of a badge.
pub(super) struct Badge {
    /// A few words, never empty: shields.io refuses an empty message.
    pub(super) message: String,
    pub(super) color: Color,
}

/// The colour of the right half, by the exit status of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Color {
    /// Every result is as expected.
    Green,
    /// At least one result is not as expected.
    Red,
    /// The run was interrupted, or a library was not checked.
    Grey,
}

/// The badge of a run as JSON text.
pub(super) fn report(run: &Run) -> String {
    let badge = badge(run);
    let color = match badge.color {
        Color::Green => "brightgreen",
        Color::Red => "red",
        Color::Grey => "lightgrey",
    };
    let value = json!({
        "schemaVersion": 1,
        "label": LABEL,
        "message": badge.message,
        "color": color,
    });
    format!("{value:#}\n")
}

/// The badge of a run.
pub(super) fn badge(run: &Run) -> Badge {
    let (message, color) = match run.status {
        _ if run.interrupted => ("interrupted".into(), Color::Grey),
        0 => (promises(run), Color::Green),
        1 => (not_as_expected(run), Color::Red),
        _ => (failed(run), Color::Grey),
    };
    Badge { message, color }
}

/// The clauses that the libraries keep, of those that apply. A clause that was not judged is not
/// kept, so a library that lacks routines cannot have a badge without a gap.
fn promises(run: &Run) -> String {
    let all = run.candidates.iter().flat_map(|it| counted(run, it));
    let all = all.filter(|it| it.outcome.level != Level::Record && it.applies());
    let (mut kept, mut applicable) = (0, 0);
    for one in all {
        applicable += 1;
        kept += usize::from(one.outcome.verdict == Verdict::Pass);
    }
    format!("{kept} of {}", number(applicable, "promise", "promises"))
}

/// The number of new deviations. Without one, the number of other results that are not as
/// expected, such as an entry for a deviation that is gone.
fn not_as_expected(run: &Run) -> String {
    let results = run.candidates.iter().flat_map(|it| &it.results);
    match results.filter(|it| it.is_unexpected()).count() {
        0 => format!("{} not as expected", run.complaints.len()),
        new => number(new, "new deviation", "new deviations"),
    }
}

/// The number of libraries that were not checked, if that is what failed the run.
fn failed(run: &Run) -> String {
    match run.refused.len() {
        0 => "run failed".into(),
        refused => format!("{} not checked", number(refused, "library", "libraries")),
    }
}

fn number(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::expected::gate::Findings;
    use crate::forged;
    use crate::record::{Complaint, Entry, Kind, Refused};
    use rstest::rstest;

    /// A run with a clause that is kept, one that fails, one that was not judged, one that does
    /// not apply, and one of level record.
    fn run(fails: bool) -> Run {
        let fail = match fails {
            true => Judgement::fail("1"),
            false => Verdict::Pass.because("0"),
        };
        let outcome = |id, judgement| forged::outcome(id, 0, judgement);
        let outcomes = vec![
            outcome("heapmin.idempotent", Verdict::Pass.because("0")),
            outcome("heapmin.success-returns-zero", fail),
            outcome("heapmin.empty-heap", Judgement::not_judged("no call")),
            outcome(
                "heapmin.same-heap-through-alias",
                Judgement::not_applicable("no second name"),
            ),
            outcome("heapmin.doserrno", Verdict::Pass.because("0")),
        ];
        forged::record(&[forged::checked(outcomes)], Findings::default())
    }

    fn of_status(status: u8, mut run: Run) -> Run {
        run.status = status;
        run
    }

    fn known() -> Run {
        let mut run = of_status(0, run(true));
        let failing = &mut run.candidates[0].results[1];
        failing.known = true;
        failing.entry = Some(Entry::default());
        run
    }

    fn with_complaints(count: usize) -> Run {
        let mut run = of_status(1, run(false));
        run.complaints = vec![Complaint::new(Kind::Stale, "m".into()); count];
        run
    }

    fn refused() -> Run {
        let mut run = of_status(2, run(false));
        run.refused = vec![Refused {
            name: "n".into(),
            reason: "r".into(),
            mend: "m".into(),
        }];
        run
    }

    fn interrupted() -> Run {
        let mut run = of_status(130, run(false));
        run.interrupted = true;
        run
    }

    #[rstest]
    #[case::as_expected(of_status(0, run(false)), "2 of 3 promises", Color::Green)]
    #[case::known(known(), "1 of 3 promises", Color::Green)]
    #[case::new(of_status(1, run(true)), "1 new deviation", Color::Red)]
    #[case::stale(with_complaints(1), "1 not as expected", Color::Red)]
    #[case::two(with_complaints(2), "2 not as expected", Color::Red)]
    #[case::refused(refused(), "1 library not checked", Color::Grey)]
    #[case::failed(of_status(2, run(false)), "run failed", Color::Grey)]
    #[case::interrupted(interrupted(), "interrupted", Color::Grey)]
    fn a_badge_says_in_words_what_its_colour_says(
        #[case] run: Run,
        #[case] message: &str,
        #[case] color: Color,
    ) {
        let badge = badge(&run);
        assert_eq!((&*badge.message, badge.color), (message, color));
    }

    #[test]
    fn the_json_is_what_an_endpoint_of_shields_gives() {
        let text = report(&of_status(1, run(true)));
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        let wanted = json!({
            "schemaVersion": 1, "label": "heapmin", "message": "1 new deviation", "color": "red",
        });
        assert_eq!(value, wanted);
    }
}
