//! Finds what is wrong in transcripts: in one alone, or in comparison with that
//! of the other library.

use super::transcript::Transcript;
use heapmin_harness::wire::observation::{Answer, Call, Kind};
use heapmin_harness::wire::script::Operation;
use heapmin_harness::wire::step::{Step, end_of_phase};

/// The library at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The candidate.
    Candidate,
    /// The other library.
    Against,
    /// One of the two: they differ.
    Either,
}

/// The kinds of findings.
pub const KINDS: [&str; 10] = [
    "overlap",
    "lost-bytes",
    "not-zero",
    "misaligned",
    "too-small",
    "moved",
    "walk",
    "ended",
    "result",
    "errno",
];

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The index of the step that shows it, from 0; for the end of the process among
    /// threads, the last step of their phase.
    pub index: usize,
    /// The library at fault.
    pub whose: Whose,
    /// One of [`KINDS`]; shrinking keeps the kind.
    pub kind: &'static str,
    /// A description for the user.
    pub what: String,
}

/// The first broken promise in one transcript, without comparison.
pub fn by_itself(
    steps: &[Step],
    seen: &Transcript,
    whose: Whose,
    ignored: &[String],
) -> Option<Finding> {
    let finding = |index, kind, what| Finding {
        index,
        whose,
        kind,
        what,
    };
    for (index, answer) in seen.answers.iter().enumerate() {
        if let Some((kind, what)) = wrong(answer, seen)
            && !is_in(ignored, kind)
        {
            return Some(finding(index, kind, what));
        }
    }
    let how = seen.ended.as_ref()?;
    let index = seen.answers.len().min(steps.len() - 1);
    // Threads answer together, at the end of their phase.
    let last = end_of_phase(steps, index) - 1;
    Some(finding(last, "ended", how.clone()))
}

fn is_in(ignored: &[String], kind: &str) -> bool {
    ignored.iter().any(|ignored| ignored == kind)
}

fn wrong(answer: &Answer, seen: &Transcript) -> Option<(&'static str, String)> {
    if answer.overlaps {
        return Some((
            "overlap",
            "the block has bytes of another live block".into(),
        ));
    }
    if answer.lost > 0 {
        let what = format!("{} bytes have changed since they were written", answer.lost);
        return Some(("lost-bytes", what));
    }
    if answer.not_zero > 0 {
        let what = format!("{} bytes that should be zero are not", answer.not_zero);
        return Some(("not-zero", what));
    }
    if answer.misaligned {
        return Some(("misaligned", "the address is misaligned".into()));
    }
    if answer.too_small {
        let call = answer.call.as_ref()?;
        let what = format!("{} bytes are fewer than requested", call.returned);
        return Some(("too-small", what));
    }
    if answer.moved {
        return Some(("moved", "the block was moved".into()));
    }
    let (walk, call) = (answer.walk?, answer.call.as_ref()?);
    let enosys = seen.numbering.number("ENOSYS");
    let no_walk = walk.entries == 0 && call.errno.map(|(_, after)| after) == enosys;
    if !no_walk && (walk.missing, walk.twice, walk.too_small) != (0, 0, 0) {
        let what = format!(
            "of the live blocks, {} were not found in use, {} were found twice, {} were too small",
            walk.missing, walk.twice, walk.too_small
        );
        return Some(("walk", what));
    }
    None
}

/// The first difference between two transcripts of a sequence.
pub fn with_each_other(
    steps: &[Step],
    seen: &Transcript,
    other: &Transcript,
    ignored: &[String],
) -> Option<Finding> {
    let pairs = seen.answers.iter().zip(&other.answers);
    for (index, (a, b)) in pairs.enumerate() {
        let (Some(ours), Some(theirs)) = (&a.call, &b.call) else {
            continue;
        };
        let difference = match steps[index].operation {
            // The result depends on the system.
            Operation::Heapmin {} => None,
            // Whether a block can grow in place depends on its neighbours.
            Operation::Expand { .. } if ours.returned != theirs.returned => None,
            _ => result(ours, theirs).or_else(|| errno((ours, seen), (theirs, other))),
        };
        if let Some((kind, what)) = difference
            && !is_in(ignored, kind)
        {
            return Some(Finding {
                index,
                whose: Whose::Either,
                kind,
                what,
            });
        }
    }
    None
}

/// A difference between the results of two calls.
fn result(ours: &Call, theirs: &Call) -> Option<(&'static str, String)> {
    let same = match ours.kind {
        Kind::Pointer => (ours.returned == 0) == (theirs.returned == 0),
        // The number is a heap status.
        Kind::Number => class(ours.returned) == class(theirs.returned),
        // Each heap rounds sizes up in its own way.
        Kind::Size | Kind::Nothing => true,
    };
    (!same).then(|| {
        let what = format!("{}; the other library {}", ours.result(), theirs.result());
        ("result", what)
    })
}

/// The class of a heap status. `_HEAPOK`, `_HEAPEMPTY` and `_HEAPEND` are one
/// class: two sound heaps may differ in them.
fn class(status: i64) -> i64 {
    match status {
        -1 | -2 | -5 => 0,
        other => other,
    }
}

/// A difference between the `errno` that two calls leave, compared by name.
fn errno(
    (ours, seen): (&Call, &Transcript),
    (theirs, other): (&Call, &Transcript),
) -> Option<(&'static str, String)> {
    let describe = |call: &Call, transcript: &Transcript| {
        call.errno.map(|(before, after)| {
            if before == after {
                return "as before".to_owned();
            }
            let text = transcript.numbering.describe(after);
            // Without the number, which depends on the numbering.
            text.split(" (").next().unwrap_or(&text).to_owned()
        })
    };
    let (ours, theirs) = (describe(ours, seen)?, describe(theirs, other)?);
    (ours != theirs).then(|| {
        (
            "errno",
            format!("errno {ours}; with the other library {theirs}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapmin_harness::library::errno_names::Numbering;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0)]
    #[case(1, 2)]
    #[case(3, 3)]
    #[case(4, 3)]
    fn the_end_among_threads_is_a_finding_at_the_last_step_of_their_phase(
        #[case] answers: usize,
        #[case] index: usize,
    ) {
        let text = "check()\n1: free(a)\n2: free(b)\ncheck()";
        let steps: Vec<Step> = text.lines().map(|line| line.parse().unwrap()).collect();
        let seen = Transcript {
            answers: vec![Answer::default(); answers],
            ended: Some("it ended".into()),
            numbering: Numbering::Msvc,
        };
        let found = by_itself(&steps, &seen, Whose::Candidate, &[]).unwrap();
        assert_eq!((found.index, found.kind), (index, "ended"));
    }
}
