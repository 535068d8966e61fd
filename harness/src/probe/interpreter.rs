//! Runs a script, a sequence of calls as data. After each call it reports the result and
//! judges nothing.

use super::crt::{Block, Crt, HeapInfo};
use super::{ErrorState, Probe, Stop};
use crate::wire::observation::{Answer, Call, Event, Walk};
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
    /// The seed of the pattern in it.
    seed: u64,
    /// The bytes that belong to the block: the requested size or, after a call of `_msize`,
    /// the size that the library returned.
    extent: usize,
    family: Family,
}

/// The routines that may take a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// `realloc`, `free` and the like.
    Plain,
    /// The aligned routines, with this alignment and offset.
    Aligned(usize, usize),
}

/// The blocks of a script. They are on the stack, since the candidate may be the heap that
/// the probe itself uses.
#[derive(Default)]
struct Blocks {
    held: [Option<Held>; Slot::COUNT],
    /// The number of seeds used. Each block gets a new pattern, also after each call.
    seeds: u64,
}

/// Runs a script to its end, or to the first routine that the library does not have.
pub(super) fn run(probe: &mut Probe, script: &[Operation]) -> Result<(), Stop> {
    let mut blocks = Blocks::default();
    for (index, operation) in script.iter().enumerate() {
        let mut answer = blocks.perform(&probe.crt, *operation)?;
        answer.index = index as u64;
        probe.pipe.send(&Event::Answer(answer))?;
    }
    Ok(())
}

impl Blocks {
    fn perform(&mut self, crt: &Crt, operation: Operation) -> Result<Answer, Stop> {
        match operation {
            Operation::Malloc { slot, size } => {
                self.allocate(crt, slot, operation, Family::Plain, |crt| crt.malloc(size))
            }
            Operation::Calloc { slot, number, size } => {
                let mut answer = self.allocate(crt, slot, operation, Family::Plain, |crt| {
                    crt.calloc(number, size)
                })?;
                answer.not_zero = self.read_zeros(slot, 0);
                self.write(slot);
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
                let total = number.wrapping_mul(size);
                let old = self.known_size(crt, block);
                let mut answer =
                    self.resize(crt, block, operation, total, Family::Plain, |crt, block| {
                        crt.recalloc(block, number, size)
                    })?;
                if answer.is_block() {
                    answer.not_zero = self.read_zeros(block, old);
                    self.write(block);
                }
                Ok(answer)
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
                lost: self.read_all(),
                ..Answer::default()
            }),
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
        let Some(held) = self.take_out(slot, |held| held.family == family) else {
            return Ok(Answer::default());
        };
        let (old, seed) = (held.block.size(), held.seed);
        let lost_before = held.block.lost_bytes(seed) as u64;
        let (returned, call) = observe(crt, operation, |crt| call(crt, held.block))?;
        let mut answer = Answer::of(call);
        answer.lost = lost_before;
        match returned {
            Ok(block) if block.size() > LARGEST => {}
            Ok(block) => {
                answer.lost += block.lost_bytes_of(seed, old.min(size)) as u64;
                answer.misaligned = family.is_misaligned(&block);
                answer.overlaps = self.overlaps(&block, block.size());
                self.put(slot, block, family);
                if !matches!(operation, Operation::Recalloc { .. }) {
                    self.write(slot);
                }
            }
            // The library freed the block, as it should.
            Err(_) if size == 0 => {}
            Err(block) => {
                answer.lost += block.lost_bytes(seed) as u64;
                self.held[slot.index()] = Some(Held {
                    extent: block.size(),
                    block,
                    seed,
                    family,
                });
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
        let lost = held.block.lost_bytes(held.seed) as u64;
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
        // Limited, since an absurdly large answer is no extent.
        held.extent = size.clamp(held.block.size(), held.block.size() + (64 << 20));
        answer.overlaps = self.overlaps(&held.block, held.extent);
        self.held[slot.index()] = Some(held);
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
        let kept = held
            .block
            .size()
            .min(if returned.is_some() { size } else { usize::MAX });
        answer.lost = held.block.lost_bytes_of(held.seed, kept) as u64;
        if let Some(block) = returned {
            answer.moved = block.address() != held.block.address();
            answer.overlaps = self.overlaps(&block, size);
            held.extent = size;
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
            block,
            seed: 0,
            family,
        });
    }

    /// Fills a block with a new pattern.
    fn write(&mut self, slot: Slot) {
        self.seeds += 1;
        if let Some(held) = &mut self.held[slot.index()] {
            held.seed = self.seeds;
            held.block.fill(held.seed);
        }
    }

    /// The size of a plain block according to `_msize`, which may be larger than the
    /// requested size. `_recalloc` need not clear the bytes up to there.
    fn known_size(&self, crt: &Crt, slot: Slot) -> usize {
        let held = self.held[slot.index()].as_ref();
        held.filter(|held| held.family == Family::Plain)
            .map_or(0, |held| {
                let size = held.block.size();
                crt.msize(&held.block).map_or(size, |known| known.max(size))
            })
    }

    /// The number of bytes from `from` on that are not zero.
    fn read_zeros(&self, slot: Slot, from: usize) -> u64 {
        self.held[slot.index()]
            .as_ref()
            .map_or(0, |held| held.block.bytes_other_than(0, from) as u64)
    }

    /// The number of bytes in live blocks that have changed.
    fn read_all(&self) -> u64 {
        let lost = self.held.iter().flatten();
        lost.map(|held| held.block.lost_bytes(held.seed) as u64)
            .sum()
    }

    /// Whether this block, with this extent, overlaps another live block.
    fn overlaps(&self, block: &Block, extent: usize) -> bool {
        let (begin, end) = (block.address(), block.address() + extent);
        self.held.iter().flatten().any(|other| {
            let other_begin = other.block.address();
            let other_end = other_begin + other.extent;
            begin.max(other_begin) < end.min(other_end)
        })
    }
}

fn observe<T: super::crt::Returned>(
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
    fn is_misaligned(self, block: &Block) -> bool {
        let fundamental = if usize::BITS == 64 { 16 } else { 8 };
        match self {
            Family::Plain => block.address() % fundamental != 0,
            Family::Aligned(alignment, offset) => {
                block.address().wrapping_add(offset) % alignment != 0
            }
        }
    }
}
