//! `int _heapwalk(_HEAPINFO *entryinfo)`: names the heap's entries one after
//! another.

pub mod walk;

use super::workload::{mixed_size, scattered};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, by, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, should, stated};
use crate::clauses::codes::{HEAPBADPTR, HEAPEND, HEAPOK};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::HeapInfo;
use heapmin_harness::probe::{Probe, Stop};
use std::ffi::c_void;
use walk::{HEAP_BAD_PTR, HEAP_END, HEAP_OK, Search};

const HEAPWALK: Routine = Routine {
    name: "_heapwalk",
    page: &pages::HEAPWALK,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapwalk
    // EXPECTED: the loader finds a routine named _heapwalk
    exported(
        HEAPWALK,
        "heapwalk.exported",
        "the library exports _heapwalk",
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.starts-at-null-and-ends",
        "a walk starts at a null _pentry and ends in _HEAPEND",
        stated(Remarks),
        &[&IN_USE],
        &[by(
            "_HEAPOK (-2) for each of some entries, then _HEAPEND (-5)",
            |seen| {
                if_it_walks(seen, |seen| {
                    let (ended, entries) =
                        (fact(seen, walk::ENDED_WITH), fact(seen, walk::ENTRIES));
                    Judgement::pass_if(
                        ended == i64::from(HEAP_END) && entries > 0,
                        format!("{entries} entries, then {ended}"),
                    )
                })
            },
        )],
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.empty-heap",
        "a heap that nobody has used is not initialised, or has its end in reach",
        stated(Remarks),
        &[&UNUSED],
        &[by(
            "_HEAPEMPTY (-1) at once, or entries with _HEAPOK and then _HEAPEND (-5)",
            |seen| {
                if_it_walks(seen, |seen| {
                    let (ended, entries) =
                        (fact(seen, walk::ENDED_WITH), fact(seen, walk::ENTRIES));
                    let sound = ended == i64::from(HEAP_END) || (ended == -1 && entries == 0);
                    Judgement::pass_if(sound, format!("{entries} entries, then {ended}"))
                })
            },
        )],
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.every-live-block-once",
        "it names every live block of malloc, calloc and realloc once, as in use",
        stated(Remarks),
        &[&IN_USE],
        &[by("_USEDENTRY for each live block, none twice", |seen| {
            if_it_walks(seen, |seen| {
                let (live, once) = (fact(seen, walk::LIVE), fact(seen, walk::FOUND_ONCE));
                let twice = fact(seen, walk::FOUND_TWICE);
                Judgement::pass_if(
                    live > 0 && once == live,
                    format!("{once} of {live} live blocks found once, {twice} more than once"),
                )
            })
        })],
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.size-at-least-requested",
        "the size it gives for a live block is at least what was asked for",
        stated(Remarks),
        &[&IN_USE],
        &[by("no entry smaller than its block", |seen| {
            if_it_walks(seen, |seen| {
                none_of(walk::TOO_SMALL, walk::LIVE).judge(seen)
            })
        })],
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.freed-is-not-in-use",
        "what was freed is no longer named as in use",
        stated(Remarks),
        &[&IN_USE],
        &[by(
            "no _USEDENTRY at the address of a freed block",
            |seen| {
                if_it_walks(seen, |seen| {
                    none_of(walk::FREED_IN_USE, walk::ENTRIES).judge(seen)
                })
            },
        )],
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.use-flag",
        "the flag of each entry is _FREEENTRY or _USEDENTRY",
        stated(Remarks),
        &[&IN_USE],
        &[by("0 or 1", |seen| {
            if_it_walks(seen, |seen| {
                none_of(walk::BAD_FLAGS, walk::ENTRIES).judge(seen)
            })
        })],
    ),
    // PAGE: _heapwalk
    should(
        HEAPWALK,
        "heapwalk.entries-are-disjoint",
        "entries in use do not overlap",
        stated(Remarks),
        &[&IN_USE],
        &[by("no byte in two entries", |seen| {
            if_it_walks(seen, |seen| {
                none_of(walk::OVERLAPPING, walk::ENTRIES).judge(seen)
            })
        })],
    ),
    // PAGE: _heapwalk
    // EXPECTED: every byte as written, and the freed blocks to be had again
    must(
        HEAPWALK,
        "heapwalk.keeps-the-heap",
        "it only looks: live blocks are as they were, and the heap as usable",
        stated(Remarks),
        &[&IN_USE],
        &[none_of(CHANGED, walk::LIVE)],
    ),
    // PAGE: errno
    must(
        HEAPWALK,
        "heapwalk.success-keeps-errno",
        "a step that succeeds leaves errno and _doserrno as they were",
        stated(Remarks),
        &[&STEPS],
        &[by("errno and _doserrno as before", |seen| {
            let all_enosys = seen
                .observation
                .calls("_heapwalk")
                .all(|call| call.errno.map(|(_, after)| after) == seen.numbering.number("ENOSYS"));
            match all_enosys {
                true => Judgement::unsupported(NO_WALK),
                false => every_call(one_of(&[HEAPOK, HEAPEND]).keeps_errno()).judge(seen),
            }
        })],
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.wild-entry",
        "a _pentry that is no valid pointer into the heap gives _HEAPBADPTR",
        stated(Remarks),
        &[&WILD],
        &[by("_HEAPBADPTR (-6)", |seen| {
            // Asked of a sound walk: `_HEAPEND` for a wild entry proves nothing.
            let enosys = seen.numbering.number("ENOSYS").map(i64::from);
            let ends_at_once = fact(seen, FIRST_STEP) == i64::from(HEAP_END);
            match ends_at_once && seen.observation.fact(walk::ERRNO) == enosys {
                true => Judgement::unsupported(NO_WALK),
                false => every_call(one_of(&[HEAPBADPTR])).judge(seen),
            }
        })],
    ),
    // PAGE: _heapwalk
    must(
        HEAPWALK,
        "heapwalk.error-sets-enosys",
        "if an error occurs, errno is set to ENOSYS",
        stated(Remarks),
        &[&WILD],
        &[by("errno ENOSYS with _HEAPBADPTR", |seen| {
            let is_error = |returned: i64| returned == i64::from(HEAP_BAD_PTR) || returned == -4;
            match seen
                .observation
                .calls("_heapwalk")
                .any(|call| is_error(call.returned))
            {
                false => Judgement::unsupported("no error was noticed"),
                true => every_call(ANY.sets_errno("ENOSYS")).judge(seen),
            }
        })],
    ),
    // PAGE: _heapwalk
    // EXPECTED: _HEAPBADPTR (-6), errno EINVAL
    must(
        HEAPWALK,
        "heapwalk.null-is-einval",
        "without an entry it gives _HEAPBADPTR and EINVAL",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(one_of(&[HEAPBADPTR]).sets_errno("EINVAL"))],
    ),
    // PAGE: _heapwalk, Parameter validation
    // EXPECTED: the handler called
    must(
        HEAPWALK,
        "heapwalk.null-calls-handler",
        "without an entry it calls the invalid parameter handler first",
        stated(Remarks),
        &[&OF_NULL],
        &[every_call(ANY.calls_the_handler())],
    ),
];

static IN_USE: Case = Case::new(
    "heapwalk-in-use",
    "frees two thirds of 3000 blocks, has one of calloc and one of realloc, and walks the heap",
    in_use,
);

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
    "walks a heap with a few blocks and looks at errno after each step",
    steps,
);

static WILD: Case = Case::new(
    "heapwalk-wild-entry",
    "walks on from an address outside the heap, and from the middle of a live block",
    wild,
);

static OF_NULL: Case = Case::new(
    "heapwalk-null",
    "sets an invalid parameter handler that goes on, and calls _heapwalk without an entry",
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
/// What the page has for a system on which a heap cannot be walked.
const NO_WALK: &str = "_heapwalk says with ENOSYS that this system has no such thing";

fn fact(seen: &Seen, name: &str) -> i64 {
    seen.observation.fact(name).unwrap_or(i64::MIN)
}

/// Judges a walk, unless the library says that there is none on this system.
pub fn if_it_walks(seen: &Seen, judge: fn(&Seen) -> Judgement) -> Judgement {
    let enosys = seen.numbering.number("ENOSYS").map(i64::from);
    let at_once =
        fact(seen, walk::ENTRIES) == 0 && fact(seen, walk::ENDED_WITH) == i64::from(HEAP_END);
    if at_once && seen.observation.fact(walk::ERRNO) == enosys {
        return Judgement::unsupported(NO_WALK);
    }
    judge(seen)
}

fn in_use(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(3000)?;
    probe.step("allocate the blocks and free two thirds")?;
    blocks.fill(&probe.crt, mixed_size)?;
    let gone = |index: usize| scattered(index) % 3 != 0;
    let by_calloc = probe.crt.calloc(10, 100)?.ok_or(Stop::OutOfMemory(1000))?;
    let small = probe.crt.need(100)?;
    let resized = probe.crt.realloc(small, 90_000)?;
    let by_realloc = resized.map_err(|_| Stop::OutOfMemory(90_000))?;
    let mut search = Search::new(&blocks, gone, &[&by_calloc, &by_realloc]);
    blocks.free_where(&probe.crt, gone)?;
    probe.step("_heapwalk")?;
    let walked = search.walk(&probe.crt)?;
    search.report(probe, &walked)?;
    probe.step("allocate the freed blocks again, read and free all")?;
    blocks.fill(&probe.crt, mixed_size)?;
    probe.fact(CHANGED, blocks.lost_bytes())?;
    blocks.free_all(&probe.crt)?;
    probe.crt.free(by_calloc)?;
    probe.crt.free(by_realloc)
}

fn steps(probe: &mut Probe) -> Result<(), Stop> {
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
}

fn wild(probe: &mut Probe) -> Result<(), Stop> {
    let block = probe.crt.need(1000)?;
    probe.step("_heapwalk from the start")?;
    probe.crt.set_errno(0);
    let first = probe.crt.heapwalk(&mut HeapInfo { ..HeapInfo::START })?;
    let errno = probe.crt.errno();
    probe.fact(FIRST_STEP, first.into())?;
    probe.fact(walk::ERRNO, errno.unwrap_or(0).into())?;
    let mut here = 0u64;
    let outside = &raw mut here as usize;
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
}
