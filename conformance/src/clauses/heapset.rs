//! `int _heapset(unsigned int fill)`: checks whether the heap is consistent and
//! fills its free entries. Not in the CRT since Visual Studio 2015.

use super::heapchk::SUPPORTED;
use super::heapwalk::walk::{FREE_ENTRY, HEAP_OK};
use super::workload::{mixed_size, scattered};
use crate::clause::Section::{Introduction, Remarks, Requirements, ReturnValue};
use crate::clause::check::{ANY, Check, every_call, every_call_of, none_of, one_of, only_if};
use crate::clause::{Case, Clause, Judgement, Routine, derived, must, stated};
use crate::clauses::codes::{HEAPEMPTY, HEAPOK};
use crate::clauses::exported::{EXPORTED, LOAD};
use crate::clauses::origins::SUCCESS_KEEPS_ERRNO;
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::HeapInfo;
use heapmin_harness::probe::{Probe, Stop, read_memory};

const HEAPSET: Routine = Routine {
    name: "_heapset",
    page: &pages::HEAPSET,
};

pub(super) static CLAUSES: &[Clause] = &[
    must(
        HEAPSET,
        "heapset.exported",
        "a library from before Visual Studio 2015 exports _heapset, and a later one does not",
        derived(
            Requirements,
            "the data of the page list the libraries that export the routine, and the CRT lacks it since Visual Studio 2015",
        )
        .and(&pages::HEAPSET, Introduction),
        &[&LOAD],
        &[EXPORTED],
    ),
    must(
        HEAPSET,
        "heapset.sound-heap",
        "_heapset returns _HEAPOK for a heap that is sound, or _HEAPEMPTY for one that is not initialised",
        stated(ReturnValue),
        &[&FILL],
        &[every_call(one_of(&[HEAPOK, HEAPEMPTY]))],
    ),
    must(
        HEAPSET,
        "heapset.fills-free-entries",
        "_heapset sets each byte of the free entries to the fill value: every byte that can be read of the entries that _heapwalk returns as free",
        stated(Remarks),
        &[&FILL],
        &[SUPPORTED, CAN_READ, none_of(UNFILLED, READ)],
    ),
    must(
        HEAPSET,
        "heapset.keeps-live-blocks",
        "_heapset changes no byte of a live block",
        derived(Remarks, "the routine fills free entries only"),
        &[&FILL],
        &[none_of(CHANGED, BLOCKS)],
    ),
    must(
        HEAPSET,
        "heapset.heap-stays-usable",
        "after _heapset the heap allocates blocks, calloc returns zeroed ones, and _heapchk returns _HEAPOK or _HEAPEMPTY",
        derived(
            Remarks,
            "the routine changes only the bytes of free entries, and calloc sets the bytes of a new block to 0",
        )
        .and(&pages::CALLOC, Remarks),
        &[&FILL],
        &[
            none_of(NOT_ZERO, BLOCKS),
            every_call_of("_heapchk", one_of(&[HEAPOK, HEAPEMPTY])),
        ],
    ),
    must(
        HEAPSET,
        "heapset.success-keeps-errno",
        "_heapset leaves errno and _doserrno unchanged when the heap is sound, except on a system that does not support it",
        SUCCESS_KEEPS_ERRNO.and(&pages::HEAPSET, Remarks),
        &[&FILL],
        &[SUPPORTED, every_call(ANY.keeps_errno())],
    ),
];

static FILL: Case = Case::new(
    "heapset-fill",
    "frees two thirds of 3000 blocks, calls _heapset with 0xA5, reads the free entries that a walk finds, allocates again, and calls _heapmin",
    |probe| {
        probe.step("_heapset before the first allocation")?;
        probe.observe("_heapset", "0xA5", |crt| crt.heapset(VALUE.into()))?;
        let mut blocks = Blocks::with_room_for(3000)?;
        probe.step("allocate the blocks and free two thirds")?;
        blocks.fill(&probe.crt, mixed_size)?;
        blocks.free_where(&probe.crt, |index| scattered(index) % 3 != 0)?;
        probe.step("_heapset with live blocks")?;
        probe.observe("_heapset", "0xA5", |crt| crt.heapset(VALUE.into()))?;
        probe.step("walk and read the free entries")?;
        let (unfilled, read) = read_free_entries(probe)?;
        probe.fact(UNFILLED, unfilled)?;
        probe.fact(READ, read)?;
        let mut changed = blocks.lost_bytes();
        probe.step("allocate again")?;
        let mut not_zero = 0;
        for index in 0..500 {
            let size = mixed_size(index);
            let block = probe.crt.calloc(1, size)?.ok_or(Stop::OutOfMemory(size))?;
            not_zero += block.bytes_other_than(0, 0) as i64;
            probe.crt.free(block)?;
        }
        blocks.fill(&probe.crt, mixed_size)?;
        // The filled entries are free, and _heapmin may release them.
        probe.step("_heapmin")?;
        probe.heapmin()?;
        changed += blocks.lost_bytes();
        probe.fact(CHANGED, changed)?;
        probe.fact(NOT_ZERO, not_zero)?;
        probe.fact(BLOCKS, blocks.live().count() as i64)?;
        probe.observe("_heapchk", "", |crt| crt.heapchk())?;
        blocks.free_all(&probe.crt)
    },
);

const VALUE: u8 = 0xA5;
const CHANGED: &str = "bytes of live blocks changed";
const BLOCKS: &str = "blocks";
const UNFILLED: &str = "bytes of free entries not filled";
const READ: &str = "bytes of free entries read";
const NOT_ZERO: &str = "bytes of calloc other than 0";

/// Passes if `_heapwalk` returned free entries that the case could read; else
/// there is nothing to judge.
const CAN_READ: Check = only_if(
    "_heapwalk returns a free entry that can be read",
    |seen| match seen.observation.fact(READ) {
        Some(0) => {
            let why = "_heapwalk returned no free entry that could be read";
            Some(Judgement::not_judged(why))
        }
        _ => None,
    },
);

/// Returns how many bytes of free entries are not filled, and how many were
/// read. Pages that cannot be read, because they have no memory, are skipped.
fn read_free_entries(probe: &mut Probe) -> Result<(i64, i64), Stop> {
    let (mut unfilled, mut read) = (0, 0);
    let mut buffer = [0u8; 4096];
    let mut info = HeapInfo::START;
    while probe.crt.heapwalk(&mut info)? == HEAP_OK {
        if info.use_flag != FREE_ENTRY {
            continue;
        }
        let (mut at, end) = (info.entry as usize, info.entry as usize + info.size);
        while at < end {
            // Page by page: one may have memory and the next none.
            let length = (4096 - at % 4096).min(end - at);
            let part = &mut buffer[..length];
            if read_memory(at, part) {
                read += length as i64;
                unfilled += part.iter().filter(|byte| **byte != VALUE).count() as i64;
            }
            at += length;
        }
    }
    Ok((unfilled, read))
}
