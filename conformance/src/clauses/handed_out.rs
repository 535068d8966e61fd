//! Routines that return a string in a block of `malloc`, which the caller frees: a copy, a
//! path, the value of an environment variable, or the name of a temporary file.
//!
//! No page says that the library of a heap exports them. A library without such a routine
//! has no such block, so its clause does not apply.

use super::heapwalk::walk::{HEAP_OK, MOST_ENTRIES, USED_ENTRY};
use crate::clause::Section::{Parameters, Remarks, ReturnValue};
use crate::clause::check::{Check, none_of};
use crate::clause::{Case, Clause, Origin, Routine, derived, must};
use crate::clauses::pages;
use heapmin_harness::probe::crt::{Block, Crt, HeapInfo, Text};
use heapmin_harness::probe::{Probe, Stop};

const FREED_BY_FREE: &str =
    "malloc allocates the block and free frees it, so it is a block as any other of malloc";

const ORIGIN: Origin = derived(Remarks, FREED_BY_FREE);

/// Declares the clause and the case of each routine.
macro_rules! handed_out {
    ($($case:ident $name:literal on $page:ident, $id:literal, $origin:expr, $case_name:literal, $calls:expr;)*) => {
        pub(super) static CLAUSES: &[Clause] = &[$(must(
            Routine { name: $name, page: &pages::$page },
            $id,
            concat!(
                $name,
                " returns a block of this heap: realloc and free take it, _msize returns at least its length, and a walk finds it in use until it is freed",
            ),
            $origin,
            &[&$case],
            CHECKS,
        )
        .may_lack(&[$name], "the library does not export the routine, so it has no such block"),)*];

        $(static $case: Case = Case::new(
            $case_name,
            concat!(
                "calls ",
                $name,
                " several times, asks _msize and _heapwalk for the blocks, writes all their bytes, resizes every other block, and frees them",
            ),
            |probe| blocks_of(probe, $name, $calls),
        );)*
    };
}

handed_out! {
    STRDUP "_strdup" on STRDUP, "handed-out.strdup", ORIGIN, "handed-out-strdup",
        |crt, number| copy(crt.strdup(&narrow(number))?);
    WCSDUP "_wcsdup" on STRDUP, "handed-out.wcsdup", ORIGIN, "handed-out-wcsdup",
        |crt, number| copy(crt.wcsdup(&Text::wide_of(LENGTHS[number]))?);
    MBSDUP "_mbsdup" on STRDUP, "handed-out.mbsdup", ORIGIN, "handed-out-mbsdup",
        |crt, number| copy(crt.mbsdup(&narrow(number))?);
    FULLPATH "_fullpath" on FULLPATH, "handed-out.fullpath", ORIGIN, "handed-out-fullpath",
        |crt, number| crt.fullpath(&Text::narrow(PATHS[number % PATHS.len()]));
    WFULLPATH "_wfullpath" on FULLPATH, "handed-out.wfullpath", ORIGIN, "handed-out-wfullpath",
        |crt, number| crt.wfullpath(&Text::wide(PATHS[number % PATHS.len()]));
    GETCWD "_getcwd" on GETCWD, "handed-out.getcwd", ORIGIN, "handed-out-getcwd",
        |crt, number| crt.getcwd(ROOM[number % ROOM.len()]);
    WGETCWD "_wgetcwd" on GETCWD, "handed-out.wgetcwd", ORIGIN, "handed-out-wgetcwd",
        |crt, number| crt.wgetcwd(ROOM[number % ROOM.len()]);
    GETDCWD "_getdcwd" on GETDCWD, "handed-out.getdcwd", derived(Parameters, FREED_BY_FREE), "handed-out-getdcwd",
        |crt, number| crt.getdcwd(ROOM[number % ROOM.len()]);
    WGETDCWD "_wgetdcwd" on GETDCWD, "handed-out.wgetdcwd", derived(Parameters, FREED_BY_FREE), "handed-out-wgetdcwd",
        |crt, number| crt.wgetdcwd(ROOM[number % ROOM.len()]);
    DUPENV "_dupenv_s" on DUPENV_S, "handed-out.dupenv-s",
        derived(Remarks, "the routine allocates the block and free frees it, so it is a block as any other of malloc"), "handed-out-dupenv-s",
        |crt, _| crt.dupenv(&Text::narrow("PATH"));
    WDUPENV "_wdupenv_s" on DUPENV_S, "handed-out.wdupenv-s",
        derived(Remarks, "the routine allocates the block and free frees it, so it is a block as any other of malloc"), "handed-out-wdupenv-s",
        |crt, _| crt.wdupenv(&Text::wide("PATH"));
    TEMPNAM "_tempnam" on TEMPNAM, "handed-out.tempnam", ORIGIN.and(&pages::TEMPNAM, ReturnValue), "handed-out-tempnam",
        |crt, _| crt.tempnam(&Text::narrow("heap"));
    WTEMPNAM "_wtempnam" on TEMPNAM, "handed-out.wtempnam", ORIGIN.and(&pages::TEMPNAM, ReturnValue), "handed-out-wtempnam",
        |crt, _| crt.wtempnam(&Text::wide("heap"));
}

const CHECKS: &[Check] = &[
    none_of(TOO_SMALL, BLOCKS),
    none_of(CHANGED, BLOCKS),
    none_of(NOT_FOUND, BLOCKS),
    none_of(STILL_FOUND, BLOCKS),
    none_of(BAD, BLOCKS),
];

const BLOCKS: &str = "blocks";
const TOO_SMALL: &str = "blocks that are too short for _msize";
const CHANGED: &str = "bytes changed";
const NOT_FOUND: &str = "blocks that a walk does not find in use";
const STILL_FOUND: &str = "freed blocks that a walk finds in use";
const BAD: &str = "times _heapchk found the heap bad";

/// Lengths of strings in bytes. All but the first are multiples of 4, so that wide
/// characters of both widths fill them.
const LENGTHS: [usize; 8] = [0, 4, 12, 16, 100, 5000, 40_000, 300_000];
const PATHS: [&str; 3] = [".", "a", "a/b"];
/// The room for a path, in characters.
const ROOM: [u16; 2] = [1500, 20_000];

fn narrow(number: usize) -> Text {
    Text::narrow(&"x".repeat(LENGTHS[number]))
}

/// The copy of a string: only a lack of memory is a reason for NULL.
fn copy(block: Option<Block>) -> Result<Option<Block>, Stop> {
    let longest = LENGTHS[LENGTHS.len() - 1];
    block.map(Some).ok_or(Stop::OutOfMemory(longest))
}

/// Calls the routine once for each of [`LENGTHS`], with the number of the call.
fn blocks_of(
    probe: &mut Probe,
    routine: &'static str,
    call: fn(&Crt, usize) -> Result<Option<Block>, Stop>,
) -> Result<(), Stop> {
    if !probe.crt.has(routine) {
        return Err(Stop::Missing(routine));
    }
    // Where _msize, _heapwalk or _heapchk is wrong about these, it cannot judge the others.
    let mut controls = vec![probe.crt.need(100)?, probe.crt.need(100)?];
    let was_bad = is_bad(&probe.crt);
    let mut blocks = Vec::with_capacity(LENGTHS.len());
    for number in 0..LENGTHS.len() {
        probe.step(&format!("{routine}, call {}", number + 1))?;
        // What stops a path or a name from being made, is not known here.
        let Some(block) = call(&probe.crt, number)? else {
            return Err(Stop::NotJudged(format!("{routine} returned NULL")));
        };
        controls.push(of_malloc_like(&probe.crt, &block)?);
        blocks.push(block);
    }
    probe.step("_msize and _heapwalk")?;
    let crt = &probe.crt;
    let mut too_small = 0;
    for block in &blocks {
        too_small += i64::from(is_too_small(crt, block) && !is_too_small_for_malloc(crt, block)?);
    }
    let found = found_in_use(crt, &blocks, &controls, controls.len());
    let not_found = found.map_or(0, |found| blocks.len().saturating_sub(found));
    probe.step("write all bytes, and resize every other block")?;
    for (seed, block) in blocks.iter_mut().enumerate() {
        block.fill(seed as u64);
    }
    let lost = blocks.iter().enumerate();
    let lost = lost.map(|(seed, block)| block.lost_bytes(seed as u64));
    let mut changed = lost.sum::<usize>();
    if changed > 0 {
        // The blocks share bytes, so that each can be freed only if the others are not.
        probe.fact(TOO_SMALL, too_small)?;
        probe.fact(CHANGED, changed as i64)?;
        return probe.fact(BLOCKS, blocks.len() as i64);
    }
    for (seed, block) in blocks.iter_mut().enumerate() {
        let old = block.size();
        if seed % 2 == 0 && probe.crt.has("realloc") {
            let resized = probe.crt.realloc(block.again(), old + 5000)?;
            *block = resized.map_err(|_| Stop::OutOfMemory(old + 5000))?;
        }
        changed += block.lost_bytes_of(seed as u64, old);
    }
    let mut bad = i64::from(!was_bad && is_bad(&probe.crt));
    probe.step("free them")?;
    for block in blocks.iter().chain(&controls[1..]) {
        probe.crt.free(block.again())?;
    }
    probe.step("_heapwalk and _heapchk")?;
    let still_found = found.and_then(|_| found_in_use(&probe.crt, &blocks, &controls, 1));
    bad += i64::from(!was_bad && is_bad(&probe.crt));
    probe.crt.free(controls[0].again())?;
    probe.fact(TOO_SMALL, too_small)?;
    probe.fact(CHANGED, changed as i64)?;
    probe.fact(NOT_FOUND, not_found as i64)?;
    probe.fact(STILL_FOUND, still_found.unwrap_or(0) as i64)?;
    probe.fact(BAD, bad)?;
    probe.fact(BLOCKS, blocks.len() as i64)
}

/// A block of `malloc` of the size that the block really has. The heap of Wine 10 leaves small
/// blocks out of a walk, of sizes that it has had often, whichever routine returned them.
fn of_malloc_like(crt: &Crt, block: &Block) -> Result<Block, Stop> {
    // A wrong `_msize` must not ask for all memory.
    const MOST: usize = 1 << 20;
    let size = crt.msize(block).unwrap_or(0);
    crt.need(size.clamp(block.size(), MOST))
}

/// Whether `_msize`, if there is one, returns less than the block's size.
fn is_too_small(crt: &Crt, block: &Block) -> bool {
    crt.msize(block).is_ok_and(|size| size < block.size())
}

/// Whether `_msize` does so also for a block of `malloc`.
fn is_too_small_for_malloc(crt: &Crt, block: &Block) -> Result<bool, Stop> {
    let of_malloc = crt.need(block.size())?;
    let is_so = is_too_small(crt, &of_malloc);
    crt.free(of_malloc)?;
    Ok(is_so)
}

/// How many of the blocks a walk finds in use. `None` if the library has no walk, or if
/// the walk does not find as many of the controls in use as there are.
fn found_in_use(
    crt: &Crt,
    blocks: &[Block],
    controls: &[Block],
    live_controls: usize,
) -> Option<usize> {
    let mut info = HeapInfo::START;
    let (mut found, mut of_controls) = (0, 0);
    for _ in 0..MOST_ENTRIES {
        if crt.heapwalk(&mut info).ok()? != HEAP_OK {
            break;
        }
        let is =
            |block: &&Block| info.use_flag == USED_ENTRY && info.entry as usize == block.address();
        found += blocks.iter().filter(is).count();
        of_controls += controls.iter().filter(is).count();
    }
    (of_controls == live_controls).then_some(found)
}

/// Whether `_heapchk`, if there is one, finds the heap bad: it returns neither `_HEAPOK`
/// nor `_HEAPEMPTY`.
pub(super) fn is_bad(crt: &Crt) -> bool {
    crt.heapchk().is_ok_and(|status| !matches!(status, -2 | -1))
}
