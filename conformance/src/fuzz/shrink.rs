//! Shortens a sequence that has a finding.
//!
//! First it removes operations, many at a time and then fewer; then it makes
//! sizes smaller. The sequence stays legal: a probe skips an operation whose
//! block is missing or of another kind.

use super::compare::{Finding, Whose};
use super::{Found, Pair};
use heapmin_harness::wire::script::Operation;
use proptest::num::usize::BinarySearch;
use proptest::strategy::ValueTree;

/// The shortest sequence found that has the same kind of finding.
///
/// # Errors
/// Why one of the libraries could not run a sequence.
pub fn shrink(pair: &Pair, operations: Vec<Operation>, finding: Finding) -> Result<Found, String> {
    let mut shrinking = Shrinking {
        pair,
        kind: (finding.kind, finding.whose),
        shortest: Found {
            operations: up_to(operations, finding.index),
            finding,
        },
    };
    shrinking.leave_out()?;
    shrinking.make_sizes_smaller()?;
    // With smaller sizes, more operations may be unnecessary.
    shrinking.leave_out()?;
    Ok(shrinking.shortest)
}

/// The operations up to the one with the finding.
fn up_to(mut operations: Vec<Operation>, index: usize) -> Vec<Operation> {
    operations.truncate(index + 1);
    operations
}

struct Shrinking<'a> {
    pair: &'a Pair,
    kind: (&'static str, Whose),
    shortest: Found,
}

impl Shrinking<'_> {
    /// Keeps this sequence if it has the same finding; returns whether it does.
    fn take(&mut self, operations: Vec<Operation>) -> Result<bool, String> {
        let finding = self.pair.check(&operations)?;
        let Some(finding) = finding.filter(|it| (it.kind, it.whose) == self.kind) else {
            return Ok(false);
        };
        self.shortest = Found {
            operations: up_to(operations, finding.index),
            finding,
        };
        Ok(true)
    }

    /// Removes operations: half of them at a time, then a quarter, down to one.
    fn leave_out(&mut self) -> Result<(), String> {
        let mut part = self.shortest.operations.len().div_ceil(2);
        while part > 0 {
            let mut at = 0;
            while at < self.shortest.operations.len() && self.shortest.operations.len() > 1 {
                let mut fewer = self.shortest.operations.clone();
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
        while at < self.shortest.operations.len() {
            for which in 0..2 {
                let Some(value) = size(self.shortest.operations.get(at), which) else {
                    continue;
                };
                let mut search = BinarySearch::new(value);
                let mut moved = search.simplify();
                while moved {
                    let mut simpler = self.shortest.operations.clone();
                    let smaller = with_size(simpler[at], which, search.current());
                    simpler[at] = smaller;
                    // The sequence may now end before this operation.
                    let taken = smaller != self.shortest.operations[at] && self.take(simpler)?;
                    if at >= self.shortest.operations.len() {
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

/// The size in an operation (`which` 0), or its number of elements (1).
fn size(operation: Option<&Operation>, which: usize) -> Option<usize> {
    match (*operation?, which) {
        (
            Operation::Malloc { size, .. }
            | Operation::Calloc { size, .. }
            | Operation::Realloc { size, .. }
            | Operation::Recalloc { size, .. }
            | Operation::Expand { size, .. }
            | Operation::AlignedMalloc { size, .. }
            | Operation::AlignedOffsetMalloc { size, .. }
            | Operation::AlignedRealloc { size, .. }
            | Operation::AlignedOffsetRealloc { size, .. },
            0,
        ) => Some(size),
        (Operation::Calloc { number, .. } | Operation::Recalloc { number, .. }, 1) => Some(number),
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
            | Operation::AlignedRealloc { size, .. },
            0,
        ) => *size = value,
        (Operation::Expand { size, .. } | Operation::AlignedMalloc { size, .. }, 0) => {
            *size = value.max(1);
        }
        // The offset stays below the size.
        (
            Operation::AlignedOffsetMalloc { size, offset, .. }
            | Operation::AlignedOffsetRealloc { size, offset, .. },
            0,
        ) => *size = value.max(*offset + 1),
        (Operation::Calloc { number, .. } | Operation::Recalloc { number, .. }, 1) => {
            *number = value;
        }
        _ => {}
    }
    operation
}
