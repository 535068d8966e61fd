//! The host's `errno`, which the program reads, after calls that succeed.

use super::PROCESS;
use crate::clause::Section::{Description, Introduction, Remarks};
use crate::clause::check::none_of;
use crate::clause::{Case, Clause, derived, should, stated};
use crate::clauses::pages;
use heapmin_harness::probe::process::{host_errno, refuse_advice, set_host_errno};
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.free-keeps-errno",
        "free leaves the host's errno as it was, also if the system refuses advice about memory",
        stated(Description).on(&pages::POSIX_FREE),
        &[&KEPT, &KEPT_PRELOADED],
        &[none_of(FREE, CALLS)],
    ),
    should(
        PROCESS,
        "process.success-keeps-errno",
        "malloc, calloc and realloc leave the host's errno as it was when they return a block, also if the system refuses advice about memory",
        derived(
            Remarks,
            "a routine sets errno on an error; a program reads it after a later failure, as it does with errno of this page. POSIX forbids only to set it to 0",
        )
        .on(&pages::ERRNO)
        .and(&pages::POSIX_ERRNO, Introduction),
        &[&KEPT, &KEPT_PRELOADED],
        &[
            none_of(MALLOC, CALLS),
            none_of(CALLOC, CALLS),
            none_of(REALLOC, CALLS),
        ],
    ),
];

static KEPT: Case = Case::new(
    "process-errno",
    "allocates, resizes and frees 20,000 blocks of 64 bytes to 200 KB, then again while the system refuses madvise with EINVAL",
    kept,
)
.by_path();
static KEPT_PRELOADED: Case = Case::new(
    "process-errno-preloaded",
    "the same, with the library preloaded",
    kept,
)
.preloaded();

const FREE: &str = "calls of free that changed errno";
const MALLOC: &str = "calls of malloc that changed errno";
const CALLOC: &str = "calls of calloc that changed errno";
const REALLOC: &str = "calls of realloc that changed errno";
const CALLS: &str = "calls of each routine";
const ROUNDS: usize = 10_000;
/// A value that no routine sets.
const MARK: i32 = 77;

#[derive(Default)]
struct Changed {
    malloc: i64,
    calloc: i64,
    realloc: i64,
    free: i64,
    calls: i64,
}

fn kept(probe: &mut Probe) -> Result<(), Stop> {
    let mut changed = Changed::default();
    probe.step("allocate and free")?;
    count(probe, &mut changed)?;
    probe.step("allocate and free while the system refuses madvise")?;
    refuse_advice()?;
    count(probe, &mut changed)?;
    probe.fact(MALLOC, changed.malloc)?;
    probe.fact(CALLOC, changed.calloc)?;
    probe.fact(REALLOC, changed.realloc)?;
    probe.fact(FREE, changed.free)?;
    probe.fact(CALLS, changed.calls)
}

fn count(probe: &mut Probe, changed: &mut Changed) -> Result<(), Stop> {
    let crt = &probe.crt;
    let differs = || i64::from(host_errno() != MARK);
    let mut held = Vec::with_capacity(2 * ROUNDS);
    for round in 0..ROUNDS {
        let size = if round % 50 == 0 { 200_000 } else { 64 };
        set_host_errno(MARK);
        let block = crt.malloc(size)?;
        changed.malloc += differs();
        let mut block = block.ok_or(Stop::OutOfMemory(size))?;
        block.write_byte(0, 1);
        if round % 3 == 0 {
            set_host_errno(MARK);
            let resized = crt.realloc(block, size + size / 2)?;
            changed.realloc += differs();
            block = resized.map_err(|_| Stop::OutOfMemory(size))?;
        }
        held.push(block);
        set_host_errno(MARK);
        let block = crt.calloc(size / 2, 2)?;
        changed.calloc += differs();
        held.push(block.ok_or(Stop::OutOfMemory(size))?);
        changed.calls += 1;
    }
    for block in held {
        set_host_errno(MARK);
        crt.free(block)?;
        changed.free += differs();
    }
    Ok(())
}
