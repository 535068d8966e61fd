//! `int _heapadd(void *memblock, size_t size)`: added memory to the heap in old
//! libraries. No Win32 system supports it, and it is not in the CRT since Visual
//! Studio 2015.

use super::sizes::SIZES;
use crate::clause::Section::{Introduction, Remarks, Requirements, ReturnValue};
use crate::clause::check::{ANY, every_call, none_of, one_of};
use crate::clause::{Case, Clause, Routine, derived, must};
use crate::clauses::codes::MINUS_ONE;
use crate::clauses::exported::{EXPORTED, LOAD};
use crate::clauses::pages;
use heapmin_harness::probe::crt::Block;

const HEAPADD: Routine = Routine {
    name: "_heapadd",
    page: &pages::HEAPADD,
};

pub(super) static CLAUSES: &[Clause] = &[
    must(
        HEAPADD,
        "heapadd.exported",
        "a library from before Visual Studio 2015 exports _heapadd, and a later one does not",
        derived(
            Requirements,
            "the data of the page list the libraries that export the routine, and the CRT lacks it since Visual Studio 2015",
        )
        .and(&pages::HEAPADD, Introduction),
        &[&LOAD],
        &[EXPORTED],
    ),
    must(
        HEAPADD,
        "heapadd.returns-minus-one",
        "_heapadd is not supported and returns -1 for memory of any kind",
        derived(ReturnValue, FAILS).and(&pages::HEAPADD, Remarks),
        &[&ADD],
        &[every_call(one_of(&[MINUS_ONE]))],
    ),
    must(
        HEAPADD,
        "heapadd.sets-enosys",
        "_heapadd is not supported and sets errno to ENOSYS",
        derived(ReturnValue, FAILS).and(&pages::HEAPADD, Remarks),
        &[&ADD],
        &[every_call(ANY.sets_errno("ENOSYS"))],
    ),
    must(
        HEAPADD,
        "heapadd.never-uses-the-memory",
        "the heap neither writes to the memory that was given to _heapadd nor allocates blocks in it",
        derived(
            ReturnValue,
            "a call that returns -1 did not add the memory to the heap",
        )
        .and(&pages::HEAPADD, Introduction),
        &[&ADD],
        &[none_of(INSIDE, REQUESTED), none_of(CHANGED, REQUESTED)],
    ),
];

/// Why every call fails.
const FAILS: &str = "a call without success returns -1 and sets errno to ENOSYS, and no Win32 system supports the routine";

static ADD: Case = Case::new(
    "heapadd-memory",
    "calls _heapadd with 64 KiB of the probe's memory and with NULL, then allocates blocks of many sizes",
    |probe| {
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
        probe.fact(REQUESTED, SIZES.len() as i64)
    },
);

const CHANGED: &str = "bytes of the memory changed";
const INSIDE: &str = "blocks inside the memory";
const REQUESTED: &str = "blocks requested";

/// The memory for `_heapadd`. A static variable is on no heap, not even on the
/// one that the probe allocates from.
static MEMORY: [std::sync::atomic::AtomicU64; 8192] =
    [const { std::sync::atomic::AtomicU64::new(0) }; 8192];
