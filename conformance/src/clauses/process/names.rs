//! The names by which a process allocates and frees: all of one heap.

use super::PROCESS;
use crate::clause::Section::{Introduction, Numbered};
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, Verdict, derived, should};
use crate::clauses::pages;
use crate::figures::amount;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::process::{Posix, resolves_to};
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.names-of-one-heap",
        "with the library preloaded, the process finds each name that allocates or frees in this library, or in none",
        derived(
            Introduction,
            "a block of one heap must not reach free of another one, and the page lists the functions that a replacement should have",
        )
        .on(&pages::GLIBC_REPLACING),
        &[&NAMES],
        &[by("each name is of the library, or of none", all_here)],
    ),
    should(
        PROCESS,
        "process.sized-free",
        "the library exports free_sized and free_aligned_sized of C23; both ignore NULL, and free a block",
        derived(
            Numbered("7.24.3 Memory management functions"),
            "a program of C23 may call them for any block of the heap; those of the C library would free blocks of another heap",
        )
        .on(&pages::C23),
        &[&SIZED],
        &[by("both exported, and at most 16 MiB more after 400 blocks of 1 MiB were freed", sized)],
    ),
];

static NAMES: Case = Case::new(
    "process-names",
    "looks up, in the process, each name of the C library that allocates or frees",
    names,
)
.preloaded();
static SIZED: Case = Case::new(
    "process-sized-free",
    "frees 200 blocks of 1 MiB by free_sized and as many aligned ones by free_aligned_sized",
    sized_free,
)
.by_path();

const ALLOCATING: [&str; 13] = [
    "malloc",
    "calloc",
    "realloc",
    "free",
    "aligned_alloc",
    "posix_memalign",
    "memalign",
    "valloc",
    "pvalloc",
    "reallocarray",
    "malloc_usable_size",
    "free_sized",
    "free_aligned_sized",
];

fn elsewhere(name: &str) -> String {
    format!("{name} is of another library")
}

fn names(probe: &mut Probe) -> Result<(), Stop> {
    for name in ALLOCATING {
        let is_elsewhere = resolves_to(&probe.crt, name)?.is_some();
        probe.fact(&elsewhere(name), is_elsewhere.into())?;
    }
    Ok(())
}

fn all_here(seen: &Seen) -> Judgement {
    let fact = |name: &&str| seen.observation.fact(&elsewhere(name));
    if ALLOCATING.iter().any(|name| fact(name).is_none()) {
        return Verdict::Error.because("the case did not look up every name");
    }
    let others: Vec<_> = ALLOCATING
        .into_iter()
        .filter(|name| fact(name) != Some(0))
        .collect();
    match others.as_slice() {
        [] => Judgement::pass(format!(
            "none of {} names is of another library",
            ALLOCATING.len()
        )),
        names => Judgement::fail(format!("of another library: {}", names.join(", "))),
    }
}

const EXPORTED: &str = "names of C23 exported";
const MIB: usize = 1 << 20;
const EACH: usize = 200;
const BEFORE: &str = "before the sized frees";
const AFTER: &str = "after the sized frees";

fn sized_free(probe: &mut Probe) -> Result<(), Stop> {
    let posix = Posix::find(&probe.crt)?;
    let names = ["free_sized", "free_aligned_sized"];
    let exported = names.into_iter().filter(|name| posix.has(name)).count();
    let has_aligned = posix.has("aligned_alloc");
    probe.fact(EXPORTED, exported as i64)?;
    if exported < names.len() {
        return Ok(());
    }
    probe.step("free_sized(NULL, 0) and free_aligned_sized(NULL, 16, 0)")?;
    let posix = Posix::find(&probe.crt)?;
    posix.free_sized(0, 0)?;
    posix.free_aligned_sized(0, 16, 0)?;
    probe.crt.free(probe.crt.need(MIB)?)?;
    probe.moment(BEFORE)?;
    probe.step("free_sized(block of 1048576, 1048576)")?;
    for _ in 0..EACH {
        let mut block = probe.crt.need(MIB)?;
        block.fill(1);
        Posix::find(&probe.crt)?.free_sized(block.address(), MIB)?;
    }
    if has_aligned {
        probe.step("free_aligned_sized(block of 1048576, 64, 1048576)")?;
        for _ in 0..EACH {
            let posix = Posix::find(&probe.crt)?;
            let address = posix
                .aligned("aligned_alloc", 64, MIB)?
                .ok_or(Stop::OutOfMemory(MIB))?;
            Block::at(address, MIB).fill(1);
            posix.free_aligned_sized(address, 64, MIB)?;
        }
    }
    probe.moment(AFTER)
}

fn sized(seen: &Seen) -> Judgement {
    match seen.observation.fact(EXPORTED) {
        Some(2) => {}
        Some(count) => return Judgement::fail(format!("{count} of the 2 names are exported")),
        None => return Verdict::Error.because("the case did not look up the names"),
    }
    let resident = |moment| Some(seen.observation.memory(moment)?.resident);
    let (Some(before), Some(after)) = (resident(BEFORE), resident(AFTER)) else {
        return Verdict::Error.because("memory was not measured");
    };
    let grown = after.saturating_sub(before);
    Judgement::pass_if(
        grown <= 16 << 20,
        format!(
            "both exported; {} more after 400 blocks of 1 MiB",
            amount(grown)
        ),
    )
}
