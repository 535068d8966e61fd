//! `void *_aligned_offset_recalloc(void *memblock, size_t num, size_t size,
//! size_t alignment, size_t offset)`: `_aligned_offset_realloc` whose new
//! bytes are zero.

use super::super::exported::{LOAD, exported};
use super::super::sizes::{NOT_A_POWER_OF_TWO, OVERFLOWING};
use super::{BLOCKS, CHANGED, MISALIGNED, NOT_ZERO, NewBytes, Offsets, resize_all};
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 7] = [
    &EXPORTED,
    &NEW_BYTES_ZERO,
    &ALIGNMENT,
    &KEEPS_CONTENTS,
    &OVERFLOW,
    &NOT_POWER_OF_TWO,
    &OFFSET_TOO_LARGE,
];

static EXPORTED: Clause = Clause {
    id: "aligned-offset-recalloc.exported",
    routine: "_aligned_offset_recalloc",
    level: Level::Must,
    page: "_aligned_offset_recalloc",
    summary: "the library exports _aligned_offset_recalloc",
    expects: "the loader finds a routine named _aligned_offset_recalloc",
    cases: &[&LOAD],
    judge: exported,
};

static NEW_BYTES_ZERO: Clause = Clause {
    id: "aligned-offset-recalloc.new-bytes-zero",
    routine: "_aligned_offset_recalloc",
    level: Level::Must,
    page: "_aligned_offset_recalloc",
    summary: "the elements that are added are initialised to 0",
    expects: "every byte behind the old size 0, also without an old block",
    cases: &[&RESIZE],
    judge: |seen| none_of(seen, NOT_ZERO, BLOCKS),
};

static ALIGNMENT: Clause = Clause {
    id: "aligned-offset-recalloc.alignment",
    routine: "_aligned_offset_recalloc",
    level: Level::Must,
    page: "_aligned_offset_recalloc",
    summary: "the resized block is aligned at the offset as it was",
    expects: "no block misaligned, for alignments from 1 to 1 MiB",
    cases: &[&RESIZE],
    judge: |seen| none_of(seen, MISALIGNED, BLOCKS),
};

static KEEPS_CONTENTS: Clause = Clause {
    id: "aligned-offset-recalloc.keeps-contents",
    routine: "_aligned_offset_recalloc",
    level: Level::Must,
    page: "_aligned_offset_recalloc",
    summary: "the contents are unchanged up to the shorter of the new and old sizes, and all of them if it fails",
    expects: "every byte as written",
    cases: &[&RESIZE, &OVERFLOWS],
    judge: |seen| none_of(seen, CHANGED, BLOCKS),
};

static OVERFLOW: Clause = Clause {
    id: "aligned-offset-recalloc.overflow",
    routine: "_aligned_offset_recalloc",
    level: Level::Must,
    page: "_aligned_offset_recalloc",
    summary: "a product of number and size that overflows gives NULL and ENOMEM, never a smaller block",
    expects: "NULL, errno ENOMEM",
    cases: &[&OVERFLOWS],
    judge: |seen| {
        let calls = every("_aligned_offset_recalloc");
        calls.gives_null().sets_errno("ENOMEM").judge(seen)
    },
};

static NOT_POWER_OF_TWO: Clause = Clause {
    id: "aligned-offset-recalloc.not-a-power-of-two",
    routine: "_aligned_offset_recalloc",
    level: Level::Must,
    page: "_aligned_offset_recalloc",
    summary: "an alignment that is not a power of two, 0 included, calls the invalid parameter handler and gives NULL and EINVAL",
    expects: "the handler called, NULL, errno EINVAL",
    cases: &[&ODD],
    judge: |seen| {
        let calls = every("_aligned_offset_recalloc").calls_the_handler();
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static OFFSET_TOO_LARGE: Clause = Clause {
    id: "aligned-offset-recalloc.offset-too-large",
    routine: "_aligned_offset_recalloc",
    level: Level::Must,
    page: "_aligned_offset_recalloc",
    summary: "an offset that is not 0 and not below the new size calls the invalid parameter handler and gives NULL and EINVAL",
    expects: "the handler called, NULL, errno EINVAL",
    cases: &[&FAR],
    judge: |seen| {
        let calls = every("_aligned_offset_recalloc").calls_the_handler();
        calls.gives_null().sets_errno("EINVAL").judge(seen)
    },
};

static RESIZE: Case = Case::new(
    "aligned-offset-recalloc-resize",
    "resizes blocks of each alignment from 1 to 1 MiB, at three offsets, through eight sizes and back",
    |probe| {
        resize_all(
            probe,
            Offsets::Some,
            NewBytes::Zero,
            |crt, block, size, alignment, offset| {
                crt.aligned_offset_recalloc(block, size, 1, alignment, offset)
            },
        )
    },
);

static OVERFLOWS: Case = Case::new(
    "aligned-offset-recalloc-overflow",
    "resizes a block to products that overflow",
    |probe| refused(probe, &OVERFLOWING.map(|(number, size)| (number, size, 64))),
);

static ODD: Case = Case::new(
    "aligned-offset-recalloc-not-a-power-of-two",
    "sets an invalid parameter handler that goes on, and resizes a block with alignments that are not powers of two",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(
            probe,
            &NOT_A_POWER_OF_TWO.map(|alignment| (250, 8, alignment)),
        )
    },
);

static FAR: Case = Case::new(
    "aligned-offset-recalloc-offset-too-large",
    "sets an invalid parameter handler that goes on, and resizes a block to sizes that are not over the offset",
    |probe| {
        probe.expect_invalid_parameters()?;
        refused(probe, &[(1, 8, 64), (1, 3, 64)])
    },
);

const SIZE: usize = 1000;
const OFFSET: usize = 8;

/// Makes requests that must fail, of one block: number, size, alignment.
fn refused(probe: &mut Probe, requests: &[(usize, usize, usize)]) -> Result<(), Stop> {
    let mut changed = 0;
    for &(number, size, alignment) in requests {
        let block = probe.crt.aligned_offset_malloc(SIZE, 64, OFFSET)?;
        let mut block = block.ok_or(Stop::OutOfMemory(SIZE))?;
        block.fill(1);
        let arguments = format!("block, {number:#x}, {size:#x}, {alignment:#x}, {OFFSET}");
        probe.step(&format!("_aligned_offset_recalloc({arguments})"))?;
        let given: Result<Block, Block> =
            probe.observe("_aligned_offset_recalloc", &arguments, |crt| {
                crt.aligned_offset_recalloc(block, number, size, alignment, OFFSET)
            })?;
        if let Err(kept) = given {
            changed += kept.lost_bytes(1);
            probe.crt.aligned_free(kept)?;
        }
    }
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(BLOCKS, requests.len() as i64)
}
