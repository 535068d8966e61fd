//! `int _heapchk(void)`: checks whether the heap is consistent.

pub(super) mod damage;

use super::workload::{mixed_size, scattered};
use crate::clause::Section::{Remarks, ReturnValue};
use crate::clause::check::{ANY, Check, every_call, one_of, only_if};
use crate::clause::{Case, Clause, Judgement, Routine, must, stated};
use crate::clauses::codes::{HEAPEMPTY, HEAPOK};
use crate::clauses::exported::exported;
use crate::clauses::origins::SUCCESS_KEEPS_ERRNO;
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

const HEAPCHK: Routine = Routine {
    name: "_heapchk",
    page: &pages::HEAPCHK,
};

pub(super) static CLAUSES: &[Clause] = &[
    exported(HEAPCHK, "heapchk.exported", "the library exports _heapchk"),
    must(
        HEAPCHK,
        "heapchk.sound-heap",
        "_heapchk returns _HEAPOK for a heap that is sound, or _HEAPEMPTY for one that is not initialised",
        stated(ReturnValue),
        &[&LIFE],
        &[every_call(one_of(&[HEAPOK, HEAPEMPTY]))],
    ),
    must(
        HEAPCHK,
        "heapchk.success-keeps-errno",
        "_heapchk leaves errno and _doserrno unchanged when the heap is sound, except on a system that does not support it",
        SUCCESS_KEEPS_ERRNO.and(&pages::HEAPCHK, Remarks),
        &[&LIFE],
        &[SUPPORTED, every_call(ANY.keeps_errno())],
    ),
];

static LIFE: Case = Case::new(
    "heapchk-life",
    "calls _heapchk before the first allocation, with 3000 blocks, with gaps between them, after _heapmin, with the gaps filled, and after the last free",
    |probe| {
        check(probe, "before the first allocation")?;
        let mut blocks = Blocks::with_room_for(3000)?;
        blocks.fill(&probe.crt, mixed_size)?;
        check(probe, "with 3000 live blocks")?;
        blocks.free_where(&probe.crt, |index| scattered(index) % 3 != 0)?;
        check(probe, "with gaps")?;
        probe.step("_heapmin")?;
        probe.crt.heapmin()?;
        check(probe, "after _heapmin")?;
        blocks.fill(&probe.crt, |index| mixed_size(index + 1))?;
        check(probe, "filled again")?;
        blocks.free_all(&probe.crt)?;
        check(probe, "after the last free")
    },
);

fn check(probe: &mut Probe, when: &str) -> Result<(), Stop> {
    probe.step(&format!("_heapchk {when}"))?;
    probe.observe("_heapchk", "", |crt| crt.heapchk())?;
    Ok(())
}

/// Passes unless every call of the clause's routine sets `errno` to `ENOSYS`: in
/// this way a library reports that the system does not support `_heapchk`,
/// `_heapset` or `_heapwalk`.
pub(super) const SUPPORTED: Check = only_if("not every call sets errno to ENOSYS", |seen| {
    let routine = seen.clause.routine;
    let enosys = seen.numbering.number("ENOSYS");
    let mut calls = seen.observation.calls(routine).peekable();
    let is_called = calls.peek().is_some();
    match is_called && calls.all(|call| call.errno.map(|(_, after)| after) == enosys) {
        true => Some(not_supported(routine)),
        false => None,
    }
});

/// The judgement of a library that answers as the page of the routine says of a system
/// that does not support it.
pub(super) fn not_supported(routine: &str) -> Judgement {
    Judgement::not_applicable(format!(
        "{routine} reports with errno ENOSYS that this system does not support it"
    ))
}
