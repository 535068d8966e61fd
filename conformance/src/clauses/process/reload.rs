//! The library is loaded and unloaded many times.

use super::{PROCESS, need};
use crate::clause::Section::Description;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, derived, limited, should};
use crate::clauses::{limits, pages};
use heapmin_harness::probe::process::reload;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.unload-gives-back-addresses",
        "a library that is loaded, used and unloaded 1,000 times takes no more address space and no more mappings than after the first times",
        limited(Description, &limits::AFTER_UNLOADS).on(&pages::DLCLOSE),
        &[&RELOADED],
        &[by(
            "at most 64 MiB of address space and 64 mappings more",
            gives_back,
        )],
    ),
    should(
        PROCESS,
        "process.usable-after-unload",
        "the heap works each time that the library is loaded again, also in threads that end after the library was unloaded",
        derived(
            Description,
            "dlclose gives up the library, so that a later dlopen loads it anew",
        )
        .on(&pages::DLCLOSE),
        &[&RELOADED],
        &[by("blocks after each of the loads", usable)],
    ),
];

static RELOADED: Case = Case::new(
    "process-reloaded",
    "unloads the library, then loads it, allocates, frees and unloads it 1,000 times; in each fiftieth time a thread that used the heap ends after the unload",
    reloaded,
)
.by_path();

const LOADS: u32 = 1000;
const COUNT: &str = "loads";
const WITHOUT_A_BLOCK: &str = "loads without a block";
const MIB_ADDED: &str = "MiB of address space added";
const MAPPINGS_ADDED: &str = "mappings added";

fn reloaded(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("load, use and unload the library 1,000 times")?;
    let seen = reload(probe, LOADS)?;
    probe.fact(COUNT, seen.loads.into())?;
    probe.fact(WITHOUT_A_BLOCK, seen.refused.into())?;
    probe.fact(MIB_ADDED, seen.address_space >> 20)?;
    probe.fact(MAPPINGS_ADDED, seen.mappings)
}

fn gives_back(seen: &Seen) -> Judgement {
    let added = need(seen, MIB_ADDED).and_then(|mib| Ok((mib, need(seen, MAPPINGS_ADDED)?)));
    match added {
        Err(judgement) => judgement,
        Ok((mib, mappings)) => Judgement::pass_if(
            mib <= 64 && mappings <= 64,
            format!("{mib} MiB and {mappings} mappings were added"),
        ),
    }
}

fn usable(seen: &Seen) -> Judgement {
    match need(seen, WITHOUT_A_BLOCK) {
        Err(judgement) => judgement,
        Ok(refused) => Judgement::pass_if(
            refused == 0,
            format!("no block after {refused} of {LOADS} loads"),
        ),
    }
}
