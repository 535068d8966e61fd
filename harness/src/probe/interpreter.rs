//! Acts a script out: a sequence of calls that came as data. After each one it
//! says what came of it; what to make of that is for others.

use super::crt::{Block, Crt, HeapInfo};
use super::{ErrorState, Probe, Stop};
use crate::wire::observation::{Answer, Call, Event, Walk};
use crate::wire::script::{Operation, Slot};

const HEAP_OK: i32 = -2;
const USED_ENTRY: i32 = 1;
/// More entries than any script leaves in a heap: then a walk does not end.
const MOST_ENTRIES: u64 = 4_000_000;

/// Larger blocks are asked for only to be refused.
const LARGEST: usize = 1 << 30;

/// A live block.
struct Held {
    block: Block,
    /// Of the pattern in it.
    seed: u64,
    /// Bytes that are its own, as far as is known: those asked for, or what
    /// the library said when it was asked.
    extent: usize,
    family: Family,
}

/// Which routines may be given a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// `realloc`, `free` and the like.
    Plain,
    /// Those of the aligned family, with this alignment and offset.
    Aligned(usize, usize),
}

/// The blocks of a script. In the probe's own stack, for the candidate may be
/// the heap that the probe itself uses.
#[derive(Default)]
struct Blocks {
    held: [Option<Held>; Slot::COUNT],
    /// Patterns so far: each block has another one, and another after each call.
    seeds: u64,
}

/// Runs a script to its end, or to the first routine that is not there.
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
                self.give(crt, slot, operation, Family::Plain, |crt| crt.malloc(size))
            }
            Operation::Calloc { slot, number, size } => {
                let mut answer = self.give(crt, slot, operation, Family::Plain, |crt| {
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
            } => self.give(crt, slot, operation, Family::Aligned(alignment, 0), |crt| {
                crt.aligned_malloc(size, alignment)
            }),
            Operation::AlignedOffsetMalloc {
                slot,
                size,
                alignment,
                offset,
            } => self.give(
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
            Operation::Free { slot } => self.take(
                crt,
                slot,
                operation,
                |held| held.family == Family::Plain,
                Crt::free,
            ),
            Operation::AlignedFree { slot } => self.take(
                crt,
                slot,
                operation,
                |held| held.family != Family::Plain,
                Crt::aligned_free,
            ),
            Operation::Msize { slot } => {
                self.ask(crt, slot, operation, Family::Plain, |crt, block| {
                    crt.msize(block)
                })
            }
            Operation::AlignedMsize {
                slot,
                alignment,
                offset,
            } => self.ask(
                crt,
                slot,
                operation,
                Family::Aligned(alignment, offset),
                |crt, block| crt.aligned_msize(block, alignment, offset),
            ),
            Operation::Expand { slot, size } => self.expand(crt, slot, operation, size),
            Operation::Heapmin {} => plain(crt, operation, Crt::heapmin),
            Operation::Heapchk {} => plain(crt, operation, Crt::heapchk),
            Operation::Heapset { fill } => {
                plain(crt, operation, |crt| crt.heapset(fill as u32 & 0xFF))
            }
            Operation::Heapwalk {} => self.walk(crt, operation),
            Operation::Check {} => Ok(Answer {
                lost: self.read_all(),
                ..Answer::default()
            }),
        }
    }

    /// A routine that gives a new block.
    fn give(
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
        let (given, call) = observe(crt, operation, call)?;
        let mut answer = Answer::of(call);
        // One that nobody can give is not written to.
        if let Some(block) = given.filter(|block| block.size() <= LARGEST) {
            answer.misaligned = family.is_misaligned(&block);
            answer.overlaps = self.overlaps(&block, block.size());
            self.put(slot, block, family);
            if !matches!(operation, Operation::Calloc { .. }) {
                self.write(slot);
            }
        }
        Ok(answer)
    }

    /// A routine that gives a block another size, or frees it for size 0.
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
        let (given, call) = observe(crt, operation, |crt| call(crt, held.block))?;
        let mut answer = Answer::of(call);
        answer.lost = lost_before;
        match given {
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
            // Freed, as it should be.
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

    fn take(
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

    fn ask(
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
        // An answer out of all proportion would not be an extent.
        held.extent = size.clamp(held.block.size(), held.block.size() + (64 << 20));
        answer.overlaps = self.overlaps(&held.block, held.extent);
        self.held[slot.index()] = Some(held);
        Ok(answer)
    }

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
        let (given, call) = observe(crt, operation, |crt| crt.expand(&held.block, size))?;
        let mut answer = Answer::of(call);
        let kept = held
            .block
            .size()
            .min(if given.is_some() { size } else { usize::MAX });
        answer.lost = held.block.lost_bytes_of(held.seed, kept) as u64;
        if let Some(block) = given {
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

    /// A walk over the whole heap, which looks for the blocks of `malloc`.
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
            // An aligned block may stand anywhere in its entry.
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

    /// Takes a block out of its slot, if the call that is to come is legal for
    /// it. A script that was shortened may have another one there, or none.
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

    /// Fills a block with a pattern that no block had before.
    fn write(&mut self, slot: Slot) {
        self.seeds += 1;
        if let Some(held) = &mut self.held[slot.index()] {
            held.seed = self.seeds;
            held.block.fill(held.seed);
        }
    }

    /// The size of a plain block as its library knows it, which may be more
    /// than was asked for: bytes up to here are not new to `_recalloc`.
    fn known_size(&self, crt: &Crt, slot: Slot) -> usize {
        let held = self.held[slot.index()].as_ref();
        held.filter(|held| held.family == Family::Plain)
            .map_or(0, |held| {
                let size = held.block.size();
                crt.msize(&held.block).map_or(size, |known| known.max(size))
            })
    }

    fn read_zeros(&self, slot: Slot, from: usize) -> u64 {
        self.held[slot.index()]
            .as_ref()
            .map_or(0, |held| held.block.bytes_other_than(0, from) as u64)
    }

    fn read_all(&self) -> u64 {
        let lost = self.held.iter().flatten();
        lost.map(|held| held.block.lost_bytes(held.seed) as u64)
            .sum()
    }

    /// Whether any live block has a byte of this one's.
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

/// A routine about the whole heap.
fn plain(
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
