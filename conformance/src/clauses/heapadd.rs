//! `int _heapadd(void *memblock, size_t size)`: once added memory to the heap.
//! No longer supported on any Win32 system, and gone from ucrtbase since
//! Visual Studio 2015.

use super::exported::{LOAD, exported};
use super::sizes::SIZES;
use crate::calls::{every, none_of};
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 4] = [&EXPORTED, &RETURNS_MINUS_ONE, &SETS_ENOSYS, &KEEPS_HEAP];

static EXPORTED: Clause = Clause {
    id: "heapadd.exported",
    routine: "_heapadd",
    level: Level::Must,
    page: "_heapadd",
    summary: "the library exports _heapadd; ucrtbase, since Visual Studio 2015, no longer does",
    expects: "the loader finds a routine named _heapadd, or finds none where its page says that it is gone",
    cases: &[&LOAD],
    judge: exported,
};

static RETURNS_MINUS_ONE: Clause = Clause {
    id: "heapadd.returns-minus-one",
    routine: "_heapadd",
    level: Level::Must,
    page: "_heapadd",
    summary: "it is not supported: it returns -1 for memory of any kind",
    expects: "-1",
    cases: &[&ADD],
    judge: |seen| every("_heapadd").returns(&[-1]).judge(seen),
};

static SETS_ENOSYS: Clause = Clause {
    id: "heapadd.sets-enosys",
    routine: "_heapadd",
    level: Level::Must,
    page: "_heapadd",
    summary: "it sets errno to ENOSYS",
    expects: "errno ENOSYS",
    cases: &[&ADD],
    judge: |seen| every("_heapadd").sets_errno("ENOSYS").judge(seen),
};

static KEEPS_HEAP: Clause = Clause {
    id: "heapadd.never-uses-the-memory",
    routine: "_heapadd",
    level: Level::Must,
    page: "_heapadd",
    summary: "the memory that it did not take is not used by the heap",
    expects: "every byte of it as written, and no block inside it",
    cases: &[&ADD],
    judge: |seen| match seen.observation.fact(INSIDE) {
        Some(1..) => none_of(seen, INSIDE, ASKED),
        _ => none_of(seen, CHANGED, ASKED),
    },
};

static ADD: Case = Case::new(
    "heapadd-memory",
    "offers 64 KiB of its own, then nothing, then allocates blocks of many sizes",
    add,
);

const CHANGED: &str = "bytes of the memory changed";
const INSIDE: &str = "blocks inside the memory";
const ASKED: &str = "blocks asked for";

/// Memory to offer, in a place of its own, whichever heap the probe lives on.
static MEMORY: [std::sync::atomic::AtomicU64; 8192] =
    [const { std::sync::atomic::AtomicU64::new(0) }; 8192];

fn add(probe: &mut Probe) -> Result<(), Stop> {
    let mut memory = Block::at(MEMORY.as_ptr() as usize, size_of_val(&MEMORY));
    memory.fill(5);
    probe.step("_heapadd(memory, 65536)")?;
    probe.observe("_heapadd", "memory, 65536", |crt| crt.heapadd(&memory))?;
    probe.step("_heapadd(NULL, 0)")?;
    probe.observe("_heapadd", "NULL, 0", |crt| crt.heapadd(&Block::null()))?;
    probe.step("allocate blocks of many sizes")?;
    let range = memory.address()..memory.address() + memory.size();
    let mut inside = 0;
    for size in SIZES {
        let mut block = probe.crt.need(size)?;
        inside += i64::from(range.contains(&block.address()));
        block.fill(6);
        probe.crt.free(block)?;
    }
    probe.fact(INSIDE, inside)?;
    probe.fact(CHANGED, memory.lost_bytes(5) as i64)?;
    probe.fact(ASKED, SIZES.len() as i64)
}
