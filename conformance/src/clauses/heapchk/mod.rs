//! `int _heapchk(void)`: looks whether the heap is consistent.

pub(super) mod damage;

use super::workload::{mixed_size, scattered};
use crate::clause::Section::Remarks;
use crate::clause::check::{ANY, by, every_call, one_of};
use crate::clause::{Case, Clause, Judgement, Routine, Seen, exported, must, stated};
use crate::clauses::codes::{HEAPEMPTY, HEAPOK};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

const HEAPCHK: Routine = Routine {
    name: "_heapchk",
    page: &pages::HEAPCHK,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapchk
    // EXPECTED: the loader finds a routine named _heapchk
    exported(HEAPCHK, "heapchk.exported", "the library exports _heapchk"),
    // PAGE: _heapchk
    // EXPECTED: _HEAPOK (-2) or _HEAPEMPTY (-1), at each moment of a heap's life
    must(
        HEAPCHK,
        "heapchk.sound-heap",
        "a sound heap appears to be consistent, or not initialised before its first use",
        stated(Remarks),
        &[&LIFE],
        &[every_call(one_of(&[HEAPOK, HEAPEMPTY]))],
    ),
    // PAGE: _heapchk, errno
    must(
        HEAPCHK,
        "heapchk.success-keeps-errno",
        "a look at a sound heap leaves errno and _doserrno as they were, but for ENOSYS on a system that has no such thing",
        stated(Remarks),
        &[&LIFE],
        &[by("errno and _doserrno as before", keeps_errno)],
    ),
];

static LIFE: Case = Case::new(
    "heapchk-life",
    "looks at the heap before its first use, full, with gaps, after _heapmin, filled again and empty",
    life,
);

fn life(probe: &mut Probe) -> Result<(), Stop> {
    look(probe, "before the first allocation")?;
    let mut blocks = Blocks::with_room_for(3000)?;
    blocks.fill(&probe.crt, mixed_size)?;
    look(probe, "with 3000 live blocks")?;
    blocks.free_where(&probe.crt, |index| scattered(index) % 3 != 0)?;
    look(probe, "with gaps")?;
    probe.step("_heapmin")?;
    probe.crt.heapmin()?;
    look(probe, "after _heapmin")?;
    blocks.fill(&probe.crt, |index| mixed_size(index + 1))?;
    look(probe, "filled again")?;
    blocks.free_all(&probe.crt)?;
    look(probe, "after the last free")
}

fn look(probe: &mut Probe, when: &str) -> Result<(), Stop> {
    probe.step(&format!("_heapchk {when}"))?;
    probe.observe("_heapchk", "", |crt| crt.heapchk())?;
    Ok(())
}

fn keeps_errno(seen: &Seen) -> Judgement {
    let enosys = seen.numbering.number("ENOSYS");
    let is_unsupported = seen
        .observation
        .calls("_heapchk")
        .all(|call| call.errno.map(|(_, after)| after) == enosys);
    match is_unsupported {
        true => {
            Judgement::unsupported("_heapchk says with ENOSYS that this system has no such thing")
        }
        false => every_call(ANY.keeps_errno()).judge(seen),
    }
}
