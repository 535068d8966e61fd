//! Draws random sequences. A draft may be illegal at its place, such as a `free`
//! of an empty slot; only legal drafts become steps.

use super::legal::State;
use heapmin_harness::wire::script::{Operation, Slot};
use heapmin_harness::wire::step::Step;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{BoxedStrategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Drafts per step: about half of them are illegal at their place.
const DRAFTS: usize = 3;
/// One sequence in this many has threads.
const WITH_THREADS: usize = 4;
/// The largest size and the largest alignment that a heap must grant, in bytes.
pub(super) const LARGEST: usize = 64 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Malloc,
    Calloc,
    Realloc,
    Recalloc,
    Free,
    FreeMany,
    Msize,
    Expand,
    AlignedMalloc,
    AlignedOffsetMalloc,
    AlignedRealloc,
    AlignedRecalloc,
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
    Churn,
    End,
}

/// The weight of each action in the draw.
const WEIGHTS: [(Action, usize); 24] = [
    (Action::Malloc, 16),
    (Action::Calloc, 6),
    (Action::Realloc, 10),
    (Action::Recalloc, 7),
    (Action::Free, 10),
    (Action::FreeMany, 1),
    (Action::Msize, 5),
    (Action::Expand, 4),
    (Action::AlignedMalloc, 4),
    (Action::AlignedOffsetMalloc, 3),
    (Action::AlignedRealloc, 4),
    (Action::AlignedRecalloc, 4),
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
    (Action::Churn, 4),
    (Action::End, 1),
];

/// How a drawn size depends on the block, or on the alignment of a new block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Relation {
    /// It does not.
    Unrelated,
    /// The size that the block had before its last change.
    AsBefore,
    /// Half of the block's size.
    Half,
    /// Some bytes more than the block's size.
    More,
    /// Some bytes fewer than the block's size.
    Fewer,
    /// Near a multiple of the alignment.
    NearAlignment,
}

/// A step as drawn, before its place is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft {
    pub(super) action: Action,
    pub(super) slot: usize,
    pub(super) size: usize,
    pub(super) number: usize,
    pub(super) alignment: u32,
    pub(super) offset: usize,
    pub(super) relation: Relation,
    /// The thread that performs the step, if it is free to.
    pub(super) thread: u8,
}

fn sizes() -> BoxedStrategy<usize> {
    let near = |middle: usize, by: i64| middle.saturating_add_signed(by as isize).max(1);
    prop_oneof![
        32 => 0..300usize,
        16 => 300..5000usize,
        12 => (4..21u32, -1..=1i64).prop_map(move |(power, by)| near(1 << power, by)),
        12 => (1..200usize, -1..=1i64).prop_map(move |(count, by)| near(count * 16, by)),
        8 => (1..40usize, -1..=1i64).prop_map(move |(count, by)| near(count * 4096, by)),
        4 => 100_000..5_000_000usize,
        1 => prop_oneof![
            (21..=26u32, -1..=1i64).prop_map(move |(power, by)| near(1 << power, by)),
            5_000_000..=LARGEST,
        ],
    ]
    .boxed()
}

fn relations() -> BoxedStrategy<Relation> {
    prop_oneof![
        5 => Just(Relation::Unrelated),
        2 => Just(Relation::AsBefore),
        1 => Just(Relation::Half),
        1 => Just(Relation::More),
        1 => Just(Relation::Fewer),
        2 => Just(Relation::NearAlignment),
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
        prop_oneof![24 => 0..18u32, 1 => 18..=LARGEST.ilog2()],
        0..80usize,
        relations(),
        any::<u8>(),
    );
    let draft = draft.prop_map(
        |(action, slot, size, number, alignment, offset, relation, thread)| Draft {
            action,
            slot,
            size,
            number,
            alignment,
            offset,
            relation,
            thread,
        },
    );
    vec(draft, length * DRAFTS).boxed()
}

/// Sequence number `number` of the run with this seed: at most `length` steps on
/// routines for which `have` returns true. Some sequences have `threads` threads, if
/// that is more than one. The last step checks every block.
pub fn draw(
    seed: u64,
    number: usize,
    length: usize,
    threads: u8,
    have: impl Fn(&str) -> bool,
) -> Vec<Step> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&(number as u64).to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let tree = drafts(length).new_tree(&mut runner);
    let drafts = tree.expect("nothing is filtered").current();
    let has_threads = threads > 1 && number % WITH_THREADS == WITH_THREADS - 1;
    let mut state = State::new(if has_threads { threads } else { 0 });
    let legal = drafts.iter().flat_map(|draft| state.legal(draft, &have));
    let mut steps: Vec<Step> = legal.take(length - 1).collect();
    steps.push(Step::alone(Operation::Check {}));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapmin_harness::wire::step::{Owners, phases};
    use std::collections::HashSet;

    #[test]
    fn a_sequence_depends_on_seed_number_and_threads_alone() {
        let of = |seed, number, threads| draw(seed, number, 200, threads, |_| true);
        assert_eq!(of(1, 3, 3), of(1, 3, 3));
        assert_ne!(of(1, 2, 3), of(1, 1, 3));
        assert_ne!(of(1, 2, 3), of(2, 2, 3));
        assert_eq!(of(1, 2, 3), of(1, 2, 1));
        assert_ne!(of(1, 3, 3), of(1, 3, 1));
    }

    #[test]
    fn sequences_call_every_routine_except_missing_ones() {
        let all: HashSet<&str> = (0..20)
            .flat_map(|number| draw(0, number, 200, 3, |_| true))
            .map(|step| step.operation.routine())
            .collect();
        assert_eq!(all.len(), 22, "{all:?}");
        let some = draw(0, 3, 200, 3, |name| name != "malloc");
        let mut some = some.iter().map(|step| step.operation.routine());
        assert!(some.all(|it| it != "malloc"));
    }

    #[test]
    fn every_fourth_sequence_has_steps_of_as_many_threads_as_requested() {
        for number in 0..8 {
            let numbers = |threads| {
                let steps = draw(0, number, 200, threads, |_| true);
                let numbers = steps.iter().filter_map(|step| step.thread);
                numbers.collect::<HashSet<u8>>().len()
            };
            let all = [numbers(0), numbers(1), numbers(2), numbers(5)];
            let expected = if number % 4 == 3 {
                [0, 0, 2, 5]
            } else {
                [0; 4]
            };
            assert_eq!(all, expected, "sequence {number}");
        }
    }

    #[test]
    fn a_thread_uses_only_slots_that_it_owns_in_a_phase() {
        for number in [3, 7, 11] {
            let steps = draw(0, number, 200, 3, |_| true);
            for phase in phases(&steps) {
                let owners = Owners::of(phase);
                for step in phase {
                    let owner = step.operation.slot().and_then(|slot| owners.owner(slot));
                    assert!(
                        step.thread.is_none() || owner.is_none_or(|it| Some(it) == step.thread)
                    );
                    assert!(step.thread.is_none() || Step::is_for_threads(step.operation));
                }
            }
        }
    }

    #[test]
    fn sequences_have_large_sizes_large_alignments_and_sizes_near_the_alignment() {
        let steps: Vec<_> = (0..40)
            .flat_map(|number| draw(0, number, 200, 3, |_| true))
            .collect();
        let count = |is_one: &dyn Fn(Operation) -> bool| {
            steps.iter().filter(|step| is_one(step.operation)).count()
        };
        let large = count(
            &|it| matches!(it, Operation::Malloc { size, .. } if size > 8 << 20 && size <= LARGEST + 1),
        );
        let aligned = count(
            &|it| matches!(it, Operation::AlignedMalloc { alignment, .. } if alignment >= 4 << 20),
        );
        let near = count(
            &|it| matches!(it, Operation::AlignedMalloc { size, alignment, .. } if alignment > 16 && size <= 2 * LARGEST && (size + 1) % alignment < 3),
        );
        assert!(
            large > 4 && aligned > 2 && near > 20,
            "{large} {aligned} {near}"
        );
    }
}
