//! The blocks of a script, and the operations on them.

use super::bytes;
use super::churn::churn;
use crate::probe::crt::{Block, Crt, HeapInfo, Returned};
use crate::probe::{ErrorState, Stop};
use crate::wire::observation::{Answer, Call, Walk};
use crate::wire::script::{Operation, Slot};

const HEAP_OK: i32 = -2;
const USED_ENTRY: i32 = 1;
/// More entries than a script can leave in a heap. A walk that finds as many has no end.
const MOST_ENTRIES: u64 = 4_000_000;

/// In bytes. Scripts request larger blocks only to see the library refuse them.
const LARGEST: usize = 1 << 30;

/// A live block.
struct Held {
    block: Block,
    family: Family,
    /// The seed of the pattern in it.
    seed: u64,
    /// The bytes that belong to the block and hold the pattern: the requested size or,
    /// after a call of `_msize`, the size that the library returned.
    extent: usize,
    /// The end of the bytes that the caller wrote and did not give up with a `realloc`.
    /// `_recalloc` need not clear bytes before it.
    written: usize,
    /// The index of the operation after which the block has this place and extent.
    since: u64,
}

/// The routines that may take a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `realloc`, `free` and the like.
    Plain,
    /// The aligned routines, with this alignment and offset.
    Aligned(usize, usize),
}

/// The blocks of a script. They are on the stack, since the candidate may be the heap that
/// the probe itself uses.
#[derive(Default)]
pub(super) struct Blocks {
    held: [Option<Held>; Slot::COUNT],
    /// The address and extent of each block that no thread uses in this phase.
    idle: [Option<(usize, usize)>; Slot::COUNT],
    /// The index of the current operation.
    index: u64,
}

impl Blocks {
    /// Performs one operation.
    pub(super) fn perform(
        &mut self,
        crt: &Crt,
        index: u64,
        operation: Operation,
    ) -> Result<Answer, Stop> {
        self.index = index;
        let answer = self.answer(crt, operation)?;
        Ok(Answer { index, ..answer })
    }

    /// Takes out the blocks in these slots, for a thread.
    pub(super) fn split_off(&mut self, is_its: impl Fn(Slot) -> bool) -> Blocks {
        let mut its = Blocks::default();
        for slot in (0..Slot::COUNT).map(Slot::new).filter(|slot| is_its(*slot)) {
            its.held[slot.index()] = self.held[slot.index()].take();
        }
        its
    }

    /// Notes the places of idle blocks, so that a new block on one of them is noticed.
    pub(super) fn see(&mut self, idle: &Blocks) {
        self.idle = std::array::from_fn(|slot| idle.held[slot].as_ref().map(Held::place));
    }

    /// Takes back the blocks of a thread.
    pub(super) fn take_back(&mut self, its: Blocks) {
        for (place, held) in self.held.iter_mut().zip(its.held) {
            if held.is_some() {
                *place = held;
            }
        }
    }

    /// The indices of operations, from `first` on, after which a block overlaps another.
    pub(super) fn overlapping_since(&self, first: u64) -> impl Iterator<Item = u64> {
        let live = || {
            (0..)
                .zip(&self.held)
                .filter_map(|(slot, held)| Some((slot, held.as_ref()?)))
        };
        let later = live().filter(move |(_, held)| held.since >= first);
        let overlapping = later.filter(move |(slot, held)| {
            live().any(|(other_slot, other)| {
                other_slot != *slot
                    && other.since <= held.since
                    && intersect(held.place(), other.place())
            })
        });
        overlapping.map(|(_, held)| held.since)
    }

    fn answer(&mut self, crt: &Crt, operation: Operation) -> Result<Answer, Stop> {
        match operation {
            Operation::Malloc { slot, size } => {
                self.allocate(crt, slot, operation, Family::Plain, |crt| crt.malloc(size))
            }
            Operation::Calloc { slot, number, size } => {
                let mut answer = self.allocate(crt, slot, operation, Family::Plain, |crt| {
                    crt.calloc(number, size)
                })?;
                if answer.is_block() {
                    answer.not_zero = self.not_zero(slot, 0);
                    self.write(slot);
                }
                Ok(answer)
            }
            Operation::AlignedMalloc {
                slot,
                size,
                alignment,
            } => self.allocate(crt, slot, operation, Family::Aligned(alignment, 0), |crt| {
                crt.aligned_malloc(size, alignment)
            }),
            Operation::AlignedOffsetMalloc {
                slot,
                size,
                alignment,
                offset,
            } => self.allocate(
                crt,
                slot,
                operation,
                Family::Aligned(alignment, offset),
                |crt| crt.aligned_offset_malloc(size, alignment, offset),
            ),
            Operation::Realloc { block, size, .. } => {
                self.resize(crt, block, operation, size, Family::Plain, |crt, block| {
                    crt.realloc(block, size)
                })
            }
            Operation::Recalloc {
                block,
                number,
                size,
                ..
            } => {
                let total = number.saturating_mul(size);
                let family = Family::Plain;
                self.resize_with_zeros(crt, block, operation, total, family, |crt, block| {
                    crt.recalloc(block, number, size)
                })
            }
            Operation::AlignedRecalloc {
                block,
                number,
                size,
                alignment,
                ..
            } => {
                let total = number.saturating_mul(size);
                let family = Family::Aligned(alignment, 0);
                self.resize_with_zeros(crt, block, operation, total, family, |crt, block| {
                    crt.aligned_recalloc(block, number, size, alignment)
                })
            }
            Operation::AlignedOffsetRecalloc {
                block,
                number,
                size,
                alignment,
                offset,
                ..
            } => {
                let total = number.saturating_mul(size);
                let family = Family::Aligned(alignment, offset);
                self.resize_with_zeros(crt, block, operation, total, family, |crt, block| {
                    crt.aligned_offset_recalloc(block, number, size, alignment, offset)
                })
            }
            Operation::AlignedRealloc {
                block,
                size,
                alignment,
                ..
            } => self.resize(
                crt,
                block,
                operation,
                size,
                Family::Aligned(alignment, 0),
                |crt, block| crt.aligned_realloc(block, size, alignment),
            ),
            Operation::AlignedOffsetRealloc {
                block,
                size,
                alignment,
                offset,
                ..
            } => self.resize(
                crt,
                block,
                operation,
                size,
                Family::Aligned(alignment, offset),
                |crt, block| crt.aligned_offset_realloc(block, size, alignment, offset),
            ),
            Operation::Free { slot } => self.free(
                crt,
                slot,
                operation,
                |held| held.family == Family::Plain,
                Crt::free,
            ),
            Operation::AlignedFree { slot } => self.free(
                crt,
                slot,
                operation,
                |held| held.family != Family::Plain,
                Crt::aligned_free,
            ),
            Operation::Msize { slot } => {
                self.size(crt, slot, operation, Family::Plain, |crt, block| {
                    crt.msize(block)
                })
            }
            Operation::AlignedMsize {
                slot,
                alignment,
                offset,
            } => self.size(
                crt,
                slot,
                operation,
                Family::Aligned(alignment, offset),
                |crt, block| crt.aligned_msize(block, alignment, offset),
            ),
            Operation::Expand { slot, size } => self.expand(crt, slot, operation, size),
            Operation::Heapmin {} => on_heap(crt, operation, Crt::heapmin),
            Operation::Heapchk {} => on_heap(crt, operation, Crt::heapchk),
            Operation::Heapset { fill } => {
                on_heap(crt, operation, |crt| crt.heapset(fill as u32 & 0xFF))
            }
            Operation::Heapwalk {} => self.walk(crt, operation),
            Operation::Check {} => Ok(Answer {
                lost: self.held.iter().flatten().map(Held::lost).sum(),
                ..Answer::default()
            }),
            Operation::Churn { count, size } => churn(crt, count, size, self.seed()),
            // The threads of the script do this.
            Operation::End {} => Ok(Answer::default()),
        }
    }

    /// Calls a routine that returns a new block.
    fn allocate(
        &mut self,
        crt: &Crt,
        slot: Slot,
        operation: Operation,
        family: Family,
        call: impl FnOnce(&Crt) -> Result<Option<Block>, Stop>,
    ) -> Result<Answer, Stop> {
        if self.held[slot.index()].is_some() {
            return Ok(Answer::default());
        }
        let (returned, call) = observe(crt, operation, call)?;
        let mut answer = Answer::of(call);
        // No library can have the memory of a larger block, so it is not written.
        if let Some(block) = returned.filter(|block| block.size() <= LARGEST) {
            answer.misaligned = family.is_misaligned(&block);
            answer.overlaps = self.overlaps(&block, block.size());
            self.put(slot, block, family);
            if !matches!(operation, Operation::Calloc { .. }) {
                self.write(slot);
            }
        }
        Ok(answer)
    }

    /// Calls a routine that resizes a block, or frees it for size 0.
    fn resize(
        &mut self,
        crt: &Crt,
        slot: Slot,
        operation: Operation,
        size: usize,
        family: Family,
        call: impl FnOnce(&Crt, Block) -> Result<Result<Block, Block>, Stop>,
    ) -> Result<Answer, Stop> {
        let answer = self.resize_only(crt, slot, operation, size, family, call)?;
        if answer.is_block() {
            self.write(slot);
        }
        Ok(answer)
    }

    /// Calls a routine that resizes a block and clears its new bytes.
    fn resize_with_zeros(
        &mut self,
        crt: &Crt,
        slot: Slot,
        operation: Operation,
        size: usize,
        family: Family,
        call: impl FnOnce(&Crt, Block) -> Result<Result<Block, Block>, Stop>,
    ) -> Result<Answer, Stop> {
        let written = self.held[slot.index()].as_ref();
        let written = written.map_or(0, |held| held.written);
        let mut answer = self.resize_only(crt, slot, operation, size, family, call)?;
        if answer.is_block() {
            answer.not_zero = self.not_zero(slot, written);
            self.write(slot);
        }
        Ok(answer)
    }

    /// Calls a routine that resizes a block. The new bytes are not yet written.
    fn resize_only(
        &mut self,
        crt: &Crt,
        slot: Slot,
        operation: Operation,
        size: usize,
        family: Family,
        call: impl FnOnce(&Crt, Block) -> Result<Result<Block, Block>, Stop>,
    ) -> Result<Answer, Stop> {
        let Some(held) = self.take_out(slot, |held| held.family == family) else {
            return Ok(Answer::default());
        };
        let old = held.block.size();
        let lost_before = held.lost();
        let (returned, call) = observe(crt, operation, |crt| call(crt, held.block))?;
        let mut answer = Answer::of(call);
        answer.lost = lost_before;
        match returned {
            Ok(block) if block.size() > LARGEST => {}
            Ok(block) => {
                answer.lost += bytes::lost(&block, held.extent, held.seed, old.min(size));
                answer.misaligned = family.is_misaligned(&block);
                answer.overlaps = self.overlaps(&block, block.size());
                self.put(slot, block, family);
            }
            // The library freed the block, as it should.
            Err(_) if size == 0 => {}
            Err(block) => {
                let held = Held { block, ..held };
                answer.lost += held.lost();
                self.held[slot.index()] = Some(held);
            }
        }
        Ok(answer)
    }

    /// Calls a routine that frees a block.
    fn free(
        &mut self,
        crt: &Crt,
        slot: Slot,
        operation: Operation,
        is_legal: impl Fn(&Held) -> bool,
        free: impl FnOnce(&Crt, Block) -> Result<(), Stop>,
    ) -> Result<Answer, Stop> {
        let Some(held) = self.take_out(slot, is_legal) else {
            return Ok(Answer::default());
        };
        let lost = held.lost();
        let ((), call) = observe(crt, operation, |crt| free(crt, held.block))?;
        Ok(Answer {
            lost,
            ..Answer::of(call)
        })
    }

    /// Calls a routine that returns the size of a block.
    fn size(
        &mut self,
        crt: &Crt,
        slot: Slot,
        operation: Operation,
        family: Family,
        size_of: impl FnOnce(&Crt, &Block) -> Result<usize, Stop>,
    ) -> Result<Answer, Stop> {
        let Some(mut held) = self.take_out(slot, |held| held.family == family) else {
            return Ok(Answer::default());
        };
        let (size, call) = observe(crt, operation, |crt| size_of(crt, &held.block))?;
        let mut answer = Answer::of(call);
        answer.too_small = size < held.block.size();
        answer.lost = held.lost();
        // Limited, since an absurdly large answer is no extent.
        let extent = size.clamp(held.block.size(), held.block.size() + (64 << 20));
        held.since = self.index;
        answer.overlaps = self.overlaps(&held.block, extent);
        if !answer.overlaps {
            held.extent = held.extent.max(extent);
        }
        self.held[slot.index()] = Some(held);
        // The caller may use every byte that the library counts.
        self.write(slot);
        Ok(answer)
    }

    /// Calls `_expand`.
    fn expand(
        &mut self,
        crt: &Crt,
        slot: Slot,
        operation: Operation,
        size: usize,
    ) -> Result<Answer, Stop> {
        let Some(mut held) = self.take_out(slot, |held| held.family == Family::Plain) else {
            return Ok(Answer::default());
        };
        let (returned, call) = observe(crt, operation, |crt| crt.expand(&held.block, size))?;
        let mut answer = Answer::of(call);
        let kept = match &returned {
            Some(_) => held.block.size().min(size),
            None => held.extent,
        };
        answer.lost = bytes::lost(&held.block, held.extent, held.seed, kept);
        if let Some(block) = returned {
            answer.moved = block.address() != held.block.address();
            answer.overlaps = self.overlaps(&block, size);
            held.extent = size;
            held.since = self.index;
            held.block = block;
        }
        self.held[slot.index()] = Some(held);
        if answer.is_block() && !answer.moved {
            self.write(slot);
        }
        Ok(answer)
    }

    /// Walks the whole heap and searches it for the blocks of `malloc`.
    fn walk(&self, crt: &Crt, operation: Operation) -> Result<Answer, Stop> {
        let mut found = [0u32; Slot::COUNT];
        let mut walk = Walk::default();
        let mut info = HeapInfo::START;
        let (_, call) = observe(crt, operation, |crt| {
            loop {
                let status = crt.heapwalk(&mut info)?;
                if status != HEAP_OK || walk.entries == MOST_ENTRIES {
                    return Ok(status);
                }
                walk.entries += 1;
                if info.use_flag != USED_ENTRY {
                    continue;
                }
                for (index, held) in self.held.iter().enumerate() {
                    if let Some(held) = held
                        && held.block.address() == info.entry as usize
                    {
                        found[index] += 1;
                        walk.too_small += u32::from(info.size < held.block.size());
                    }
                }
            }
        })?;
        for (held, found) in self.held.iter().zip(found) {
            // An aligned block may begin anywhere in its entry.
            if held
                .as_ref()
                .is_some_and(|held| held.family == Family::Plain)
            {
                walk.missing += u32::from(found == 0);
                walk.twice += u32::from(found > 1);
            }
        }
        Ok(Answer {
            walk: Some(walk),
            ..Answer::of(call)
        })
    }

    /// Takes a block out of its slot, if the next call is legal for it. In a shortened
    /// script, the slot may hold another block or none.
    fn take_out(&mut self, slot: Slot, is_legal: impl Fn(&Held) -> bool) -> Option<Held> {
        self.held[slot.index()].take_if(|held| is_legal(held))
    }

    fn put(&mut self, slot: Slot, block: Block, family: Family) {
        self.held[slot.index()] = Some(Held {
            extent: block.size(),
            written: 0,
            block,
            family,
            seed: self.seed(),
            since: self.index,
        });
    }

    /// The seed of the pattern that this operation writes; no other operation has it.
    fn seed(&self) -> u64 {
        self.index + 1
    }

    /// Fills a block with a new pattern.
    fn write(&mut self, slot: Slot) {
        let seed = self.seed();
        if let Some(held) = &mut self.held[slot.index()] {
            held.seed = seed;
            // `_expand` need not give back the bytes that it cuts off.
            held.written = held.written.max(held.extent);
            bytes::write(&held.block, held.extent, seed);
        }
    }

    /// The number of bytes from `from` on that are not zero.
    fn not_zero(&self, slot: Slot, from: usize) -> u64 {
        let held = self.held[slot.index()].as_ref();
        held.map_or(0, |held| bytes::not_zero(&held.block, from))
    }

    /// Whether this block, with this extent, overlaps another live block.
    fn overlaps(&self, block: &Block, extent: usize) -> bool {
        let held = self.held.iter().flatten().map(Held::place);
        let mut others = held.chain(self.idle.iter().copied().flatten());
        others.any(|other| intersect((block.address(), extent), other))
    }
}

impl Held {
    /// Its address and extent.
    fn place(&self) -> (usize, usize) {
        (self.block.address(), self.extent)
    }

    /// The number of bytes in it that have changed.
    fn lost(&self) -> u64 {
        bytes::lost(&self.block, self.extent, self.seed, self.extent)
    }
}

/// Whether two ranges of bytes, each an address and a length, have a byte in common.
fn intersect((a, a_length): (usize, usize), (b, b_length): (usize, usize)) -> bool {
    a.max(b) < (a + a_length).min(b + b_length)
}

fn observe<T: Returned>(
    crt: &Crt,
    operation: Operation,
    call: impl FnOnce(&Crt) -> Result<T, Stop>,
) -> Result<(T, Call), Stop> {
    crt.observe(operation.routine(), "", ErrorState::MARKED, call)
}

/// Calls a routine on the whole heap.
fn on_heap(
    crt: &Crt,
    operation: Operation,
    call: impl FnOnce(&Crt) -> Result<i32, Stop>,
) -> Result<Answer, Stop> {
    observe(crt, operation, call).map(|(_, call)| Answer::of(call))
}

impl Family {
    pub(super) fn is_misaligned(self, block: &Block) -> bool {
        let fundamental = if usize::BITS == 64 { 16 } else { 8 };
        match self {
            Family::Plain => block.address() % fundamental != 0,
            Family::Aligned(alignment, offset) => {
                block.address().wrapping_add(offset) % alignment != 0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks at these addresses, with these extents, since these operations; in the slots
    /// from this one on.
    fn blocks(first: usize, places: &[(usize, usize, u64)]) -> Blocks {
        let mut blocks = Blocks::default();
        for (index, &(address, extent, since)) in places.iter().enumerate() {
            blocks.held[first + index] = Some(Held {
                block: Block::at(address, extent),
                family: Family::Plain,
                seed: 0,
                extent,
                written: extent,
                since,
            });
        }
        blocks
    }

    #[test]
    fn of_two_blocks_that_overlap_after_a_phase_the_later_is_wrong() {
        let mut all = blocks(0, &[(0x1000, 16, 3)]);
        all.take_back(blocks(1, &[(0x2000, 64, 11)]));
        all.take_back(blocks(
            2,
            &[(0x2000, 64, 12), (0x203F, 10, 10), (0x1010, 16, 13)],
        ));
        assert_eq!(all.overlapping_since(10).collect::<Vec<_>>(), [11, 12]);
        assert_eq!(all.overlapping_since(12).collect::<Vec<_>>(), [12]);
    }

    #[test]
    fn a_thread_notices_a_new_block_on_an_idle_one() {
        let mut idle = blocks(0, &[(0x1000, 16, 3), (0x2000, 16, 4)]);
        let mut its = idle.split_off(|slot| slot == Slot::new(1));
        its.see(&idle);
        let overlaps = |address| its.overlaps(&Block::at(address, 8), 8);
        assert!(overlaps(0x100F) && overlaps(0x2000));
        assert!(!overlaps(0x1010) && !overlaps(0xFF8));
    }
}
