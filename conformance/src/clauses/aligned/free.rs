//! `void _aligned_free(void *memblock)`: frees an aligned block; ignores NULL.

use super::super::workload::{MIB, grows_by_at_most, scattered};
use super::{SIZES, need};
use crate::clause::Section::{Introduction, Remarks};
use crate::clause::check::{ANY, by, every_call};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, derived, limited, must, stated};
use crate::clauses::exported::exported;
use crate::clauses::{limits, pages};
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const ALIGNED_FREE: Routine = Routine {
    name: "_aligned_free",
    page: &pages::ALIGNED_FREE,
};

pub(crate) static CLAUSES: &[Clause] = &[
    exported(
        ALIGNED_FREE,
        "aligned-free.exported",
        "the library exports _aligned_free",
    ),
    must(
        ALIGNED_FREE,
        "aligned-free.null-is-ignored",
        "_aligned_free ignores NULL: it leaves errno and _doserrno unchanged and does not call the invalid parameter handler",
        stated(Remarks),
        &[&OF_NULL],
        &[
            by(
                "the invalid parameter handler not called",
                no_handler_called,
            ),
            every_call(ANY.keeps_errno()),
        ],
    ),
    must(
        ALIGNED_FREE,
        "aligned-free.memory-available-again",
        "_aligned_free makes all memory of a block available again, including what was allocated only to align it",
        limited(Introduction, &limits::ALIGNED_BLOCKS_REUSED).and(&pages::FREE, Remarks),
        &[&MANY],
        &[by(
            "at most 8 MiB more resident after the 2000 blocks than before them",
            |seen| grows_by_at_most(8 * MIB, seen),
        )],
    ),
    must(
        ALIGNED_FREE,
        "aligned-free.keeps-errno",
        "_aligned_free leaves errno and _doserrno unchanged when it frees a block",
        derived(Remarks, "the routine modifies no global variable"),
        &[&ORDINARY],
        &[every_call(ANY.keeps_errno())],
    ),
];

static OF_NULL: Case = Case::new(
    "aligned-free-null",
    "sets an invalid parameter handler that returns, and frees NULL",
    |probe| {
        probe.expect_invalid_parameters()?;
        probe.observe("_aligned_free", "NULL", |crt| {
            crt.aligned_free(Block::null())
        })
    },
);

static MANY: Case = Case::new(
    "aligned-free-memory",
    "allocates, fills and frees 2000 aligned blocks of up to 128 KiB, one at a time",
    |probe| {
        allocate_fill_and_free(probe, 0)?;
        probe.moment("baseline")?;
        probe.step("allocate, fill and free 2000 aligned blocks")?;
        for index in 1..2000 {
            allocate_fill_and_free(probe, index)?;
        }
        probe.moment("after")
    },
);

static ORDINARY: Case = Case::new(
    "aligned-free-ordinary",
    "frees blocks of eight sizes in three alignments",
    |probe| {
        for size in SIZES {
            for alignment in [1, 64, 4096] {
                let block = need(probe, size, alignment)?;
                let arguments = format!("block of {size} aligned to {alignment}");
                probe.observe("_aligned_free", &arguments, |crt| crt.aligned_free(block))?;
            }
        }
        Ok(())
    },
);

fn allocate_fill_and_free(probe: &Probe, index: usize) -> Result<(), Stop> {
    let number = scattered(index);
    let (size, alignment) = (1 + number % (128 << 10), 1 << (number / 7 % 17));
    let mut block = need(probe, size, alignment)?;
    block.fill(1);
    probe.crt.aligned_free(block)
}

fn no_handler_called(seen: &Seen) -> Judgement {
    let mut calls = seen.observation.calls("_aligned_free");
    match calls.find(|call| call.handler_calls > 0) {
        Some(call) => Judgement::fail(format!("{call}, handler called")),
        None => Judgement::pass("handler not called"),
    }
}
