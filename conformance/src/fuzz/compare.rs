//! What is wrong with what was seen: by itself, or beside the other library.

use super::transcript::Transcript;
use heapmin_harness::wire::observation::{Answer, Call, Kind};
use heapmin_harness::wire::script::Operation;

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The candidate's.
    Candidate,
    /// The other library's.
    Against,
    /// The two differ.
    Either,
}

/// The kinds of things that can be wrong.
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

/// Something wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which operation showed it, counted from 0.
    pub index: usize,
    /// Whose it is.
    pub whose: Whose,
    /// Which of [`KINDS`] it is: shrinking keeps to it.
    pub kind: &'static str,
    /// What it is.
    pub what: String,
}

/// What breaks a promise whatever any other library does.
pub fn by_itself(
    operations: &[Operation],
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
    let index = seen.answers.len().min(operations.len() - 1);
    Some(finding(index, "ended", how.clone()))
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
        let what = format!("{} bytes were not as they were written", answer.lost);
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
        let what = format!("{} bytes are fewer than asked for", call.returned);
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
            "of the live blocks {} were not found in use, {} twice, {} too small",
            walk.missing, walk.twice, walk.too_small
        );
        return Some(("walk", what));
    }
    None
}

/// What the one does and the other does not.
pub fn with_each_other(
    operations: &[Operation],
    seen: &Transcript,
    other: &Transcript,
    ignored: &[String],
) -> Option<Finding> {
    let pairs = seen.answers.iter().zip(&other.answers);
    for (index, (a, b)) in pairs.enumerate() {
        let (Some(ours), Some(theirs)) = (&a.call, &b.call) else {
            continue;
        };
        let difference = match operations[index] {
            // Whether the system takes memory back is the system's affair.
            Operation::Heapmin {} => None,
            // Whether there was room is the heap's.
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

/// A difference between what two calls returned.
fn result(ours: &Call, theirs: &Call) -> Option<(&'static str, String)> {
    let same = match ours.kind {
        Kind::Pointer => (ours.returned == 0) == (theirs.returned == 0),
        // Statuses of the heap: sound, or at its end, or damaged.
        Kind::Number => class(ours.returned) == class(theirs.returned),
        // How many bytes there are beyond those asked for is the heap's affair.
        Kind::Size | Kind::Nothing => true,
    };
    (!same).then(|| {
        let what = format!("{}; the other {}", ours.result(), theirs.result());
        ("result", what)
    })
}

/// `_HEAPOK` and `_HEAPEMPTY` are as good as each other, and so is the end of
/// a walk beside a heap that is empty.
fn class(status: i64) -> i64 {
    match status {
        -1 | -2 | -5 => 0,
        other => other,
    }
}

/// A difference between what two calls did to `errno`, by name.
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
            // The number differs from one numbering to the other.
            text.split(" (").next().unwrap_or(&text).to_owned()
        })
    };
    let (ours, theirs) = (describe(ours, seen)?, describe(theirs, other)?);
    (ours != theirs).then(|| ("errno", format!("errno {ours}; with the other {theirs}")))
}
