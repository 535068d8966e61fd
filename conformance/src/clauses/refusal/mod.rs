//! What the routines do while the system refuses to take memory back, or to give memory.
//! `heapmin::faults` has the cases for `_heapmin`.

pub(super) mod memory;
pub(super) mod release;
pub(super) mod shrink;

use super::handed_out::is_bad;
use super::workload::{MIB, count_for, mixed_size};
use crate::clause::check::{Check, by, none_of, only_if};
use crate::clause::{Judgement, Seen};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::{Block, Crt};
use heapmin_harness::probe::fault::Plan;
use heapmin_harness::probe::{Probe, Stop};

/// A routine that allocates or resizes blocks, with those that it needs.
struct Way {
    routine: &'static str,
    /// Allocates a block.
    fresh: fn(&Crt, usize) -> Result<Option<Block>, Stop>,
    /// Resizes a block, if the routine does that; else it is the one that allocates.
    resize: Option<Resize>,
    free: fn(&Crt, Block) -> Result<(), Stop>,
    /// Whether the routine sets the bytes that it adds to 0.
    zeroes: bool,
}

type Resize = fn(&Crt, Block, usize) -> Result<Result<Block, Block>, Stop>;

/// The alignment of aligned blocks. A heap that maps them cuts off what is too much.
const ALIGNMENT: usize = 64 << 10;
/// The alignment of blocks that must be zero. Small ones lie in memory that was used before.
const NARROW: usize = 256;
const OFFSET: usize = 8;

const MALLOC: Way = Way {
    routine: "malloc",
    fresh: Crt::malloc,
    resize: None,
    free: Crt::free,
    zeroes: false,
};
const CALLOC: Way = Way {
    routine: "calloc",
    fresh: |crt, size| crt.calloc(1, size),
    zeroes: true,
    ..MALLOC
};
const REALLOC: Way = Way {
    routine: "realloc",
    resize: Some(Crt::realloc),
    ..MALLOC
};
const RECALLOC: Way = Way {
    routine: "_recalloc",
    resize: Some(|crt, block, size| crt.recalloc(block, size, 1)),
    zeroes: true,
    ..MALLOC
};
const ALIGNED_MALLOC: Way = Way {
    routine: "_aligned_malloc",
    fresh: |crt, size| crt.aligned_malloc(size, ALIGNMENT),
    resize: None,
    free: Crt::aligned_free,
    zeroes: false,
};
const ALIGNED_OFFSET_MALLOC: Way = Way {
    routine: "_aligned_offset_malloc",
    fresh: |crt, size| crt.aligned_offset_malloc(size, ALIGNMENT, OFFSET),
    ..ALIGNED_MALLOC
};
const ALIGNED_REALLOC: Way = Way {
    routine: "_aligned_realloc",
    resize: Some(|crt, block, size| crt.aligned_realloc(block, size, ALIGNMENT)),
    ..ALIGNED_MALLOC
};
const ALIGNED_OFFSET_REALLOC: Way = Way {
    routine: "_aligned_offset_realloc",
    resize: Some(|crt, block, size| crt.aligned_offset_realloc(block, size, ALIGNMENT, OFFSET)),
    ..ALIGNED_OFFSET_MALLOC
};
const ALIGNED_RECALLOC: Way = Way {
    routine: "_aligned_recalloc",
    fresh: |crt, size| crt.aligned_malloc(size, NARROW),
    resize: Some(|crt, block, size| crt.aligned_recalloc(block, size, 1, NARROW)),
    zeroes: true,
    ..ALIGNED_MALLOC
};
const ALIGNED_OFFSET_RECALLOC: Way = Way {
    routine: "_aligned_offset_recalloc",
    fresh: |crt, size| crt.aligned_offset_malloc(size, NARROW, OFFSET),
    resize: Some(|crt, block, size| crt.aligned_offset_recalloc(block, size, 1, NARROW, OFFSET)),
    zeroes: true,
    ..ALIGNED_MALLOC
};

/// Requests of small and large blocks. Each size is over [`OFFSET`].
const REQUESTS: Requests = Requests {
    sizes: &[
        24, 120, 1000, 5000, 16_000, 40_000, 131_072, 300_000, 1_100_000, 4_194_304,
    ],
    of_null: &[],
    pairs: &[
        (120, 1000),
        (120, 16_000),
        (16_000, 300_000),
        (300_000, 1_100_000),
        (1_100_000, 4_194_304),
        (4_194_304, 1_100_000),
        (4_194_304, 120),
        (300_000, 131_072),
        (40_000, 1000),
        (1000, 120),
    ],
};

const TWO_RESULTS: &str =
    "the page names two results, a block and NULL; NULL leaves the blocks as they are";

const REFUSALS: &str = "refusals of the system";
const CALLS: &str = "calls";
const CHANGED: &str = "bytes changed";
const NOT_ZERO: &str = "bytes other than 0";
const BAD: &str = "times _heapchk found the heap bad";
const FREED: &str = "blocks freed";
const ERRNO_CHANGED: &str = "calls that changed errno";

const REACHED: Check = only_if("the system refuses a request", |seen| {
    match seen.observation.fact(REFUSALS) {
        Some(0) => Some(Judgement::not_judged(
            "the fault was never reached: the library made no request that was refused",
        )),
        _ => None,
    }
});

/// The checks of a routine that returns blocks.
const A_BLOCK_OR_ENOMEM: &[Check] = &[
    REACHED,
    by(
        "a block, or NULL with errno ENOMEM, from each call",
        block_or_enomem,
    ),
    none_of(CHANGED, CALLS),
    none_of(BAD, CALLS),
];

const SETS_TO_0: &[Check] = &[REACHED, none_of(NOT_ZERO, CALLS)];
const KEEPS_THE_HEAP: &[Check] = &[REACHED, none_of(CHANGED, FREED), none_of(BAD, FREED)];
const KEEPS_ERRNO: &[Check] = &[REACHED, none_of(ERRNO_CHANGED, FREED)];

fn block_or_enomem(seen: &Seen) -> Judgement {
    let enomem = seen.numbering.number("ENOMEM");
    let (mut blocks, mut nulls) = (0, 0);
    for call in seen.observation.calls(seen.clause.routine) {
        if call.returned != 0 {
            blocks += 1;
            continue;
        }
        nulls += 1;
        if let Some((_, after)) = call.errno
            && Some(after) != enomem
        {
            let errno = seen.numbering.describe(after);
            return Judgement::fail(format!("{call}, errno {errno}"));
        }
    }
    Judgement::pass_if(
        blocks + nulls > 0,
        format!("{blocks} blocks, and NULL with ENOMEM {nulls} times"),
    )
}

/// What a case counts.
#[derive(Default)]
struct Counts {
    /// Whether `_heapchk` found the heap bad before the first refusal, so that it cannot
    /// judge what a refusal does.
    was_bad: bool,
    refusals: i64,
    calls: i64,
    changed: i64,
    not_zero: i64,
    freed: i64,
    errno_changed: i64,
}

impl Counts {
    /// Calls the routine for each of the sizes, or to resize blocks by the pairs, while the
    /// fault follows the plan. Reads the blocks and writes all their bytes; each gets the
    /// pattern of its place in the list.
    fn call(
        &mut self,
        probe: &mut Probe,
        way: &Way,
        plan: Plan,
        requests: &Requests,
    ) -> Result<Vec<Block>, Stop> {
        const OLD: u64 = 1000;
        let mut blocks = Vec::new();
        let mut given = |counts: &mut Counts, block: Block, old: usize| {
            counts.changed += block.lost_bytes_of(OLD, old) as i64;
            if way.zeroes {
                counts.not_zero += block.bytes_other_than(0, old) as i64;
            }
            blocks.push(block);
        };
        let (fresh_sizes, pairs) = match way.resize {
            None => (requests.sizes, &[][..]),
            Some(_) => (requests.of_null, requests.pairs),
        };
        for &size in fresh_sizes {
            let arguments = size.to_string();
            // Without a block, a routine that resizes allocates.
            let fresh = |crt: &Crt| match way.resize {
                None => (way.fresh)(crt, size),
                Some(resize) => resize(crt, Block::null(), size).map(Result::ok),
            };
            let (block, refused) = probe.observe_under(plan, way.routine, &arguments, fresh)?;
            self.refusals += i64::from(refused);
            self.calls += 1;
            if let Some(block) = block {
                given(self, block, 0);
            }
        }
        for &(old, new) in pairs {
            let block = filled(way, &probe.crt, old, OLD)?;
            let arguments = format!("block of {old}, {new}");
            let resize = way.resize.unwrap_or(|_, block, _| Ok(Err(block)));
            let resize = |crt: &Crt| resize(crt, block, new);
            let (resized, refused) = probe.observe_under(plan, way.routine, &arguments, resize)?;
            self.refusals += i64::from(refused);
            self.calls += 1;
            match resized {
                Ok(block) => given(self, block, old.min(new)),
                Err(block) => given(self, block, old),
            }
        }
        for (seed, block) in blocks.iter_mut().enumerate() {
            block.fill(seed as u64);
        }
        Ok(blocks)
    }

    /// Frees the blocks that [`Counts::call`] returned, while the fault follows the plan.
    fn free_all(
        &mut self,
        probe: &Probe,
        way: &Way,
        plan: Plan,
        blocks: &[Block],
    ) -> Result<(), Stop> {
        let free = |crt: &Crt| {
            for (seed, block) in blocks.iter().enumerate() {
                self.free(way, crt, block.again(), seed as u64)?;
            }
            Ok(())
        };
        let (_, met) = probe.under(plan, free)?;
        self.refusals += i64::from(met.refused);
        Ok(())
    }

    /// Frees a block, which has the pattern of the seed, and notes whether `errno` changes.
    fn free(&mut self, way: &Way, crt: &Crt, block: Block, seed: u64) -> Result<(), Stop> {
        const BEFORE: i32 = 77;
        self.changed += block.lost_bytes(seed) as i64;
        crt.set_errno(BEFORE);
        (way.free)(crt, block)?;
        self.errno_changed += i64::from(crt.errno().is_some_and(|errno| errno != BEFORE));
        self.freed += 1;
        Ok(())
    }

    /// Allocates the freed blocks of the table again, reads and frees all, and reports the
    /// counts.
    fn finish(mut self, probe: &mut Probe, mut live: Blocks) -> Result<(), Stop> {
        probe.step("allocate the freed blocks again, read and free all")?;
        self.changed += live.lost_bytes();
        live.fill(&probe.crt, mixed_size)?;
        self.changed += live.lost_bytes();
        live.free_all(&probe.crt)?;
        for (name, value) in [
            (REFUSALS, self.refusals),
            (CHANGED, self.changed),
            (NOT_ZERO, self.not_zero),
            (BAD, (!self.was_bad && is_bad(&probe.crt)).into()),
            (ERRNO_CHANGED, self.errno_changed),
            (FREED, self.freed),
            (CALLS, self.calls),
        ] {
            probe.fact(name, value)?;
        }
        Ok(())
    }
}

/// The sizes for a routine that allocates; for one that resizes, the sizes without a block,
/// and those before and after.
struct Requests {
    sizes: &'static [usize],
    of_null: &'static [usize],
    pairs: &'static [(usize, usize)],
}

/// A table for blocks of mixed sizes, 2 MiB in all.
fn table() -> Result<Blocks, Stop> {
    Blocks::with_room_for(count_for(2 * MIB, mixed_size))
}

/// A block of this size with the pattern of the seed.
fn filled(way: &Way, crt: &Crt, size: usize, seed: u64) -> Result<Block, Stop> {
    let mut block = (way.fresh)(crt, size)?.ok_or(Stop::OutOfMemory(size))?;
    block.fill(seed);
    Ok(block)
}
