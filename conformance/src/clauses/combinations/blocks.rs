//! Blocks with a history, for the routine that a case is about.

use super::super::histories::{Allocate, Resize, Rule};
use heapmin_harness::probe::crt::{Block, Crt, Places};
use heapmin_harness::probe::fault::Plan;
use heapmin_harness::probe::{Probe, Stop};

/// What the calls of a case meet.
pub(super) struct Conditions<'a> {
    pub(super) probe: &'a Probe,
    /// What the system refuses; `None` if it refuses nothing at all.
    pub(super) plan: Option<Plan>,
}

impl Conditions<'_> {
    pub(super) fn crt(&self) -> &Crt {
        &self.probe.crt
    }

    /// Makes a call while the system refuses what it refuses. `act` only calls the candidate.
    pub(super) fn call<T>(&self, act: impl FnOnce(&Crt) -> Result<T, Stop>) -> Result<T, Stop> {
        match self.plan {
            None => act(self.crt()),
            Some(plan) => self.probe.under(plan, act).map(|(result, _)| result),
        }
    }

    /// The block. `None` for NULL if the system may refuse memory.
    ///
    /// # Errors
    /// [`Stop::OutOfMemory`] for NULL if the system refuses nothing.
    pub(super) fn given<T>(&self, block: Option<T>, size: usize) -> Result<Option<T>, Stop> {
        match (block, self.plan) {
            (None, None) => Err(Stop::OutOfMemory(size)),
            (block, _) => Ok(block),
        }
    }
}

/// The number of blocks that take the used memory before a block of this size gets fresh
/// memory. They stay until the process ends.
fn fillers(size: usize, rule: Rule) -> usize {
    match size {
        // With a greater alignment they would take too many addresses.
        _ if rule.alignment > 256 => 0,
        0..700 => 64,
        0x10_0001.. => 16,
        _ => 0,
    }
}

/// A block of 0 bytes can grow to this size in place in many heaps.
const MOST_IN_PLACE: usize = 16;

/// Routines whose blocks belong together.
pub(super) struct Family {
    is_aligned: bool,
    allocate: Allocate,
    resize: Resize,
    free: fn(&Crt, Block) -> Result<(), Stop>,
}

static OF_MALLOC: Family = Family {
    is_aligned: false,
    allocate: |crt, size, _| crt.malloc(size),
    resize: |crt, block, size, _| crt.realloc(block, size),
    free: |crt, block| crt.free(block),
};

static OF_ALIGNED_MALLOC: Family = Family {
    is_aligned: true,
    allocate: |crt, size, rule| match rule.offset {
        0 => crt.aligned_malloc(size, rule.alignment),
        _ => crt.aligned_offset_malloc(size, rule.alignment, rule.offset),
    },
    resize: |crt, block, size, rule| match rule.offset {
        0 => crt.aligned_realloc(block, size, rule.alignment),
        _ => crt.aligned_offset_realloc(block, size, rule.alignment, rule.offset),
    },
    free: |crt, block| crt.aligned_free(block),
};

/// What happened before to a block or to its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum History {
    Fresh,
    Used,
    Released,
    OtherThread,
    ShrunkGrown,
    GrownShrunk,
}

pub(super) const HISTORIES: [History; 6] = [
    History::Fresh,
    History::Used,
    History::Released,
    History::OtherThread,
    History::ShrunkGrown,
    History::GrownShrunk,
];

/// The blocks that another thread gives, the last one first.
pub(super) type Given = Vec<Option<Held>>;

/// A live block, with the pattern that was written to its places.
pub(super) struct Held {
    pub(super) block: Block,
    pub(super) places: Places,
    pub(super) seed: u64,
    family: &'static Family,
}

impl Held {
    /// The number of bytes that changed.
    pub(super) fn lost(&self) -> usize {
        let size = self.block.size();
        self.block.lost_in_places(&self.places, self.seed, size)
    }

    pub(super) fn is_aligned(&self) -> bool {
        self.family.is_aligned
    }

    pub(super) fn free(self, conditions: &Conditions) -> Result<(), Stop> {
        (self.family.free)(conditions.crt(), self.block)
    }
}

impl Family {
    pub(super) fn of(is_aligned: bool) -> &'static Family {
        match is_aligned {
            true => &OF_ALIGNED_MALLOC,
            false => &OF_MALLOC,
        }
    }

    pub(super) fn allocate(
        &self,
        conditions: &Conditions,
        size: usize,
        rule: Rule,
    ) -> Result<Option<Block>, Stop> {
        let block = (self.allocate)(conditions.crt(), size, rule)?;
        conditions.given(block, size)
    }

    /// Writes a pattern to a block that may get `other` as another size.
    pub(super) fn fill(&'static self, mut block: Block, other: usize, seed: u64) -> Held {
        let places = Places::of(&[block.size(), other]);
        block.fill_places(&places, seed);
        Held {
            block,
            places,
            seed,
            family: self,
        }
    }

    /// Leaves memory of this history to the next block of this size.
    pub(super) fn prepare(
        &'static self,
        conditions: &Conditions,
        size: usize,
        rule: Rule,
        history: History,
    ) -> Result<(), Stop> {
        match history {
            History::Fresh => {
                for _ in 0..fillers(size, rule) {
                    self.allocate(conditions, size, rule)?;
                }
                return Ok(());
            }
            History::Used | History::Released => {}
            _ => return Ok(()),
        }
        if let Some(block) = self.allocate(conditions, size, rule)? {
            self.fill(block, 0, 99).free(conditions)?;
        }
        match (history, conditions.plan) {
            // A release that the system refuses leaves the bytes as they are.
            (History::Used, Some(Plan::Refuse(_))) => conditions.call(|crt| crt.heapmin())?,
            (History::Released, _) => conditions.crt().heapmin()?,
            _ => 0,
        };
        Ok(())
    }

    /// Uses enough blocks that the next one of 0 bytes lies in memory that was used. A heap
    /// may take several free blocks at a time, and hand out the others first. After the second
    /// time, these were used too.
    pub(super) fn use_smallest(
        &'static self,
        conditions: &Conditions,
        rule: Rule,
    ) -> Result<(), Stop> {
        const AT_A_TIME: usize = 128;
        for _ in 0..2 {
            let blocks = (0..AT_A_TIME).map(|_| self.allocate(conditions, MOST_IN_PLACE, rule));
            for block in blocks.collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
                self.fill(block, 0, 99).free(conditions)?;
            }
        }
        Ok(())
    }

    /// A block of this size and history.
    pub(super) fn block(
        &'static self,
        conditions: &Conditions,
        size: usize,
        rule: Rule,
        history: History,
    ) -> Result<Option<Block>, Stop> {
        self.prepare(conditions, size.max(MOST_IN_PLACE), rule, history)?;
        let Some(block) = self.allocate(conditions, size, rule)? else {
            return Ok(None);
        };
        let between = match history {
            _ if size == 0 => return Ok(Some(block)),
            History::ShrunkGrown => (size / 2).max(rule.offset + 1),
            History::GrownShrunk => 2 * size + 1,
            _ => return Ok(Some(block)),
        };
        let block = self.resize(conditions, block, between, rule)?;
        self.resize(conditions, block, size, rule).map(Some)
    }

    fn resize(
        &self,
        conditions: &Conditions,
        block: Block,
        size: usize,
        rule: Rule,
    ) -> Result<Block, Stop> {
        match (self.resize)(conditions.crt(), block, size, rule)? {
            // A block that keeps its size is as good: other clauses judge this routine.
            Ok(block) | Err(block) => Ok(block),
        }
    }
}
