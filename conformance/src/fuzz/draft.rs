//! Draws random sequences. A draft may be illegal at its place, such as a `free`
//! of an empty slot; only legal drafts become operations.

use heapmin_harness::wire::script::{Operation, Slot};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The most live bytes in a sequence.
const MOST_BYTES: usize = 64 << 20;
/// Drafts per operation: about half of them are illegal at their place.
const DRAFTS: usize = 3;
/// Sizes that a heap must refuse: Microsoft's `_HEAP_MAXREQ` and more.
const TOO_LARGE: [usize; 3] = [usize::MAX, usize::MAX - 31, usize::MAX / 2];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Malloc,
    Calloc,
    Realloc,
    Recalloc,
    Free,
    Msize,
    Expand,
    AlignedMalloc,
    AlignedOffsetMalloc,
    AlignedRealloc,
    AlignedMsize,
    AlignedFree,
    Heapmin,
    Heapchk,
    Heapwalk,
    Heapset,
    MallocTooLarge,
    CallocTooLarge,
    ReallocTooLarge,
    Check,
}

/// The weight of each action in the draw.
const WEIGHTS: [(Action, usize); 20] = [
    (Action::Malloc, 16),
    (Action::Calloc, 6),
    (Action::Realloc, 10),
    (Action::Recalloc, 5),
    (Action::Free, 10),
    (Action::Msize, 5),
    (Action::Expand, 4),
    (Action::AlignedMalloc, 4),
    (Action::AlignedOffsetMalloc, 3),
    (Action::AlignedRealloc, 4),
    (Action::AlignedMsize, 2),
    (Action::AlignedFree, 5),
    (Action::Heapmin, 2),
    (Action::Heapchk, 2),
    (Action::Heapwalk, 1),
    (Action::Heapset, 1),
    (Action::MallocTooLarge, 1),
    (Action::CallocTooLarge, 1),
    (Action::ReallocTooLarge, 1),
    (Action::Check, 2),
];

/// An operation as drawn, before its place is known.
#[derive(Clone, Copy, Debug)]
struct Draft {
    action: Action,
    slot: usize,
    size: usize,
    number: usize,
    alignment: u32,
    offset: usize,
}

fn sizes() -> BoxedStrategy<usize> {
    let near = |middle: usize, by: i64| middle.saturating_add_signed(by as isize).max(1);
    prop_oneof![
        8 => 0..300usize,
        4 => 300..5000usize,
        3 => (4..21u32, -1..=1i64).prop_map(move |(power, by)| near(1 << power, by)),
        3 => (1..200usize, -1..=1i64).prop_map(move |(count, by)| near(count * 16, by)),
        2 => (1..40usize, -1..=1i64).prop_map(move |(count, by)| near(count * 4096, by)),
        1 => 100_000..5_000_000usize,
    ]
    .boxed()
}

fn drafts(length: usize) -> BoxedStrategy<Vec<Draft>> {
    let actions: Vec<Action> = WEIGHTS
        .iter()
        .flat_map(|(action, weight)| std::iter::repeat_n(*action, *weight))
        .collect();
    let draft = (
        select(actions),
        0..Slot::COUNT,
        sizes(),
        1..40usize,
        0..18u32,
        0..80usize,
    );
    let draft = draft.prop_map(|(action, slot, size, number, alignment, offset)| Draft {
        action,
        slot,
        size,
        number,
        alignment,
        offset,
    });
    vec(draft, length * DRAFTS).boxed()
}

/// Sequence number `number` of the run with this seed: at most `length`
/// operations on routines for which `have` returns true. The last one checks
/// every block.
pub fn draw(
    seed: u64,
    number: usize,
    length: usize,
    have: impl Fn(&str) -> bool,
) -> Vec<Operation> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(number as u64).to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let tree = drafts(length).new_tree(&mut runner);
    let drafts = tree.expect("nothing is filtered").current();
    let mut state = State::default();
    let legal = drafts.iter().filter_map(|draft| state.legal(draft, &have));
    let mut operations: Vec<Operation> = legal.take(length - 1).collect();
    operations.push(Operation::Check {});
    operations
}

/// The block in a slot.
#[derive(Clone, Copy)]
enum Content {
    Plain(usize),
    Aligned {
        size: usize,
        alignment: usize,
        offset: usize,
    },
}

/// The blocks in the slots, if every call does as it should.
#[derive(Default)]
struct State {
    slots: [Option<Content>; Slot::COUNT],
    bytes: usize,
}

impl State {
    /// The operation that this draft becomes, if it is legal here.
    fn legal(&mut self, draft: &Draft, have: impl Fn(&str) -> bool) -> Option<Operation> {
        let slot = Slot::new(draft.slot);
        let content = self.slots[slot.index()];
        let operation = match content {
            None => Self::on_empty(draft, slot),
            Some(Content::Plain(_)) => Self::on_plain(draft, slot),
            Some(Content::Aligned {
                alignment, offset, ..
            }) => Self::on_aligned(draft, slot, alignment, offset),
        };
        let operation = operation.or_else(|| anywhere(draft))?;
        if !have(operation.routine()) && operation != (Operation::Check {}) {
            return None;
        }
        self.follow(operation)
    }

    fn on_empty(draft: &Draft, slot: Slot) -> Option<Operation> {
        let size = draft.size;
        let alignment = 1 << draft.alignment;
        Some(match draft.action {
            Action::Malloc => Operation::Malloc { slot, size },
            Action::Calloc => Operation::Calloc {
                slot,
                number: draft.number,
                size: size / draft.number,
            },
            Action::MallocTooLarge => Operation::Malloc {
                slot,
                size: TOO_LARGE[size % TOO_LARGE.len()],
            },
            Action::CallocTooLarge => Operation::Calloc {
                slot,
                number: usize::MAX / 8,
                size: 9 + size % 100,
            },
            // Size 0 is an invalid parameter of the aligned routines.
            Action::AlignedMalloc => Operation::AlignedMalloc {
                slot,
                size: size.max(1),
                alignment,
            },
            Action::AlignedOffsetMalloc => Operation::AlignedOffsetMalloc {
                slot,
                size: size.max(1),
                alignment,
                offset: draft.offset % size.max(1),
            },
            _ => return None,
        })
    }

    fn on_plain(draft: &Draft, slot: Slot) -> Option<Operation> {
        let (block, size) = (slot, draft.size);
        Some(match draft.action {
            Action::Realloc => Operation::Realloc { slot, block, size },
            Action::Recalloc => Operation::Recalloc {
                slot,
                block,
                number: draft.number,
                size: size / draft.number,
            },
            Action::ReallocTooLarge => Operation::Realloc {
                slot,
                block,
                size: TOO_LARGE[size % TOO_LARGE.len()],
            },
            Action::Free => Operation::Free { slot },
            Action::Msize => Operation::Msize { slot },
            Action::Expand => Operation::Expand {
                slot,
                size: size.max(1),
            },
            _ => return None,
        })
    }

    fn on_aligned(draft: &Draft, slot: Slot, alignment: usize, offset: usize) -> Option<Operation> {
        let (block, size) = (slot, draft.size);
        Some(match draft.action {
            Action::AlignedRealloc if offset == 0 => Operation::AlignedRealloc {
                slot,
                block,
                size,
                alignment,
            },
            // An offset that is not below the size is an invalid parameter.
            Action::AlignedRealloc if size > offset => Operation::AlignedOffsetRealloc {
                slot,
                block,
                size,
                alignment,
                offset,
            },
            Action::AlignedMsize => Operation::AlignedMsize {
                slot,
                alignment,
                offset,
            },
            Action::AlignedFree => Operation::AlignedFree { slot },
            _ => return None,
        })
    }

    /// Updates the slots; `None` if the sequence would hold too many bytes.
    fn follow(&mut self, operation: Operation) -> Option<Operation> {
        let (slot, content) = match operation {
            Operation::Malloc { slot, size } => (slot, Some(Content::Plain(size))),
            Operation::Calloc { slot, number, size } => {
                (slot, Some(Content::Plain(number.saturating_mul(size))))
            }
            Operation::Realloc { slot, size, .. } => {
                (slot, (size > 0).then_some(Content::Plain(size)))
            }
            Operation::Recalloc {
                slot, number, size, ..
            } => {
                let size = number * size;
                (slot, (size > 0).then_some(Content::Plain(size)))
            }
            Operation::AlignedMalloc {
                slot,
                size,
                alignment,
            } => (slot, aligned(size, alignment, 0)),
            Operation::AlignedOffsetMalloc {
                slot,
                size,
                alignment,
                offset,
            }
            | Operation::AlignedOffsetRealloc {
                slot,
                size,
                alignment,
                offset,
                ..
            } => (slot, aligned(size, alignment, offset)),
            Operation::AlignedRealloc {
                slot,
                size,
                alignment,
                ..
            } => (slot, aligned(size, alignment, 0)),
            Operation::Free { slot } | Operation::AlignedFree { slot } => (slot, None),
            _ => return Some(operation),
        };
        let new = content.map_or(0, Content::size);
        // The call fails and changes nothing.
        if new > usize::MAX / 16 {
            return Some(operation);
        }
        let old = self.slots[slot.index()].map_or(0, Content::size);
        if self.bytes - old + new > MOST_BYTES {
            return None;
        }
        self.bytes = self.bytes - old + new;
        self.slots[slot.index()] = content;
        Some(operation)
    }
}

/// The operation of a draft that needs no slot.
fn anywhere(draft: &Draft) -> Option<Operation> {
    Some(match draft.action {
        Action::Heapmin => Operation::Heapmin {},
        Action::Heapchk => Operation::Heapchk {},
        Action::Heapwalk => Operation::Heapwalk {},
        Action::Heapset => Operation::Heapset {
            fill: draft.size % 256,
        },
        Action::Check => Operation::Check {},
        _ => return None,
    })
}

fn aligned(size: usize, alignment: usize, offset: usize) -> Option<Content> {
    (size > 0).then_some(Content::Aligned {
        size,
        alignment,
        offset,
    })
}

impl Content {
    fn size(self) -> usize {
        match self {
            Content::Plain(size) | Content::Aligned { size, .. } => size,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_sequence_depends_on_seed_and_number_alone() {
        let of = |seed, number| draw(seed, number, 200, |_| true);
        assert_eq!(of(1, 2), of(1, 2));
        assert_ne!(of(1, 2), of(1, 3));
        assert_ne!(of(1, 2), of(2, 2));
    }

    #[test]
    fn sequences_call_every_routine_except_missing_ones() {
        let all: HashSet<&str> = (0..50)
            .flat_map(|number| draw(0, number, 200, |_| true))
            .map(Operation::routine)
            .collect();
        assert_eq!(all.len(), 18, "{all:?}");
        let some = draw(0, 0, 200, |name| name != "malloc");
        assert!(some.iter().all(|it| it.routine() != "malloc"));
    }
}
