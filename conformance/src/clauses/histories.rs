//! Blocks in memory with a history: memory that was used before, released, freed by
//! another thread, or given up by a block that was resized; and blocks that shrink and
//! grow again. The cases of all routines that return blocks use it.

use super::sizes::FUNDAMENTAL_ALIGNMENT;
use heapmin_harness::memory::available_memory;
use heapmin_harness::probe::crt::{Block, Crt, Places};
use heapmin_harness::probe::{Probe, Stop};
use std::thread;

/// Where a block must lie: its byte at `offset` lies at a multiple of `alignment`.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub alignment: usize,
    pub offset: usize,
}

/// Allocates a block; `None` for null.
pub(super) type Allocate = fn(&Crt, usize, Rule) -> Result<Option<Block>, Stop>;
/// Resizes a block; the old block for null.
pub(super) type Resize = fn(&Crt, Block, usize, Rule) -> Result<Result<Block, Block>, Stop>;

/// A routine that returns blocks, and those that it is used with.
pub(super) struct Subject {
    /// Allocates a block. It is the routine itself, if the routine can allocate.
    pub allocate: Allocate,
    /// The routine, if it resizes blocks.
    pub resize: Option<Resize>,
    /// Routines that resize such blocks, with their names, one or more. The first prepares
    /// memory; all of them make blocks smaller.
    pub others: &'static [(&'static str, Resize)],
    /// Frees a block.
    pub free: fn(&Crt, Block) -> Result<(), Stop>,
    /// Whether new bytes are 0.
    pub zeroes: bool,
    /// Whether the routine may refuse to grow a block, and returns NULL then.
    pub may_refuse: bool,
}

/// What happened to the memory that a block may get.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Used,
    Released,
    OtherThread,
    Shrunk,
    Grown,
}

const EVERY: [Before; 6] = [
    Before::Nothing,
    Before::Used,
    Before::Released,
    Before::OtherThread,
    Before::Shrunk,
    Before::Grown,
];

impl Before {
    fn words(self) -> &'static str {
        match self {
            Before::Nothing => "memory of which nothing is known",
            Before::Used => "memory that was written and freed",
            Before::Released => "memory that was written and freed, after _heapmin",
            Before::OtherThread => "memory that another thread wrote and freed",
            Before::Shrunk => "memory that a block gave up when it shrank",
            Before::Grown => "memory that a block gave up when it grew",
        }
    }
}

pub(super) const MISALIGNED: &str = "misaligned blocks";
pub(super) const OVERLAPPING: &str = "overlapping blocks";
pub(super) const CHANGED: &str = "bytes changed";
pub(super) const NOT_ZERO: &str = "bytes other than 0";

/// The rule of routines without a parameter for the alignment.
pub(super) const PLAIN: Rule = Rule {
    alignment: FUNDAMENTAL_ALIGNMENT,
    offset: 0,
};

/// `realloc` and `_expand`, to prepare memory and to make blocks smaller.
pub(super) const REALLOC: (&str, Resize) =
    ("realloc", |crt, block, size, _| crt.realloc(block, size));
pub(super) const EXPAND: (&str, Resize) = ("_expand", |crt, block, size, _| {
    let resized = crt.expand(&block, size)?;
    Ok(resized.ok_or(block))
});

/// Sizes of blocks without an alignment of their own: small and large ones, at the edges
/// of pages and of powers of two.
const PLAIN_SIZES: [usize; 14] = [
    1,
    16,
    24,
    100,
    1000,
    4096,
    5000,
    40_000,
    131_072,
    131_073,
    300_000,
    1 << 20,
    (2 << 20) + 1,
    (4 << 20) + 8,
];

/// Alignments of blocks in memory with a history.
const ALIGNMENTS: [usize; 9] = [8, 16, 64, 256, 512, 1024, 4096, 64 << 10, 1 << 20];
/// Alignments that few programs use.
pub(super) const LARGE_ALIGNMENTS: [usize; 6] =
    [2 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20, 64 << 20];
/// Blocks over this size, in bytes, are tried with one history each.
const OFTEN: usize = 512 << 10;
/// The largest block, in bytes.
const LARGEST: usize = 64 << 20;
/// Memory that is left to the rest of the system, in bytes.
const MARGIN: u64 = 256 << 20;

/// Ends the case if the system has less memory than `bytes` and a margin.
pub(super) fn need_memory(bytes: usize) -> Result<(), Stop> {
    match available_memory() {
        Some(available) if available < bytes as u64 + MARGIN => Err(Stop::NotJudged(format!(
            "the case needs {} MiB of memory, and {} MiB are available",
            (bytes as u64 + MARGIN) >> 20,
            available >> 20
        ))),
        _ => Ok(()),
    }
}

/// Tries a routine without an alignment of its own, and reports what it did. `of` names
/// the number of blocks that were looked at.
pub(super) fn plain(probe: &mut Probe, subject: &Subject, of: &str) -> Result<(), Stop> {
    need_memory(4 * LARGEST)?;
    let mut tally = Tally::default();
    for before in EVERY {
        probe.step(&format!("blocks in {}", before.words()))?;
        tally.series(
            probe,
            subject,
            before,
            PLAIN_SIZES.map(|size| (size, PLAIN)),
        )?;
    }
    probe.step(&format!("a block of {LARGEST} bytes"))?;
    tally.series(probe, subject, Before::Used, [(LARGEST, PLAIN)])?;
    tally.report(probe, subject, of)
}

/// The same for a routine with an alignment, for blocks as large as their alignment, its
/// multiples and their neighbours, at each of the offsets.
pub(super) fn aligned(
    probe: &mut Probe,
    subject: &Subject,
    offsets: &[usize],
    of: &str,
) -> Result<(), Stop> {
    need_memory(4 * LARGEST)?;
    let mut tally = Tally::default();
    for (turn, before) in EVERY.into_iter().enumerate() {
        probe.step(&format!("aligned blocks in {}", before.words()))?;
        let mut wanted = Vec::new();
        for alignment in ALIGNMENTS {
            let near = [-1, 0, 1, 2].map(|more| alignment.saturating_add_signed(more));
            let twice = [-1, 0, 1].map(|more| (2 * alignment).saturating_add_signed(more));
            let sizes = near.into_iter().chain(twice);
            for (number, size) in sizes.chain([100, 5000, 131_073]).enumerate() {
                for &offset in offsets.iter().filter(|offset| **offset < size) {
                    let rule = Rule { alignment, offset };
                    // The turns of all histories include each size.
                    if size <= OFTEN || number % EVERY.len() == turn {
                        wanted.push((size, rule));
                    }
                }
            }
        }
        tally.series(probe, subject, before, wanted)?;
        let rule = Rule {
            alignment: 64,
            offset: offsets[turn % offsets.len()],
        };
        tally.series(probe, subject, before, [((4 << 20) + 8, rule)])?;
    }
    probe.step(&format!("an aligned block of {LARGEST} bytes"))?;
    let rule = Rule {
        alignment: 4096,
        offset: offsets[0],
    };
    tally.series(probe, subject, Before::Used, [(LARGEST, rule)])?;
    tally.report(probe, subject, of)
}

/// Tries a routine with alignments from 2 MiB to 64 MiB.
pub(super) fn with_large_alignments(
    probe: &mut Probe,
    subject: &Subject,
    offsets: &[usize],
    of: &str,
) -> Result<(), Stop> {
    need_memory(4 * LARGEST)?;
    if usize::BITS == 32 {
        return Err(Stop::NotJudged(
            "an address space of 32 bits may have no gap for such blocks".into(),
        ));
    }
    let mut tally = Tally::default();
    for alignment in LARGE_ALIGNMENTS {
        probe.step(&format!("blocks aligned to {alignment}"))?;
        let near = [-1, 0, 1].map(|more| alignment.saturating_add_signed(more));
        // Large blocks are few, and the largest are not resized: a library may copy all bytes.
        let near = match alignment >> 20 {
            ..=4 => &near[..],
            16.. if subject.resize.is_some() => &[],
            _ => &near[1..2],
        };
        let sizes = [24, 5000].iter().chain(near);
        for (number, &size) in sizes.enumerate() {
            // Each size has another history and another offset at the next alignment.
            let turn = number + alignment.trailing_zeros() as usize;
            let offset = offsets[turn % offsets.len()];
            let before = EVERY[turn % EVERY.len()];
            tally.series(probe, subject, before, [(size, Rule { alignment, offset })])?;
        }
    }
    tally.report(probe, subject, of)
}

/// What was counted.
#[derive(Default)]
struct Tally {
    misaligned: i64,
    overlapping: i64,
    changed: usize,
    not_zero: usize,
    blocks: i64,
    /// The pattern of the next write.
    seed: u64,
    /// A block in use, with its places and pattern.
    live: Vec<(Block, Places, u64)>,
}

impl Tally {
    /// Tries blocks of these sizes in memory with one history. All of them are alive until
    /// the last one is done, and are then checked and freed.
    fn series(
        &mut self,
        probe: &Probe,
        subject: &Subject,
        before: Before,
        wanted: impl IntoIterator<Item = (usize, Rule)>,
    ) -> Result<(), Stop> {
        let crt = &probe.crt;
        for (size, rule) in wanted {
            self.prepare(crt, subject, before, size, rule)?;
            self.act(crt, subject, size, rule)?;
        }
        let range = |block: &Block| (block.address(), block.address() + block.size());
        let mut ranges: Vec<_> = self.live.iter().map(|(block, ..)| range(block)).collect();
        ranges.sort_unstable();
        let overlapping = ranges.windows(2).filter(|pair| pair[0].1 > pair[1].0);
        self.overlapping += overlapping.count() as i64;
        for (block, places, seed) in std::mem::take(&mut self.live) {
            self.changed += block.lost_in_places(&places, seed, block.size());
            (subject.free)(crt, block)?;
        }
        Ok(())
    }

    /// Leaves memory with this history to the next block of this size.
    fn prepare(
        &mut self,
        crt: &Crt,
        subject: &Subject,
        before: Before,
        size: usize,
        rule: Rule,
    ) -> Result<(), Stop> {
        let places = Places::of(&[size]);
        let allocate = || -> Result<Block, Stop> {
            let block = (subject.allocate)(crt, size, rule)?;
            let mut block = block.ok_or(Stop::OutOfMemory(size))?;
            block.fill_places(&places, 99);
            Ok(block)
        };
        let use_and_free = || (subject.free)(crt, allocate()?);
        let new = match before {
            Before::Nothing => return Ok(()),
            Before::Used => return use_and_free(),
            Before::Released => {
                use_and_free()?;
                return crt.heapmin().map(drop);
            }
            Before::OtherThread => {
                return thread::scope(|scope| {
                    let other = scope.spawn(use_and_free);
                    other.join().expect("it does not panic")
                });
            }
            Before::Shrunk => (size / 3).max(rule.offset + 1),
            Before::Grown => 2 * size + 4096,
        };
        let (name, resize) = subject.others[0];
        let block = allocate()?;
        if !crt.has(name) {
            return (subject.free)(crt, block);
        }
        let resized = resize(crt, block, new, rule)?;
        let mut block = resized.map_err(|_| Stop::OutOfMemory(new))?;
        // Whether this routine kept the contents is a question of its own clauses.
        block.fill_places(&places, 99);
        self.live.push((block, places, 99));
        Ok(())
    }

    /// Allocates a block and, if the routine can, makes it smaller and larger again.
    fn act(&mut self, crt: &Crt, subject: &Subject, size: usize, rule: Rule) -> Result<(), Stop> {
        // A block that loses half is moved by many heaps, one that loses less stays.
        let part = [2, 17, 3, 7][self.blocks as usize % 4];
        let less = (size - size / part).max(rule.offset + 1);
        let more = size + size / 2 + 1;
        let places = Places::of(&[less, size, more]);
        let block = (subject.allocate)(crt, size, rule)?;
        let mut block = block.ok_or(Stop::OutOfMemory(size))?;
        if subject.zeroes {
            self.not_zero += block.other_in_places(&places, 0, 0);
        }
        self.look(&mut block, &places, rule);
        if let Some(resize) = subject.resize {
            // Down and up again; up; down and up again, by another routine if there is one.
            // Large blocks take the first two steps: a library may copy or clear all bytes.
            let steps = [less, size, more, less, more];
            let count = if size > OFTEN { 2 } else { steps.len() };
            for (number, &new) in steps[..count].iter().enumerate() {
                let old = block.size();
                let (name, other) = subject.others[self.blocks as usize % subject.others.len()];
                let is_other = new < old && number > 0 && crt.has(name);
                let routine = if is_other { other } else { resize };
                block = match routine(crt, block, new, rule)? {
                    Ok(block) => block,
                    Err(block) if subject.may_refuse || is_other => block,
                    Err(_) => return Err(Stop::OutOfMemory(new)),
                };
                if is_other {
                    block.fill_places(&places, self.seed);
                    continue;
                }
                self.changed += block.lost_in_places(&places, self.seed, old);
                if subject.zeroes {
                    self.not_zero += block.other_in_places(&places, 0, old);
                }
                self.look(&mut block, &places, rule);
            }
        }
        self.live.push((block, places, self.seed));
        Ok(())
    }

    /// Notes whether a block lies where it must, and writes it with a new pattern.
    fn look(&mut self, block: &mut Block, places: &Places, rule: Rule) {
        let at = block.address().wrapping_add(rule.offset);
        self.misaligned += i64::from(at % rule.alignment != 0);
        self.blocks += 1;
        self.seed += 1;
        block.fill_places(places, self.seed);
    }

    fn report(self, probe: &mut Probe, subject: &Subject, of: &str) -> Result<(), Stop> {
        probe.fact(MISALIGNED, self.misaligned)?;
        probe.fact(OVERLAPPING, self.overlapping)?;
        probe.fact(CHANGED, self.changed as i64)?;
        if subject.zeroes {
            probe.fact(NOT_ZERO, self.not_zero as i64)?;
        }
        probe.fact(of, self.blocks)
    }
}
