//! `size_t _msize(void *memblock)`: the size of a block in bytes.

use super::histories::{CHANGED, need_memory};
use super::origins::SUCCESS_KEEPS_ERRNO;
use super::sizes::SIZES;
use super::workload::mixed_size;
use crate::clause::Section::{Introduction, Remarks};
use crate::clause::check::{ANY, Check, by, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, derived, must, should, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::exported::exported;
use crate::clauses::pages;
use heapmin_harness::probe::crt::{Block, Crt, Places};
use heapmin_harness::probe::{Probe, Stop};

const MSIZE: Routine = Routine {
    name: "_msize",
    page: &pages::MSIZE,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(MSIZE, "msize.exported", "the library exports _msize"),
    must(
        MSIZE,
        "msize.at-least-requested",
        "_msize returns at least the requested size for a block of malloc, calloc or realloc",
        derived(
            Remarks,
            "_msize returns the size of the block, which is at least the requested size",
        )
        .and(&pages::MALLOC, Remarks),
        &[&ORDINARY, &RESIZED],
        &[none_of(TOO_SMALL, BLOCKS)],
    ),
    should(
        MSIZE,
        "msize.every-byte-usable",
        "every byte that _msize counts belongs to the block: the caller can write it without harm to other blocks",
        derived(
            Remarks,
            "_msize returns the size of the block, so that a byte that it counts is the block's",
        ),
        &[&TO_THE_END, &RESIZED],
        &[none_of(CHANGED, BLOCKS), CONSISTENT],
    ),
    must(
        MSIZE,
        "msize.null-is-einval",
        "_msize of NULL returns -1 and sets errno to EINVAL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(one_of(&[MINUS_ONE]).sets_errno("EINVAL"))],
    ),
    must(
        MSIZE,
        "msize.null-calls-handler",
        "_msize of NULL calls the invalid parameter handler before it returns",
        stated(Remarks).and(&pages::PARAMETER_VALIDATION, Introduction),
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
    must(
        MSIZE,
        "msize.success-keeps-errno",
        "_msize of a block leaves errno and _doserrno as they were",
        SUCCESS_KEEPS_ERRNO,
        &[&ORDINARY],
        &[every_call(ANY.keeps_errno())],
    ),
];

static ORDINARY: Case = Case::new(
    "msize-ordinary",
    "calls _msize for blocks of malloc, calloc and realloc",
    ordinary,
);

static TO_THE_END: Case = Case::new(
    "msize-every-byte",
    "allocates 2000 blocks, fills as many bytes of each as _msize returns, and reads them all again",
    to_the_end,
);

static RESIZED: Case = Case::new(
    "msize-every-byte-resized",
    "allocates blocks of 1 byte to 64 MiB with malloc, calloc, realloc, _recalloc and _expand, fills as many bytes of each as _msize returns, reads them all again, and calls _heapchk",
    resized,
);

static OF_NULL: Case = Case::new(
    "msize-null",
    "sets an invalid parameter handler that returns, and calls _msize with NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.step("_msize(NULL)")?;
        probe.observe("_msize", "NULL", |crt| crt.msize(&Block::null()))?;
        Ok(())
    },
);

pub(super) const TOO_SMALL: &str = "blocks smaller than requested";
pub(super) const BLOCKS: &str = "blocks";

fn ordinary(probe: &mut Probe) -> Result<(), Stop> {
    let (mut too_small, mut count) = (0, 0);
    for size in [0].into_iter().chain(SIZES) {
        probe.step(&format!("blocks of {size} bytes"))?;
        let out_of_memory = Stop::OutOfMemory(size);
        let by_malloc = probe.crt.need(size)?;
        let by_calloc = probe.crt.calloc(1, size)?.ok_or(out_of_memory.clone())?;
        let small = probe.crt.need(3)?;
        // Size 0 would free the block.
        let resized = probe.crt.realloc(small, size.max(1))?;
        let by_realloc = resized.map_err(|_| out_of_memory)?;
        for block in [by_malloc, by_calloc, by_realloc] {
            let size = probe.observe("_msize", "block", |crt| crt.msize(&block))?;
            too_small += i64::from(size < block.size());
            count += 1;
            probe.crt.free(block)?;
        }
    }
    probe.fact(TOO_SMALL, too_small)?;
    probe.fact(BLOCKS, count)
}

fn to_the_end(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Vec::new();
    probe.step("allocate 2000 blocks and fill each as far as _msize says")?;
    for index in 0..2000 {
        let size = mixed_size(index);
        let block = probe.crt.need(size)?;
        let all = probe.crt.msize(&block)?;
        let mut block = block.with_size(all.max(size));
        block.fill(index as u64);
        blocks.push(block);
    }
    probe.step("read them all again")?;
    let changed = blocks
        .iter()
        .enumerate()
        .map(|(index, block)| block.lost_bytes(index as u64));
    probe.fact(CHANGED, changed.sum::<usize>() as i64)?;
    probe.fact(BLOCKS, blocks.len() as i64)?;
    blocks
        .into_iter()
        .try_for_each(|block| probe.crt.free(block))
}

/// Sizes of the blocks that are filled as far as the library says: around the edges of
/// pages and powers of two.
pub(super) const FILLED: [usize; 20] = [
    1,
    7,
    16,
    24,
    100,
    255,
    1000,
    2000,
    4096,
    5000,
    8192,
    16_000,
    32_768,
    40_000,
    131_072,
    131_073,
    500_000,
    1 << 20,
    (2 << 20) + 1,
    64 << 20,
];

/// The ways in which a caller gets a block of a size.
const WAYS: [(&str, Way); 7] = [
    ("malloc", |crt, size| crt.malloc(size)),
    ("calloc", |crt, size| crt.calloc(1, size)),
    ("realloc", |crt, size| {
        Ok(crt.realloc(crt.need(size.div_ceil(2))?, size)?.ok())
    }),
    ("realloc", |crt, size| {
        Ok(crt.realloc(crt.need(size + size / 3 + 1)?, size)?.ok())
    }),
    ("_recalloc", |crt, size| {
        Ok(crt.recalloc(crt.need(2 * size)?, size, 1)?.ok())
    }),
    ("_expand", |crt, size| {
        let block = crt.need(size + size / 3 + 1)?;
        // A library may refuse; the block stays as it is.
        crt.expand(&block, size)?;
        Ok(Some(block.with_size(size)))
    }),
    ("_expand", |crt, size| {
        let block = crt.need(size.div_ceil(2))?;
        match crt.expand(&block, size)? {
            Some(grown) => Ok(Some(grown)),
            None => Ok(Some(block)),
        }
    }),
];
type Way = fn(&Crt, usize) -> Result<Option<Block>, Stop>;

fn resized(probe: &mut Probe) -> Result<(), Stop> {
    need_memory(512 << 20)?;
    let mut filled = Filled::default();
    for (number, (name, way)) in WAYS.into_iter().enumerate() {
        if !probe.crt.has(name) {
            continue;
        }
        probe.step(&format!("blocks of {name}"))?;
        for size in FILLED {
            // Blocks of one size that follow each other are neighbours in most heaps. The
            // largest is allocated in one way only.
            let count = match size {
                ..=5000 => 3,
                _ if size == 64 << 20 => usize::from(number == 0),
                _ => 1,
            };
            for _ in 0..count {
                let block = way(&probe.crt, size)?.ok_or(Stop::OutOfMemory(size))?;
                let counted = probe.crt.msize(&block)?;
                filled.add(block, counted);
            }
        }
    }
    filled.report(probe, |crt, block| crt.free(block))
}

/// Blocks that are filled as far as the library says that they reach.
#[derive(Default)]
pub(super) struct Filled {
    blocks: Vec<(Block, Places)>,
    too_small: i64,
}

impl Filled {
    /// Fills a block with this number of bytes, as the library counts them.
    pub(super) fn add(&mut self, block: Block, counted: usize) {
        let size = block.size();
        self.too_small += i64::from(counted < size);
        // No heap rounds up further. What a wrong size counts beyond is not mapped.
        let counted = counted.clamp(size, 2 * size + (64 << 10));
        let places = Places::of(&[size, counted]);
        let mut block = block.with_size(counted);
        block.fill_places(&places, self.blocks.len() as u64);
        self.blocks.push((block, places));
    }

    /// Reads all blocks, checks the heap, frees them, and reports what was counted.
    pub(super) fn report(
        self,
        probe: &mut Probe,
        free: fn(&Crt, Block) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        probe.step("read them all again")?;
        let blocks = self.blocks.iter().enumerate();
        let changed =
            blocks.map(|(seed, (it, places))| it.lost_in_places(places, seed as u64, it.size()));
        probe.fact(CHANGED, changed.sum::<usize>() as i64)?;
        probe.fact(TOO_SMALL, self.too_small)?;
        probe.fact(BLOCKS, self.blocks.len() as i64)?;
        if probe.crt.has("_heapchk") {
            probe.step("_heapchk")?;
            let status = probe.crt.heapchk()?;
            probe.fact(HEAPCHK, status.into())?;
        }
        probe.step("free them")?;
        for (block, _) in self.blocks {
            free(&probe.crt, block)?;
        }
        Ok(())
    }
}

const HEAPCHK: &str = "_heapchk";

/// If the case called `_heapchk`, the heap was consistent.
pub(super) const CONSISTENT: Check = by(
    "_HEAPOK (-2) or _HEAPEMPTY (-1) from _heapchk, if the case calls it",
    |seen: &Seen| {
        let status = seen.observation.fact(HEAPCHK);
        Judgement::pass_if(
            matches!(status, None | Some(-2 | -1)),
            match status {
                Some(status) => format!("every byte kept; _heapchk {status}"),
                None => "every byte kept".into(),
            },
        )
    },
);
