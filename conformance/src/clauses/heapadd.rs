//! `int _heapadd(void *memblock, size_t size)`: once added memory to the heap.
//! No longer supported on any Win32 system, and gone from ucrtbase since
//! Visual Studio 2015.

use super::sizes::SIZES;
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Routine, exported, must, stated};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;
use heapmin_harness::probe::{Probe, Stop};

const HEAPADD: Routine = Routine {
    name: "_heapadd",
    page: &pages::HEAPADD,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapadd
    // EXPECTED: the loader finds a routine named _heapadd, or finds none where its page says that it is gone
    exported(
        HEAPADD,
        "heapadd.exported",
        "the library exports _heapadd; ucrtbase, since Visual Studio 2015, no longer does",
    ),
    // PAGE: _heapadd
    // EXPECTED: -1
    must(
        HEAPADD,
        "heapadd.returns-minus-one",
        "it is not supported: it returns -1 for memory of any kind",
        stated(Remarks),
        &[&ADD],
        &[every_call(one_of(&[MINUS_ONE]))],
    ),
    // PAGE: _heapadd
    // EXPECTED: errno ENOSYS
    must(
        HEAPADD,
        "heapadd.sets-enosys",
        "it sets errno to ENOSYS",
        stated(Remarks),
        &[&ADD],
        &[every_call(ANY.sets_errno("ENOSYS"))],
    ),
    // PAGE: _heapadd
    // EXPECTED: every byte of it as written, and no block inside it
    must(
        HEAPADD,
        "heapadd.never-uses-the-memory",
        "the memory that it did not take is not used by the heap",
        stated(Remarks),
        &[&ADD],
        &[none_of(INSIDE, ASKED), none_of(CHANGED, ASKED)],
    ),
];

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
