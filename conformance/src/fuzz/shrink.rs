//! From a long sequence that shows something to the shortest.

use super::compare::Finding;
use super::draft::Sequence;
use super::{Found, Pair};
use heapmin_harness::script::Operation;

/// Sequences that are tried at most: each takes a process, or two.
const MOST_TRIES: usize = 4000;

/// Makes a sequence shorter and simpler as long as it shows the same kind of thing.
///
/// # Errors
/// Why a library could not be run.
pub fn shrink(pair: &Pair, mut sequence: Sequence, finding: Finding) -> Result<Found, String> {
    let kind = (finding.kind, finding.whose);
    let mut shortest = Found {
        operations: up_to(&sequence.operations(|it| pair.have(it)), finding.index),
        finding,
    };
    let mut moved = sequence.simplify();
    for _ in 0..MOST_TRIES {
        if !moved {
            break;
        }
        let operations = sequence.operations(|it| pair.have(it));
        // What does not change the operations up to there needs no process.
        let seen = match operations.starts_with(&shortest.operations) {
            true => Some(shortest.finding.clone()),
            false => pair.check(&operations)?,
        };
        match seen.filter(|finding| (finding.kind, finding.whose) == kind) {
            Some(finding) => {
                shortest = Found {
                    operations: up_to(&operations, finding.index),
                    finding,
                };
                moved = sequence.simplify();
            }
            None => moved = sequence.complicate(),
        }
    }
    drop_one_by_one(pair, shortest)
}

/// The operations up to the one that shows it.
fn up_to(operations: &[Operation], index: usize) -> Vec<Operation> {
    operations[..operations.len().min(index + 1)].to_vec()
}

/// Leaves out each operation that is not needed. A call about a block that is
/// no longer there does nothing, so the sequence stays legal.
fn drop_one_by_one(pair: &Pair, mut shortest: Found) -> Result<Found, String> {
    let kind = (shortest.finding.kind, shortest.finding.whose);
    let mut at = 0;
    while at < shortest.operations.len() && shortest.operations.len() > 1 {
        let mut fewer = shortest.operations.clone();
        fewer.remove(at);
        match pair.check(&fewer)? {
            Some(finding) if (finding.kind, finding.whose) == kind => {
                fewer.truncate(finding.index + 1);
                shortest = Found {
                    operations: fewer,
                    finding,
                };
                at = 0;
            }
            _ => at += 1,
        }
    }
    Ok(shortest)
}
