//! Every routine in combinations: each pair of a size, an alignment, a history, a thread and
//! a refusal of the system is in some call. `conformance/tests/coverage/` names the pairs
//! and checks that none is missing.

mod blocks;
mod steps;
mod sweep;
mod whole_heap;

use super::histories::{CHANGED, MISALIGNED, NOT_ZERO, need_memory};
use super::pages;
use crate::clause::Section::Introduction;
use crate::clause::check::{Check, none_of};
use crate::clause::{Case, Clause, Origin, Routine, derived, must};
use blocks::{Conditions, Given};
use heapmin_harness::probe::fault::{Plan, Refusal};
use heapmin_harness::probe::{LastingThread, Probe, Stop};
use std::thread;
use sweep::{Role, Subject};
use whole_heap::Whole;

const CALLS: &str = "calls in combinations";
const WRONG: &str = "wrong results";

const CHECKS: &[Check] = &[
    none_of(MISALIGNED, CALLS),
    none_of(CHANGED, CALLS),
    none_of(NOT_ZERO, CALLS),
    none_of(WRONG, CALLS),
];

const ORIGIN: Origin = derived(
    Introduction,
    "the page states no exception for a size, a history of the memory, a thread, or a lack of memory",
);

/// Declares the clause and the two cases of each routine.
macro_rules! combinations {
    ($($routine:literal on $page:ident, $family:literal, $promise:literal, $act:expr $(, $mark:ident)?;)*) => {
        pub(super) static CLAUSES: &[Clause] = &[$({
            static UNHINDERED: Case = Case::new(
                concat!($family, "-combinations"),
                concat!("calls ", $routine, " in combinations of size, alignment, history and thread"),
                |probe| unhindered(probe, $act),
            );
            static REFUSED: Case = Case::new(
                concat!($family, "-combinations-refused"),
                concat!(
                    "calls ",
                    $routine,
                    " in combinations of size, alignment, history and thread, while the system takes no memory back, gives none, or limits the address space",
                ),
                |probe| refused(probe, $act),
            )
            .refuses();
            const ROUTINE: Routine = Routine { name: $routine, page: &pages::$page };
            must(
                ROUTINE,
                concat!($family, ".combinations"),
                concat!($routine, " ", $promise, ", whatever the size, the history of the memory, the thread, and what the system refuses"),
                ORIGIN,
                &[&UNHINDERED, &REFUSED],
                CHECKS,
            )
            $(.$mark())?
        },)*];
    };
}

combinations! {
    "malloc" on MALLOC, "malloc",
        "returns NULL or an aligned block whose bytes no other live block has",
        Work::Sweep(&MALLOC);
    "calloc" on CALLOC, "calloc",
        "returns NULL or an aligned block of zeros whose bytes no other live block has",
        Work::Sweep(&CALLOC);
    "realloc" on REALLOC, "realloc",
        "keeps the contents, and aligns the block that it returns",
        Work::Sweep(&REALLOC);
    "free" on FREE, "free",
        "frees the block and changes no other one",
        Work::Sweep(&FREE);
    "_msize" on MSIZE, "msize",
        "returns at least the requested size and changes no byte of the block",
        Work::Sweep(&MSIZE);
    "_expand" on EXPAND, "expand",
        "keeps the contents and the address of the block",
        Work::Sweep(&EXPAND);
    "_recalloc" on RECALLOC, "recalloc",
        "keeps the contents, aligns the block that it returns, and sets the bytes after the old size to 0",
        Work::Sweep(&RECALLOC);
    "_aligned_malloc" on ALIGNED_MALLOC, "aligned-malloc",
        "returns NULL or an aligned block whose bytes no other live block has",
        Work::Sweep(&ALIGNED_MALLOC);
    "_aligned_offset_malloc" on ALIGNED_OFFSET_MALLOC, "aligned-offset-malloc",
        "returns NULL or an aligned block whose bytes no other live block has",
        Work::Sweep(&ALIGNED_OFFSET_MALLOC);
    "_aligned_realloc" on ALIGNED_REALLOC, "aligned-realloc",
        "keeps the contents, and aligns the block that it returns",
        Work::Sweep(&ALIGNED_REALLOC);
    "_aligned_offset_realloc" on ALIGNED_OFFSET_REALLOC, "aligned-offset-realloc",
        "keeps the contents, and aligns the block that it returns",
        Work::Sweep(&ALIGNED_OFFSET_REALLOC);
    "_aligned_recalloc" on ALIGNED_RECALLOC, "aligned-recalloc",
        "keeps the contents, aligns the block that it returns, and sets the bytes after the old size to 0",
        Work::Sweep(&ALIGNED_RECALLOC);
    "_aligned_offset_recalloc" on ALIGNED_OFFSET_RECALLOC, "aligned-offset-recalloc",
        "keeps the contents, aligns the block that it returns, and sets the bytes after the old size to 0",
        Work::Sweep(&ALIGNED_OFFSET_RECALLOC);
    "_aligned_msize" on ALIGNED_MSIZE, "aligned-msize",
        "returns at least the requested size and changes no byte of the block",
        Work::Sweep(&ALIGNED_MSIZE);
    "_aligned_free" on ALIGNED_FREE, "aligned-free",
        "frees the block and changes no other one",
        Work::Sweep(&ALIGNED_FREE);
    "_heapmin" on HEAPMIN, "heapmin",
        "returns 0 or -1 and changes no live block",
        Work::WholeHeap(Whole::Heapmin);
    "_heapchk" on HEAPCHK, "heapchk",
        "finds no damage in a sound heap and changes no live block",
        Work::WholeHeap(Whole::Heapchk);
    "_heapwalk" on HEAPWALK, "heapwalk",
        "finds each live block once and changes none",
        Work::WholeHeap(Whole::Heapwalk), rests_on_system;
    "_heapset" on HEAPSET, "heapset",
        "finds no damage in a sound heap and changes no live block",
        Work::WholeHeap(Whole::Heapset);
}

const MALLOC: Subject = Subject::plain(Role::Allocate(|crt, size, _| crt.malloc(size)));
const CALLOC: Subject = Subject::plain(Role::Allocate(|crt, size, _| crt.calloc(1, size))).zeroes();
const REALLOC: Subject =
    Subject::plain(Role::Resize(|crt, block, size, _| crt.realloc(block, size)));
const FREE: Subject = Subject::plain(Role::Free(|crt, block| crt.free(block)));
const MSIZE: Subject = Subject::plain(Role::Read(|crt, block, _| crt.msize(block)));
const EXPAND: Subject = Subject::plain(Role::Expand(|crt, block, size| crt.expand(block, size)));
const RECALLOC: Subject = Subject::plain(Role::Resize(|crt, block, size, _| {
    crt.recalloc(block, 1, size)
}))
.zeroes();
const ALIGNED_MALLOC: Subject = Subject::aligned(Role::Allocate(|crt, size, rule| {
    crt.aligned_malloc(size, rule.alignment)
}));
const ALIGNED_OFFSET_MALLOC: Subject = Subject::aligned(Role::Allocate(|crt, size, rule| {
    crt.aligned_offset_malloc(size, rule.alignment, rule.offset)
}))
.at_offsets();
const ALIGNED_REALLOC: Subject = Subject::aligned(Role::Resize(|crt, block, size, rule| {
    crt.aligned_realloc(block, size, rule.alignment)
}));
const ALIGNED_OFFSET_REALLOC: Subject = Subject::aligned(Role::Resize(|crt, block, size, rule| {
    crt.aligned_offset_realloc(block, size, rule.alignment, rule.offset)
}))
.at_offsets();
const ALIGNED_RECALLOC: Subject = Subject::aligned(Role::Resize(|crt, block, size, rule| {
    crt.aligned_recalloc(block, 1, size, rule.alignment)
}))
.zeroes();
const ALIGNED_OFFSET_RECALLOC: Subject =
    Subject::aligned(Role::Resize(|crt, block, size, rule| {
        crt.aligned_offset_recalloc(block, 1, size, rule.alignment, rule.offset)
    }))
    .zeroes()
    .at_offsets();
const ALIGNED_MSIZE: Subject = Subject::aligned(Role::Read(|crt, block, rule| {
    crt.aligned_msize(block, rule.alignment, rule.offset)
}))
.at_offsets();
const ALIGNED_FREE: Subject =
    Subject::aligned(Role::Free(|crt, block| crt.aligned_free(block))).at_offsets();

/// What a case does.
#[derive(Clone, Copy)]
enum Work {
    /// Calls one routine in each step; see [`sweep`].
    Sweep(&'static Subject),
    /// Calls a routine of the whole heap; see [`whole_heap`].
    WholeHeap(Whole),
}

/// Memory that a case may use, in bytes.
const MEMORY: usize = 128 << 20;
/// The bytes by which the address space may grow while it is limited.
const ROOM: usize = 64 << 20;

fn unhindered(probe: &mut Probe, work: Work) -> Result<(), Stop> {
    let other = begin(probe)?;
    on_two_threads(probe, work, &other, None, "")?.report(probe)
}

fn refused(probe: &mut Probe, work: Work) -> Result<(), Stop> {
    let other = begin(probe)?;
    probe.prepare_fault_of_requests()?;
    let take_none = Some(Plan::Refuse(Refusal::Unsupported));
    let how = ", releases refused";
    let mut tally = on_two_threads(probe, work, &other, take_none, how)?;
    let how = ", memory refused";
    let give_none = Some(Plan::NoMemory);
    tally.add(on_two_threads(probe, work, &other, give_none, how)?);
    probe.limit_address_space(ROOM)?;
    let how = ", address space limited";
    tally.add(on_two_threads(probe, work, &other, Some(Plan::Off), how)?);
    tally.report(probe)
}

/// Uses the heap on this thread, and then on one that ends. Returns a third thread.
fn begin(probe: &mut Probe) -> Result<LastingThread, Stop> {
    need_memory(MEMORY)?;
    probe.step("use the heap on two threads, of which one ends")?;
    let crt = &probe.crt;
    let act = || crt.free(crt.need(100)?);
    act()?;
    thread::scope(|scope| scope.spawn(act).join().expect("it does not panic"))?;
    LastingThread::start().map_err(Stop::Failed)
}

/// Does the work on this thread and on the other one. The one that does not work allocates
/// the blocks that come from another thread.
fn on_two_threads(
    probe: &mut Probe,
    work: Work,
    other: &LastingThread,
    plan: Option<Plan>,
    how: &str,
) -> Result<Tally, Stop> {
    probe.step(&format!("calls on the first thread{how}"))?;
    let conditions = Conditions { probe, plan };
    let given = other.run(|| give(&conditions, work));
    let mut tally = perform(&conditions, work, given.map_err(Stop::Failed)??)?;
    probe.step(&format!("calls on another thread{how}"))?;
    let conditions = Conditions { probe, plan };
    let given = give(&conditions, work)?;
    let others = other.run(|| perform(&conditions, work, given));
    tally.add(others.map_err(Stop::Failed)??);
    Ok(tally)
}

fn give(conditions: &Conditions, work: Work) -> Result<Given, Stop> {
    match work {
        Work::Sweep(subject) => sweep::give(conditions, subject),
        Work::WholeHeap(_) => whole_heap::give(conditions),
    }
}

fn perform(conditions: &Conditions, work: Work, given: Given) -> Result<Tally, Stop> {
    match work {
        Work::Sweep(subject) => sweep::sweep(conditions, subject, given),
        Work::WholeHeap(whole) => whole_heap::call(conditions, whole, given),
    }
}

/// What was counted.
#[derive(Default)]
struct Tally {
    misaligned: i64,
    changed: usize,
    not_zero: usize,
    wrong: i64,
    calls: i64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.misaligned += other.misaligned;
        self.changed += other.changed;
        self.not_zero += other.not_zero;
        self.wrong += other.wrong;
        self.calls += other.calls;
    }

    fn report(self, probe: &mut Probe) -> Result<(), Stop> {
        probe.fact(MISALIGNED, self.misaligned)?;
        probe.fact(CHANGED, self.changed as i64)?;
        probe.fact(NOT_ZERO, self.not_zero as i64)?;
        probe.fact(WRONG, self.wrong)?;
        probe.fact(CALLS, self.calls)
    }
}
