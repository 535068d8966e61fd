//! `int _heapset(unsigned int fill)`: looks whether the heap is consistent and
//! fills its free entries. Gone from ucrtbase since Visual Studio 2015.

use super::heapwalk::walk::{FREE_ENTRY, HEAP_OK};
use super::workload::{mixed_size, scattered};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, by, every_call, every_call_of, none_of, one_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, stated};
use crate::clauses::codes::{HEAPEMPTY, HEAPOK};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::HeapInfo;
use heapmin_harness::probe::{Probe, Stop, read_memory};

const HEAPSET: Routine = Routine {
    name: "_heapset",
    page: &pages::HEAPSET,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapset
    // EXPECTED: the loader finds a routine named _heapset, or finds none where its page says that it is gone
    exported(
        HEAPSET,
        "heapset.exported",
        "the library exports _heapset; ucrtbase, since Visual Studio 2015, no longer does",
    ),
    // PAGE: _heapset
    // EXPECTED: _HEAPOK (-2) or _HEAPEMPTY (-1)
    must(
        HEAPSET,
        "heapset.sound-heap",
        "a sound heap appears to be consistent, or not initialised before its first use",
        stated(Remarks),
        &[&FILL],
        &[every_call(one_of(&[HEAPOK, HEAPEMPTY]))],
    ),
    // PAGE: _heapset
    must(
        HEAPSET,
        "heapset.fills-free-entries",
        "it sets each byte of the heap's free entries to the fill value",
        stated(Remarks),
        &[&FILL],
        &[by(
            "every byte of the entries that _heapwalk names as free, as far as it can be read",
            fills,
        )],
    ),
    // PAGE: _heapset
    // EXPECTED: every byte as written
    must(
        HEAPSET,
        "heapset.keeps-live-blocks",
        "live blocks are not filled",
        stated(Remarks),
        &[&FILL],
        &[none_of(CHANGED, BLOCKS)],
    ),
    // PAGE: _heapset
    // EXPECTED: blocks of many sizes, those of calloc with every byte 0, and _heapchk content
    must(
        HEAPSET,
        "heapset.heap-stays-usable",
        "afterwards the heap gives blocks, and calloc still zeroed ones",
        stated(Remarks),
        &[&FILL],
        &[
            none_of(NOT_ZERO, BLOCKS),
            every_call_of("_heapchk", one_of(&[HEAPOK, HEAPEMPTY])),
        ],
    ),
    // PAGE: _heapset, errno
    must(
        HEAPSET,
        "heapset.success-keeps-errno",
        "a call on a sound heap leaves errno and _doserrno as they were, but for ENOSYS on a system that has no such thing",
        stated(Remarks),
        &[&FILL],
        &[by(
            "errno and _doserrno as before",
            |seen| match is_unsupported(seen) {
                true => Judgement::unsupported(NO_FILLING),
                false => every_call(ANY.keeps_errno()).judge(seen),
            },
        )],
    ),
];

static FILL: Case = Case::new(
    "heapset-fill",
    "frees two thirds of 3000 blocks, fills the free entries with 0xA5, reads them along a walk, allocates again, and calls _heapmin",
    fill,
);

const VALUE: u8 = 0xA5;
const CHANGED: &str = "bytes of live blocks changed";
const BLOCKS: &str = "blocks";
const UNFILLED: &str = "bytes of free entries not filled";
const READ: &str = "bytes of free entries read";
const NOT_ZERO: &str = "bytes of calloc other than 0";
const NO_FILLING: &str = "_heapset says with ENOSYS that this system has no such thing";

fn fill(probe: &mut Probe) -> Result<(), Stop> {
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
    // What was filled is free, and no more in use than before.
    probe.step("_heapmin")?;
    probe.heapmin()?;
    changed += blocks.lost_bytes();
    probe.fact(CHANGED, changed)?;
    probe.fact(NOT_ZERO, not_zero)?;
    probe.fact(BLOCKS, blocks.live().count() as i64)?;
    probe.observe("_heapchk", "", |crt| crt.heapchk())?;
    blocks.free_all(&probe.crt)
}

/// How many bytes of free entries are not filled, and how many were read. What
/// cannot be read, because no memory is there, is passed over.
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
            // Page by page: one may be there and the next not.
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

fn is_unsupported(seen: &Seen) -> bool {
    let enosys = seen.numbering.number("ENOSYS");
    let mut calls = seen.observation.calls("_heapset");
    calls.all(|call| call.errno.map(|(_, after)| after) == enosys)
}

fn fills(seen: &Seen) -> Judgement {
    match (is_unsupported(seen), seen.observation.fact(READ)) {
        (true, _) => Judgement::unsupported(NO_FILLING),
        (false, Some(0)) => {
            Judgement::unsupported("_heapwalk named no free entry that could be read")
        }
        (false, _) => none_of(UNFILLED, READ).judge(seen),
    }
}
