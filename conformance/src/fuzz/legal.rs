//! The state that a sequence has reached, and the steps that are legal in it.

use super::draft::{Action, Draft, LARGEST, Relation};
use heapmin_harness::wire::script::{Operation, Slot};
use heapmin_harness::wire::step::{Owners, Step};

/// The most live bytes in a sequence, alignments over a page included.
const MOST_BYTES: usize = 160 << 20;
/// Sizes that a heap must refuse: Microsoft's `_HEAP_MAXREQ` and more.
const TOO_LARGE: [usize; 3] = [
    usize::MAX,
    usize::MAX - 31,
    // A 32-bit program may have 2 GiB in one piece.
    if usize::BITS == 64 {
        usize::MAX / 2
    } else {
        0xC000_0000
    },
];
/// A number of elements, and a size of each that is larger than 8, have a product that a
/// heap must refuse.
const TOO_MANY: usize = usize::MAX / 8;

/// The block in a slot.
#[derive(Clone, Copy, Debug)]
struct Content {
    size: usize,
    /// The size before the last change; at first, the same.
    before: usize,
    /// The alignment and offset of an aligned block.
    aligned: Option<(usize, usize)>,
}

impl Content {
    /// The bytes that it counts for in the sum of live bytes.
    fn cost(self) -> usize {
        let alignment = self.aligned.map_or(0, |(alignment, _)| alignment);
        self.size + if alignment > 4096 { alignment } else { 0 }
    }
}

/// The blocks in the slots, if every call does as it should.
pub(super) struct State {
    slots: [Option<Content>; Slot::COUNT],
    bytes: usize,
    /// The number of threads; 0 in a sequence without threads.
    threads: u8,
    owners: Owners,
    /// The number of steps in the current phase.
    in_phase: usize,
}

impl State {
    pub(super) fn new(threads: u8) -> State {
        State {
            slots: Default::default(),
            bytes: 0,
            threads,
            owners: Owners::default(),
            in_phase: 0,
        }
    }

    /// The steps that this draft becomes, if it is legal here.
    pub(super) fn legal(&mut self, draft: &Draft, have: impl Fn(&str) -> bool) -> Vec<Step> {
        let operations = match draft.action {
            Action::FreeMany => self.free_many(draft),
            _ => self.operation(draft).into_iter().collect(),
        };
        let mut steps = Vec::new();
        for operation in operations {
            let name = operation.routine();
            let is_there = match operation {
                Operation::Check {} | Operation::End {} => true,
                _ => have(name),
            };
            if is_there && self.follow(operation) {
                steps.extend(self.steps(draft, operation));
            }
        }
        steps
    }

    /// The step with this operation, after the one that ends the current phase if there
    /// is one.
    fn steps(&mut self, draft: &Draft, operation: Operation) -> Vec<Step> {
        let mut steps = Vec::new();
        let is_alone = self.threads == 0 || !Step::is_for_threads(operation);
        let longest = 8 + draft.offset % 32;
        if !is_alone && self.in_phase >= longest {
            steps.push(Step::alone(Operation::Check {}));
            self.in_phase = 0;
        }
        if is_alone {
            self.in_phase = 0;
        }
        if self.in_phase == 0 {
            self.owners = Owners::default();
        }
        if is_alone {
            steps.push(Step::alone(operation));
            return steps;
        }
        self.in_phase += 1;
        let slot = operation.slot();
        let any = usize::from(draft.thread) + slot.map_or(0, Slot::index);
        let any = (any % usize::from(self.threads)) as u8 + 1;
        steps.push(Step {
            thread: Some(slot.map_or(any, |slot| self.owners.or_first(slot, any))),
            operation,
        });
        steps
    }

    fn operation(&self, draft: &Draft) -> Option<Operation> {
        let slot = Slot::new(draft.slot);
        let operation = match self.slots[slot.index()] {
            None => on_empty(draft, slot),
            Some(content) => match content.aligned {
                None => on_plain(draft, slot, content),
                Some((alignment, offset)) => on_aligned(draft, slot, content, alignment, offset),
            },
        };
        operation.or_else(|| anywhere(draft, self.threads > 0))
    }

    /// Frees all blocks, or every second: from the first, from the last, or from the middle.
    fn free_many(&self, draft: &Draft) -> Vec<Operation> {
        let mut slots: Vec<Slot> = (0..Slot::COUNT).map(Slot::new).collect();
        match draft.number % 3 {
            0 => slots.reverse(),
            1 => slots.rotate_left(draft.slot),
            _ => {}
        }
        let live = slots.into_iter().filter_map(|slot| {
            let content = self.slots[slot.index()]?;
            Some(match content.aligned {
                None => Operation::Free { slot },
                Some(_) => Operation::AlignedFree { slot },
            })
        });
        live.step_by(1 + draft.size % 2).collect()
    }

    /// Updates the slots; returns false, and changes nothing, if the sequence would hold
    /// too many bytes.
    fn follow(&mut self, operation: Operation) -> bool {
        let Some(slot) = operation.slot() else {
            return true;
        };
        let old = self.slots[slot.index()];
        let plain = |size| Some((size, None));
        let aligned = |size, alignment, offset| Some((size, Some((alignment, offset))));
        let new = match operation {
            Operation::Malloc { size, .. } => plain(size),
            Operation::Calloc { number, size, .. } => plain(number.saturating_mul(size)),
            Operation::Realloc { size, .. } => plain(size).filter(|_| size > 0),
            Operation::Recalloc { number, size, .. } => {
                plain(number.saturating_mul(size)).filter(|_| number > 0 && size > 0)
            }
            Operation::AlignedMalloc {
                size, alignment, ..
            }
            | Operation::AlignedRealloc {
                size, alignment, ..
            } => aligned(size, alignment, 0).filter(|_| size > 0),
            Operation::AlignedOffsetMalloc {
                size,
                alignment,
                offset,
                ..
            }
            | Operation::AlignedOffsetRealloc {
                size,
                alignment,
                offset,
                ..
            } => aligned(size, alignment, offset),
            Operation::AlignedRecalloc {
                number,
                size,
                alignment,
                ..
            } => aligned(number.saturating_mul(size), alignment, 0)
                .filter(|_| number > 0 && size > 0),
            Operation::AlignedOffsetRecalloc {
                number,
                size,
                alignment,
                offset,
                ..
            } => aligned(number.saturating_mul(size), alignment, offset),
            Operation::Free { .. } | Operation::AlignedFree { .. } => None,
            // Whether `_expand` grows a block depends on the library.
            _ => return true,
        };
        // The call fails and changes nothing.
        if new.is_some_and(|(size, _)| size > usize::MAX / 16) {
            return true;
        }
        let new = new.map(|(size, aligned)| Content {
            size,
            before: old.map_or(size, |old| old.size),
            aligned,
        });
        let bytes = self.bytes - old.map_or(0, Content::cost) + new.map_or(0, Content::cost);
        if bytes > MOST_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.slots[slot.index()] = new;
        true
    }
}

fn on_empty(draft: &Draft, slot: Slot) -> Option<Operation> {
    let size = draft.size;
    let alignment = 1 << draft.alignment;
    let aligned_size = || match draft.relation {
        Relation::NearAlignment => near_multiple(draft, alignment),
        _ => size.max(1),
    };
    Some(match draft.action {
        Action::Malloc => Operation::Malloc { slot, size },
        Action::Calloc => Operation::Calloc {
            slot,
            number: draft.number,
            size: size / draft.number,
        },
        Action::MallocTooLarge if draft.number % 2 == 0 => Operation::AlignedMalloc {
            slot,
            size: too_large(draft),
            alignment,
        },
        Action::MallocTooLarge => Operation::Malloc {
            slot,
            size: too_large(draft),
        },
        Action::CallocTooLarge => Operation::Calloc {
            slot,
            number: TOO_MANY,
            size: 9 + size % 100,
        },
        // Size 0 is an invalid parameter of the aligned routines.
        Action::AlignedMalloc => Operation::AlignedMalloc {
            slot,
            size: aligned_size(),
            alignment,
        },
        Action::AlignedOffsetMalloc => Operation::AlignedOffsetMalloc {
            slot,
            size: aligned_size(),
            alignment,
            offset: draft.offset % aligned_size(),
        },
        _ => return None,
    })
}

fn on_plain(draft: &Draft, slot: Slot, content: Content) -> Option<Operation> {
    let (block, size) = (slot, new_size(draft, content));
    let (number, part) = elements(draft, size);
    Some(match draft.action {
        Action::Realloc => Operation::Realloc { slot, block, size },
        Action::Recalloc => Operation::Recalloc {
            slot,
            block,
            number,
            size: part,
        },
        Action::ReallocTooLarge if draft.number % 2 == 0 => Operation::Recalloc {
            slot,
            block,
            number: TOO_MANY,
            size: 9 + size % 100,
        },
        Action::ReallocTooLarge => Operation::Realloc {
            slot,
            block,
            size: too_large(draft),
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

fn on_aligned(
    draft: &Draft,
    slot: Slot,
    content: Content,
    alignment: usize,
    offset: usize,
) -> Option<Operation> {
    let (block, size) = (slot, new_size(draft, content));
    let (number, part) = elements(draft, size);
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
        Action::AlignedRecalloc if offset == 0 => Operation::AlignedRecalloc {
            slot,
            block,
            number,
            size: part,
            alignment,
        },
        Action::AlignedRecalloc if number * part > offset => Operation::AlignedOffsetRecalloc {
            slot,
            block,
            number,
            size: part,
            alignment,
            offset,
        },
        Action::ReallocTooLarge if draft.number % 2 == 0 => Operation::AlignedOffsetRecalloc {
            slot,
            block,
            number: TOO_MANY,
            size: 9 + size % 100,
            alignment,
            offset,
        },
        Action::ReallocTooLarge => Operation::AlignedOffsetRealloc {
            slot,
            block,
            size: too_large(draft),
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

fn too_large(draft: &Draft) -> usize {
    TOO_LARGE[draft.size % TOO_LARGE.len()]
}

/// The operation of a draft that needs no slot.
fn anywhere(draft: &Draft, has_threads: bool) -> Option<Operation> {
    Some(match draft.action {
        Action::Heapmin => Operation::Heapmin {},
        Action::Heapchk => Operation::Heapchk {},
        Action::Heapwalk => Operation::Heapwalk {},
        Action::Heapset => Operation::Heapset {
            fill: draft.size % 256,
        },
        Action::Check => Operation::Check {},
        Action::Churn if has_threads => Operation::Churn {
            count: draft.number * 50,
            size: 1 + draft.size % 1000,
        },
        Action::End if has_threads => Operation::End {},
        _ => return None,
    })
}

/// The size to which a block is resized.
fn new_size(draft: &Draft, content: Content) -> usize {
    let old = content.size;
    let size = match draft.relation {
        Relation::Unrelated => draft.size,
        Relation::AsBefore => content.before,
        Relation::Half => old / 2,
        Relation::More => old + 1 + draft.offset,
        Relation::Fewer => old.saturating_sub(1 + draft.offset),
        Relation::NearAlignment => content
            .aligned
            .map_or(draft.size, |(alignment, _)| near_multiple(draft, alignment)),
    };
    size.min(LARGEST + 1)
}

/// A size near a multiple of the alignment, at least 1.
fn near_multiple(draft: &Draft, alignment: usize) -> usize {
    let times = if alignment < LARGEST / 4 {
        1 + draft.number % 4
    } else {
        1
    };
    (alignment * times + draft.offset % 3)
        .saturating_sub(1)
        .max(1)
}

/// A number of elements and their size, for a block of this size. The product is not
/// larger.
fn elements(draft: &Draft, size: usize) -> (usize, usize) {
    match draft.relation {
        Relation::Unrelated => (draft.number, size / draft.number),
        _ => (1, size),
    }
}
