//! `int _heapwalk(_HEAPINFO *entryinfo)`: returns the entries of the heap, one
//! for each call.

pub(super) mod walk;

use super::heapchk::{SUPPORTED, not_supported};
use super::histories::need_memory;
use super::workload::{LARGE_BLOCKS, is_freed_large, large_size, mixed_size, scattered};
use crate::clause::Section::{Introduction, Remarks, ReturnValue};
use crate::clause::check::{ANY, Check, by, every_call, none_of, one_of, only_if};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, derived, must, should, stated};
use crate::clauses::codes::{HEAPBADPTR, HEAPEND, HEAPOK};
use crate::clauses::exported::exported;
use crate::clauses::origins::CALLS_HANDLER;
use crate::clauses::origins::SUCCESS_KEEPS_ERRNO;
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::HeapInfo;
use heapmin_harness::probe::{Probe, Stop};
use std::ffi::c_void;
use walk::{HEAP_BAD_NODE, HEAP_BAD_PTR, HEAP_EMPTY, HEAP_END, HEAP_OK, Search};

const HEAPWALK: Routine = Routine {
    name: "_heapwalk",
    page: &pages::HEAPWALK,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(
        HEAPWALK,
        "heapwalk.exported",
        "the library exports _heapwalk",
    ),
    must(
        HEAPWALK,
        "heapwalk.starts-at-null-and-ends",
        "_heapwalk returns the first entry when _pentry is NULL, and _HEAPEND after the last entry",
        stated(Remarks).and(&pages::HEAPWALK, ReturnValue),
        &[&IN_USE, &LARGE],
        &[
            WALKS,
            by(
                "_HEAPOK (-2) for one entry or more, then _HEAPEND (-5)",
                |seen| ended(seen, |status, entries| status == HEAP_END && entries > 0),
            ),
        ],
    )
    .rests_on_system(),
    must(
        HEAPWALK,
        "heapwalk.empty-heap",
        "_heapwalk returns _HEAPEMPTY on a heap that was never used, or reaches _HEAPEND",
        derived(
            ReturnValue,
            "_HEAPEMPTY means a heap that is not initialised, and _HEAPEND the end of one that is",
        ),
        &[&UNUSED],
        &[
            WALKS,
            by("_HEAPEMPTY (-1) at once, or _HEAPEND (-5)", |seen| {
                ended(seen, |status, entries| {
                    status == HEAP_END || (status == HEAP_EMPTY && entries == 0)
                })
            }),
        ],
    ),
    must(
        HEAPWALK,
        "heapwalk.every-live-block-once",
        "_heapwalk returns each live block of malloc, calloc and realloc once, as _USEDENTRY",
        derived(
            Remarks,
            "each call returns the next entry of the heap, and says whether it is in use",
        ),
        &[&IN_USE, &LARGE],
        &[
            WALKS,
            by("every live block found once", every_live_block_once),
        ],
    )
    .rests_on_system(),
    must(
        HEAPWALK,
        "heapwalk.size-at-least-requested",
        "_heapwalk returns for a live block at least the size that was requested",
        derived(
            Remarks,
            "_size is the size of the entry, and malloc allocates at least the requested size",
        )
        .and(&pages::MALLOC, Remarks),
        &[&IN_USE, &LARGE],
        &[WALKS, none_of(walk::TOO_SMALL, walk::LIVE)],
    )
    .rests_on_system(),
    must(
        HEAPWALK,
        "heapwalk.freed-is-not-in-use",
        "_heapwalk returns no freed block as _USEDENTRY",
        derived(
            Remarks,
            "the flag says whether the entry is in use, and a freed block is available again",
        )
        .and(&pages::FREE, Remarks),
        &[&IN_USE, &LARGE],
        &[WALKS, none_of(walk::FREED_IN_USE, walk::ENTRIES)],
    )
    .rests_on_system(),
    must(
        HEAPWALK,
        "heapwalk.use-flag",
        "_heapwalk sets the flag of each entry to _FREEENTRY or _USEDENTRY",
        stated(Remarks),
        &[&IN_USE, &LARGE],
        &[WALKS, none_of(walk::BAD_FLAGS, walk::ENTRIES)],
    )
    .rests_on_system(),
    should(
        HEAPWALK,
        "heapwalk.entries-are-disjoint",
        "_heapwalk returns entries in use that do not overlap",
        derived(
            Remarks,
            "each call returns another entry of the heap, with its address and size",
        ),
        &[&IN_USE, &LARGE],
        &[WALKS, none_of(walk::OVERLAPPING, walk::ENTRIES)],
    )
    .rests_on_system(),
    must(
        HEAPWALK,
        "heapwalk.keeps-the-heap",
        "_heapwalk changes no byte of a live block, and the heap still allocates after a walk",
        derived(
            Introduction,
            "the routine returns information about the heap, and the page names no change to it",
        ),
        &[&IN_USE, &LARGE],
        &[none_of(CHANGED, walk::LIVE)],
    ),
    must(
        HEAPWALK,
        "heapwalk.success-keeps-errno",
        "_heapwalk leaves errno and _doserrno unchanged when it returns _HEAPOK or _HEAPEND, except on a system that does not support it",
        SUCCESS_KEEPS_ERRNO.and(&pages::HEAPWALK, Remarks),
        &[&STEPS],
        &[
            SUPPORTED,
            every_call(one_of(&[HEAPOK, HEAPEND]).keeps_errno()),
        ],
    ),
    must(
        HEAPWALK,
        "heapwalk.wild-entry",
        "_heapwalk returns _HEAPBADPTR when _pentry points outside the heap, or into the middle of a block",
        derived(
            ReturnValue,
            "_HEAPBADPTR means that _pentry is no valid pointer into the heap, and no entry starts in the middle of a block",
        ),
        &[&WILD],
        &[WALKS, every_call(one_of(&[HEAPBADPTR]))],
    ),
    must(
        HEAPWALK,
        "heapwalk.error-sets-enosys",
        "_heapwalk sets errno to ENOSYS when it returns an error",
        stated(ReturnValue),
        &[&WILD],
        &[NOTICES_AN_ERROR, every_call(ANY.sets_errno("ENOSYS"))],
    ),
    must(
        HEAPWALK,
        "heapwalk.null-is-einval",
        "_heapwalk returns _HEAPBADPTR and sets errno to EINVAL when it is given NULL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(one_of(&[HEAPBADPTR]).sets_errno("EINVAL"))],
    ),
    must(
        HEAPWALK,
        "heapwalk.null-calls-handler",
        "_heapwalk calls the invalid parameter handler when it is given NULL",
        CALLS_HANDLER,
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
];

static IN_USE: Case = Case::new(
    "heapwalk-in-use",
    "allocates 3000 blocks with malloc and one each with calloc and realloc, frees two thirds of the 3000, walks the heap, and allocates again",
    |probe| {
        in_use(
            probe,
            3000,
            mixed_size,
            |index| scattered(index) % 3 != 0,
            [1000, 90_000],
        )
    },
);

static LARGE: Case = Case::new(
    "heapwalk-large-blocks",
    "allocates 60 MiB of blocks of 128 KiB to 32 MiB with malloc and one each with calloc and realloc, frees two thirds of the 60 MiB, walks the heap, and allocates again",
    |probe| {
        need_memory(256 << 20)?;
        in_use(
            probe,
            LARGE_BLOCKS,
            large_size,
            is_freed_large,
            [40 << 20, 3 << 20],
        )
    },
);

/// Walks a heap of `count` blocks of malloc, of which some are freed, and a block each of
/// calloc and realloc, of these `sizes`.
fn in_use(
    probe: &mut Probe,
    count: usize,
    size_of: fn(usize) -> usize,
    is_freed: fn(usize) -> bool,
    sizes: [usize; 2],
) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(count)?;
    probe.step("allocate the blocks and free two thirds")?;
    blocks.fill(&probe.crt, size_of)?;
    let by_calloc = probe.crt.calloc(10, sizes[0] / 10)?;
    let by_calloc = by_calloc.ok_or(Stop::OutOfMemory(sizes[0]))?;
    let small = probe.crt.need(100)?;
    let resized = probe.crt.realloc(small, sizes[1])?;
    let by_realloc = resized.map_err(|_| Stop::OutOfMemory(sizes[1]))?;
    let mut search = Search::new(&blocks, is_freed, &[&by_calloc, &by_realloc]);
    blocks.free_where(&probe.crt, is_freed)?;
    probe.step("_heapwalk")?;
    let walked = search.walk(&probe.crt)?;
    search.report(probe, &walked)?;
    probe.step("allocate the freed blocks again, read and free all")?;
    blocks.fill(&probe.crt, size_of)?;
    probe.fact(CHANGED, blocks.lost_bytes())?;
    blocks.free_all(&probe.crt)?;
    probe.crt.free(by_calloc)?;
    probe.crt.free(by_realloc)
}

static UNUSED: Case = Case::new(
    "heapwalk-unused",
    "walks the heap before the first allocation",
    |probe| {
        let mut search = Search::new(&Blocks::with_room_for(0)?, |_| false, &[]);
        probe.step("_heapwalk before the first allocation")?;
        let walked = search.walk(&probe.crt)?;
        search.report(probe, &walked)
    },
);

static STEPS: Case = Case::new(
    "heapwalk-steps",
    "walks a heap of 20 blocks and reads errno after each call",
    |probe| {
        let mut blocks = Blocks::with_room_for(20)?;
        blocks.fill(&probe.crt, mixed_size)?;
        let mut info = HeapInfo::START;
        probe.step("_heapwalk, step by step")?;
        // A library that shares its heap with others may have many entries.
        for _ in 0..200 {
            let status = probe.observe("_heapwalk", "entry", |crt| crt.heapwalk(&mut info))?;
            if status != HEAP_OK {
                break;
            }
        }
        blocks.free_all(&probe.crt)
    },
);

static WILD: Case = Case::new(
    "heapwalk-wild-entry",
    "calls _heapwalk with NULL as _pentry, with an address outside the heap, and with the middle of a live block",
    |probe| {
        let mut block = probe.crt.need(1000)?;
        // What a library reads there is the same in every run.
        block.fill(0);
        probe.step("_heapwalk from the start")?;
        probe.crt.set_errno(0);
        let first = probe.crt.heapwalk(&mut HeapInfo { ..HeapInfo::START })?;
        let errno = probe.crt.errno();
        probe.fact(FIRST_STEP, first.into())?;
        probe.fact(walk::ERRNO, errno.unwrap_or(0).into())?;
        let here = [0u64; 64];
        let outside = &raw const here[32] as usize;
        for (what, address) in [
            ("address outside", outside),
            ("middle of a block", block.address() + 100),
        ] {
            let mut info = HeapInfo {
                entry: address as *mut c_void,
                ..HeapInfo::START
            };
            probe.step(&format!("_heapwalk on from: {what}"))?;
            probe.observe("_heapwalk", what, |crt| crt.heapwalk(&mut info))?;
        }
        probe.crt.free(block)
    },
);

static OF_NULL: Case = Case::new(
    "heapwalk-null",
    "sets an invalid parameter handler that returns, and calls _heapwalk with NULL",
    |probe| {
        let block = probe.crt.need(100)?;
        probe.expect_invalid_parameters()?;
        probe.step("_heapwalk(NULL)")?;
        probe.observe("_heapwalk", "NULL", |crt| crt.heapwalk_null())?;
        probe.crt.free(block)
    },
);

const CHANGED: &str = "bytes changed";
const FIRST_STEP: &str = "first step of a walk";

/// Passes unless the first call of the walk returned `_HEAPEND` with `ENOSYS`: in
/// this way a library reports that the system does not support `_heapwalk`.
const WALKS: Check = only_if(
    "the first call does not return _HEAPEND with errno ENOSYS",
    cannot_walk,
);

const NOTICES_AN_ERROR: Check = only_if(
    "a call returns _HEAPBADPTR (-6) or _HEAPBADNODE (-4)",
    |seen| {
        let mut calls = seen.observation.calls("_heapwalk");
        let errors = [HEAP_BAD_PTR, HEAP_BAD_NODE].map(i64::from);
        match calls.any(|call| errors.contains(&call.returned)) {
            true => None,
            false => Some(Judgement::not_judged("no call returned an error")),
        }
    },
);

fn fact(seen: &Seen, name: &str) -> i64 {
    seen.observation.fact(name).unwrap_or(i64::MIN)
}

/// The judgement of a library that says that its system does not support `_heapwalk`.
pub(super) fn cannot_walk(seen: &Seen) -> Option<Judgement> {
    let enosys = seen.numbering.number("ENOSYS").map(i64::from);
    let end = i64::from(HEAP_END);
    let at_once = fact(seen, walk::ENTRIES) == 0 && fact(seen, walk::ENDED_WITH) == end;
    let is_at_end = at_once || fact(seen, FIRST_STEP) == end;
    (is_at_end && seen.observation.fact(walk::ERRNO) == enosys).then(|| not_supported("_heapwalk"))
}

/// Judges the status that ended a walk, and the number of entries before it.
fn ended(seen: &Seen, holds: fn(i32, i64) -> bool) -> Judgement {
    let (status, entries) = (fact(seen, walk::ENDED_WITH), fact(seen, walk::ENTRIES));
    let holds = i32::try_from(status).is_ok_and(|status| holds(status, entries));
    Judgement::pass_if(holds, format!("{entries} entries, then {status}"))
}

fn every_live_block_once(seen: &Seen) -> Judgement {
    let (live, once) = (fact(seen, walk::LIVE), fact(seen, walk::FOUND_ONCE));
    let twice = fact(seen, walk::FOUND_TWICE);
    Judgement::pass_if(
        live > 0 && once == live,
        format!("{once} of {live} live blocks found once, {twice} more than once"),
    )
}
