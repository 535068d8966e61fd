//! Random operations on a heap and on a model that only remembers the live
//! blocks. The test compares every byte of every block, what a walk finds, and
//! what a release keeps.
//!
//! `HEAPMIN_MODEL_STEPS` is the total number of operations.

use heapmin_reference::alignment::Alignment;
use heapmin_reference::entry::USED;
use heapmin_reference::heap::Heap;
use heapmin_reference::heapchk::Condition;
use heapmin_reference::heapwalk::Next;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::Config;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::collections::BTreeMap;

/// Number of operations in one sequence.
const LENGTH: usize = 400;
/// The largest number of live blocks, and of their bytes.
const MOST_BLOCKS: usize = 300;
const MOST_BYTES: usize = 64 << 20;

/// Number of bytes at each end of a block to compare after each operation.
const EDGE: usize = 256;

/// Whether all bytes have this value. It always reads all bytes: a loop that can
/// end early is slower.
fn is_all(bytes: &[u8], byte: u8) -> bool {
    bytes.iter().fold(0, |wrong, b| wrong | (b ^ byte)) == 0
}

/// An operation on the heap.
#[derive(Clone, Debug)]
enum Step {
    Allocate(usize),
    /// Size, alignment as a power of two, and offset.
    AllocateAligned(usize, u32, usize),
    /// Size and alignment, for `free`.
    AllocateAtMultiple(usize, u32),
    Free(Index),
    Resize(Index, usize),
    Minimise,
    Walk,
    FillFree(u8),
}

/// A live block.
#[derive(Clone, Debug)]
struct Block {
    size: usize,
    byte: u8,
    is_aligned: bool,
}

/// The live blocks, oldest first.
#[derive(Clone, Debug, Default)]
struct Model {
    blocks: Vec<Block>,
    born: usize,
}

impl Model {
    fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.size).sum()
    }
}

/// A size: mostly small, and often next to a power of two.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0..300usize,
        4 => 0..9_000usize,
        2 => 8_000..300_000usize,
        1 => 200_000..3_000_000usize,
        2 => (4..22u32, 0..3usize).prop_map(|(power, near)| (1 << power) + near - 1),
    ]
}

impl ReferenceStateMachine for Model {
    type State = Model;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Model> {
        Just(Model::default()).boxed()
    }

    fn transitions(_: &Model) -> BoxedStrategy<Step> {
        prop_oneof![
            20 => size().prop_map(Step::Allocate),
            3 => (size(), 0..20u32, 0..600usize)
                .prop_map(|(size, power, offset)| Step::AllocateAligned(size, power, offset)),
            2 => (size(), 3..16u32).prop_map(|(size, power)| Step::AllocateAtMultiple(size, power)),
            18 => any::<Index>().prop_map(Step::Free),
            8 => (any::<Index>(), size()).prop_map(|(index, size)| Step::Resize(index, size)),
            2 => Just(Step::Minimise),
            1 => Just(Step::Walk),
            1 => any::<u8>().prop_map(Step::FillFree),
        ]
        .boxed()
    }

    fn preconditions(model: &Model, step: &Step) -> bool {
        match step {
            Step::Free(_) => !model.blocks.is_empty(),
            Step::Resize(_, size) => !model.blocks.is_empty() && model.bytes() + size <= MOST_BYTES,
            Step::Allocate(size)
            | Step::AllocateAligned(size, ..)
            | Step::AllocateAtMultiple(size, _) => {
                model.blocks.len() < MOST_BLOCKS && model.bytes() + size <= MOST_BYTES
            }
            _ => true,
        }
    }

    fn apply(mut model: Model, step: &Step) -> Model {
        match step {
            Step::Allocate(size)
            | Step::AllocateAligned(size, ..)
            | Step::AllocateAtMultiple(size, _) => {
                model.born += 1;
                model.blocks.push(Block {
                    size: *size,
                    byte: model.born as u8,
                    is_aligned: matches!(step, Step::AllocateAligned(..)),
                });
            }
            Step::Free(index) => {
                let at = index.index(model.blocks.len());
                model.blocks.remove(at);
            }
            Step::Resize(index, size) => {
                let at = index.index(model.blocks.len());
                model.blocks[at].size = *size;
            }
            _ => {}
        }
        model
    }
}

/// The heap, and the addresses of the model's blocks.
struct Real {
    heap: Heap,
    addresses: Vec<*mut u8>,
    /// The model before this operation.
    before: Model,
}

impl Real {
    fn bytes(&self, at: usize, size: usize) -> &[u8] {
        // SAFETY: a live block of at least `size` bytes.
        unsafe { std::slice::from_raw_parts(self.addresses[at], size) }
    }

    fn fill(&self, at: usize, block: &Block) {
        // SAFETY: as above, and nothing else uses the block.
        unsafe { self.addresses[at].write_bytes(block.byte, block.size) };
    }

    fn place(&mut self, address: *mut u8, block: &Block) {
        let overlaps = self
            .addresses
            .iter()
            .zip(&self.before.blocks)
            .any(|(&other, known)| {
                let (a, b) = (address as usize, other as usize);
                a < b + known.size.max(1) && b < a + block.size.max(1)
            });
        assert!(!overlaps, "{address:?} lies in another block");
        self.addresses.push(address);
        self.fill(self.addresses.len() - 1, block);
    }

    fn free(&mut self, at: usize) {
        let block = &self.before.blocks[at];
        assert!(is_all(self.bytes(at, block.size), block.byte), "block {at}");
        let address = self.addresses.remove(at);
        assert!(if self.before.blocks[at].is_aligned {
            self.heap.free_any(address, true)
        } else {
            self.heap.free(address)
        });
    }

    /// Asserts that each live block lies in its own entry in use.
    fn walk(&self, model: &Model) {
        let mut used = BTreeMap::new();
        let mut at = std::ptr::null();
        while let Next::Entry(entry) = self.heap.entry_after(at) {
            assert!(entry.address.cast_const() > at, "entries come in order");
            at = entry.address;
            if entry.use_flag == USED {
                used.insert(entry.address as usize, entry.size);
            }
        }
        assert_eq!(used.len(), model.blocks.len());
        for (&address, block) in self.addresses.iter().zip(&model.blocks) {
            let address = address as usize;
            let (&start, &size) = used.range(..=address).next_back().expect("an entry for it");
            assert!(start + size >= address + block.size.max(1));
            assert!(block.is_aligned || start == address);
        }
    }
}

impl StateMachineTest for Real {
    type SystemUnderTest = Real;
    type Reference = Model;

    fn init_test(_: &Model) -> Real {
        Real {
            heap: Heap::new(),
            addresses: Vec::new(),
            before: Model::default(),
        }
    }

    fn apply(mut real: Real, model: &Model, step: Step) -> Real {
        let newest = model.blocks.last();
        match step {
            Step::Allocate(size) => {
                let address = real.heap.allocate(size).expect("memory").address;
                assert_eq!(address as usize % 16, 0);
                real.place(address, newest.expect("a new block"));
            }
            Step::AllocateAligned(size, power, offset) => {
                let asked = Alignment::new(1 << power, offset).expect("a power of two");
                let address = real
                    .heap
                    .allocate_aligned(size, asked)
                    .expect("memory")
                    .address;
                assert_eq!((address as usize + offset) % (1 << power), 0);
                real.place(address, newest.expect("a new block"));
            }
            Step::AllocateAtMultiple(size, power) => {
                let address = real.heap.allocate_at_multiple(size, 1 << power);
                let address = address.expect("memory").address;
                assert_eq!(address as usize % (1 << power), 0);
                real.place(address, newest.expect("a new block"));
            }
            Step::Free(index) => real.free(index.index(real.addresses.len())),
            Step::Resize(index, size) => {
                let at = index.index(real.addresses.len());
                let old = real.before.blocks[at].clone();
                // In place if possible. Otherwise the test moves the block itself.
                if !real.heap.resize_in_place(real.addresses[at], size) {
                    let new = real.heap.allocate(size).expect("memory").address;
                    let kept = old.size.min(size);
                    // SAFETY: two live blocks of at least `kept` bytes.
                    unsafe { std::ptr::copy_nonoverlapping(real.addresses[at], new, kept) };
                    let freed = std::mem::replace(&mut real.addresses[at], new);
                    assert!(if old.is_aligned {
                        real.heap.free_any(freed, true)
                    } else {
                        real.heap.free(freed)
                    });
                }
                let kept = old.size.min(size);
                assert!(is_all(real.bytes(at, kept), old.byte));
                real.fill(at, &model.blocks[at]);
            }
            Step::Minimise => assert!(real.heap.minimise()),
            Step::Walk => real.walk(model),
            Step::FillFree(byte) => assert!(real.heap.fill_free(byte)),
        }
        real.before = model.clone();
        real
    }

    fn check_invariants(real: &Real, model: &Model) {
        // To compare all bytes of all blocks would take nearly all of the time.
        // That happens when a block is freed or resized, and at the end.
        let nth = model.born % model.blocks.len().max(1);
        for (at, block) in model.blocks.iter().enumerate().skip(nth).take(8) {
            let bytes = real.bytes(at, block.size);
            let (first, last) = bytes.split_at(bytes.len() / 2);
            let first = &first[..first.len().min(EDGE)];
            let last = &last[last.len().saturating_sub(EDGE)..];
            assert!(
                is_all(first, block.byte) && is_all(last, block.byte),
                "block {at}"
            );
        }
    }

    fn teardown(real: Real) {
        let model = real.before.clone();
        for (at, block) in model.blocks.iter().enumerate() {
            let bytes = real.bytes(at, block.size);
            assert!(is_all(bytes, block.byte), "block {at}");
        }
        real.walk(&model);
        assert_ne!(real.heap.check(), Condition::BadNode);
    }
}

fn sequences() -> u32 {
    let steps = std::env::var("HEAPMIN_MODEL_STEPS").ok();
    let steps = steps.and_then(|steps| steps.parse().ok()).unwrap_or(40_000);
    (steps / LENGTH).max(1) as u32
}

prop_state_machine! {
    #![proptest_config(Config {
        cases: sequences(),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    })]
    #[test]
    fn the_heap_agrees_with_the_model(sequential LENGTH => Real);
}
