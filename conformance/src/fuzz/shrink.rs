//! Shortens a sequence that has a finding, as far as it still has the same kind of
//! finding.
//!
//! First it removes threads, then steps, many at a time and then fewer; then it makes
//! sizes smaller. The sequence stays legal: a probe skips an operation whose block is
//! missing or of another kind.
//!
//! What threads do depends on their order. So a sequence with threads runs several times,
//! and any finding about the same library counts: a damaged heap shows in many ways.

use super::compare::{Finding, Whose};
use super::{Found, Pair, has_threads};
use heapmin_harness::wire::script::Operation;
use heapmin_harness::wire::step::{Step, end_of_phase};
use proptest::num::usize::BinarySearch;
use proptest::strategy::ValueTree;
use std::time::{Duration, Instant};

/// How often a shorter sequence with threads runs before it counts as sound.
const TRIES: usize = 6;
/// The longest time to shorten a sequence. A sequence that does not end takes the time
/// limit in every run.
const LONGEST: Duration = Duration::from_secs(120);

/// The shortest sequence found that has the same kind of finding.
///
/// # Errors
/// Why one of the libraries could not run a sequence.
pub fn shrink(pair: &Pair, steps: Vec<Step>, finding: Finding) -> Result<Found, String> {
    let mut shrinking = Shrinking {
        pair,
        whose: finding.whose,
        start: Instant::now(),
        shortest: Found {
            steps: up_to(steps, finding.index),
            finding,
        },
    };
    shrinking.leave_out_threads()?;
    shrinking.leave_out()?;
    shrinking.leave_out_threads()?;
    shrinking.make_sizes_smaller()?;
    // With smaller sizes, more steps may be unnecessary.
    shrinking.leave_out()?;
    Ok(shrinking.shortest)
}

/// The steps up to the one with the finding, and those of other threads at that time.
fn up_to(mut steps: Vec<Step>, index: usize) -> Vec<Step> {
    steps.truncate(end_of_phase(&steps, index));
    steps
}

struct Shrinking<'a> {
    pair: &'a Pair,
    whose: Whose,
    start: Instant,
    shortest: Found,
}

impl Shrinking<'_> {
    /// Keeps this sequence if it has the same finding; returns whether it does.
    fn take(&mut self, steps: Vec<Step>) -> Result<bool, String> {
        let Some(finding) = self.finding(&steps)? else {
            return Ok(false);
        };
        self.shortest = Found {
            steps: up_to(steps, finding.index),
            finding,
        };
        Ok(true)
    }

    /// The finding of this sequence, if it is about the same library and, without
    /// threads, of the same kind.
    fn finding(&mut self, steps: &[Step]) -> Result<Option<Finding>, String> {
        let has_threads = has_threads(steps);
        for _ in 0..if has_threads { TRIES } else { 1 } {
            if self.start.elapsed() > LONGEST {
                break;
            }
            let finding = self.pair.check_again(steps, self.whose)?;
            let finding = finding.filter(|it| it.whose == self.whose);
            let kind = self.shortest.finding.kind;
            if let Some(finding) = finding.filter(|it| has_threads || it.kind == kind) {
                return Ok(Some(finding));
            }
        }
        Ok(None)
    }

    /// Removes threads: all of them, or the steps of one, or gives the steps of one to
    /// another.
    fn leave_out_threads(&mut self) -> Result<(), String> {
        if !has_threads(&self.shortest.steps) {
            return Ok(());
        }
        let alone = self.shortest.steps.iter();
        let alone = alone.filter(|step| step.operation != (Operation::End {}));
        if self.take(alone.map(|step| Step::alone(step.operation)).collect())? {
            return Ok(());
        }
        for number in numbers(&self.shortest.steps) {
            let mut fewer = self.shortest.steps.clone();
            fewer.retain(|step| step.thread != Some(number));
            if !fewer.is_empty() && self.take(fewer)? {
                continue;
            }
            let first = numbers(&self.shortest.steps).first().copied();
            if first == Some(number) {
                continue;
            }
            let mut moved = self.shortest.steps.clone();
            for step in moved.iter_mut().filter(|step| step.thread == Some(number)) {
                step.thread = first;
            }
            self.take(moved)?;
        }
        Ok(())
    }

    /// Removes steps: half of them at a time, then a quarter, down to one.
    fn leave_out(&mut self) -> Result<(), String> {
        let mut part = self.shortest.steps.len().div_ceil(2);
        while part > 0 {
            let mut at = 0;
            while at < self.shortest.steps.len() && self.shortest.steps.len() > 1 {
                let mut fewer = self.shortest.steps.clone();
                let end = fewer.len().min(at + part);
                fewer.drain(at..end);
                if fewer.is_empty() || !self.take(fewer)? {
                    at += part;
                }
            }
            part /= 2;
        }
        Ok(())
    }

    fn make_sizes_smaller(&mut self) -> Result<(), String> {
        let mut at = 0;
        while at < self.shortest.steps.len() {
            for which in 0..2 {
                let Some(value) = size(self.shortest.steps.get(at), which) else {
                    continue;
                };
                let mut search = BinarySearch::new(value);
                let mut moved = search.simplify();
                while moved {
                    let mut simpler = self.shortest.steps.clone();
                    let smaller = with_size(simpler[at].operation, which, search.current());
                    simpler[at].operation = smaller;
                    // The sequence may now end before this step.
                    let taken =
                        smaller != self.shortest.steps[at].operation && self.take(simpler)?;
                    if at >= self.shortest.steps.len() {
                        break;
                    }
                    moved = match taken {
                        true => search.simplify(),
                        false => search.complicate(),
                    };
                }
            }
            at += 1;
        }
        Ok(())
    }
}

/// The numbers of the threads of a sequence, in order.
fn numbers(steps: &[Step]) -> Vec<u8> {
    let mut numbers: Vec<u8> = steps.iter().filter_map(|step| step.thread).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The size in a step (`which` 0), or its number of elements (1).
fn size(step: Option<&Step>, which: usize) -> Option<usize> {
    match (step?.operation, which) {
        (
            Operation::Malloc { size, .. }
            | Operation::Calloc { size, .. }
            | Operation::Realloc { size, .. }
            | Operation::Recalloc { size, .. }
            | Operation::Expand { size, .. }
            | Operation::AlignedMalloc { size, .. }
            | Operation::AlignedOffsetMalloc { size, .. }
            | Operation::AlignedRealloc { size, .. }
            | Operation::AlignedOffsetRealloc { size, .. }
            | Operation::AlignedRecalloc { size, .. }
            | Operation::AlignedOffsetRecalloc { size, .. }
            | Operation::Churn { size, .. },
            0,
        ) => Some(size),
        (
            Operation::Calloc { number, .. }
            | Operation::Recalloc { number, .. }
            | Operation::AlignedRecalloc { number, .. }
            | Operation::AlignedOffsetRecalloc { number, .. },
            1,
        ) => Some(number),
        (Operation::Churn { count, .. }, 1) => Some(count),
        _ => None,
    }
}

/// The operation with `value` in that place, or the nearest legal value.
fn with_size(operation: Operation, which: usize, value: usize) -> Operation {
    let mut operation = operation;
    match (&mut operation, which) {
        (
            Operation::Malloc { size, .. }
            | Operation::Calloc { size, .. }
            | Operation::Realloc { size, .. }
            | Operation::Recalloc { size, .. }
            | Operation::AlignedRealloc { size, .. }
            | Operation::AlignedRecalloc { size, .. },
            0,
        ) => *size = value,
        (
            Operation::Expand { size, .. }
            | Operation::AlignedMalloc { size, .. }
            | Operation::Churn { size, .. },
            0,
        ) => *size = value.max(1),
        // The offset stays below the size.
        (
            Operation::AlignedOffsetMalloc { size, offset, .. }
            | Operation::AlignedOffsetRealloc { size, offset, .. },
            0,
        ) => *size = value.max(*offset + 1),
        (
            Operation::AlignedOffsetRecalloc {
                number,
                size,
                offset,
                ..
            },
            0,
        ) => *size = value.max(*offset / (*number).max(1) + 1),
        (
            Operation::AlignedOffsetRecalloc {
                number,
                size,
                offset,
                ..
            },
            1,
        ) => *number = value.max(*offset / (*size).max(1) + 1),
        (
            Operation::Calloc { number, .. }
            | Operation::Recalloc { number, .. }
            | Operation::AlignedRecalloc { number, .. },
            1,
        ) => *number = value,
        (Operation::Churn { count, .. }, 1) => *count = value,
        _ => {}
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "a = _aligned_offset_recalloc(a, 3, 100, 64, 20)",
        0,
        0,
        "a = _aligned_offset_recalloc(a, 3, 7, 64, 20)"
    )]
    #[case(
        "a = _aligned_offset_recalloc(a, 3, 10, 64, 20)",
        1,
        1,
        "a = _aligned_offset_recalloc(a, 3, 10, 64, 20)"
    )]
    #[case(
        "a = _aligned_offset_malloc(100, 64, 20)",
        0,
        0,
        "a = _aligned_offset_malloc(21, 64, 20)"
    )]
    #[case(
        "a = _aligned_recalloc(a, 3, 10, 64)",
        1,
        0,
        "a = _aligned_recalloc(a, 0, 10, 64)"
    )]
    #[case("churn(500, 24)", 0, 0, "churn(500, 1)")]
    #[case("churn(500, 24)", 1, 7, "churn(7, 24)")]
    fn a_smaller_size_stays_legal(
        #[case] line: &str,
        #[case] which: usize,
        #[case] value: usize,
        #[case] smaller: &str,
    ) {
        let operation = line.parse().unwrap();
        assert!(size(Some(&Step::alone(operation)), which).is_some());
        assert_eq!(with_size(operation, which, value).to_string(), smaller);
    }

    #[test]
    fn what_other_threads_do_at_the_time_of_the_finding_is_kept() {
        let text = "check()\n1: free(a)\n2: free(b)\ncheck()";
        let steps: Vec<Step> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(up_to(steps.clone(), 1).len(), 3);
        assert_eq!(up_to(steps.clone(), 0).len(), 1);
        assert_eq!(numbers(&steps), [1, 2]);
    }
}
