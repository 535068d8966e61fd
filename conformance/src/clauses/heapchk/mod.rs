//! `int _heapchk(void)`: looks whether the heap is consistent.

mod damage;

use super::exported::{LOAD, exported};
use super::workload::{mixed_size, scattered};
use crate::calls::every;
use crate::clause::{Case, Clause, Judgement, Level, Seen};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

/// The clauses, in the order of the page.
pub static CLAUSES: [&Clause; 9] = [
    &EXPORTED,
    &SOUND,
    &KEEPS_ERRNO,
    &damage::ERROR_SETS_ENOSYS,
    &damage::OVERRUN,
    &damage::DOUBLE_FREE,
    &damage::WILD_FREE,
    &damage::WRITE_AFTER_FREE,
    &damage::WALKABLE,
];

static EXPORTED: Clause = Clause {
    id: "heapchk.exported",
    routine: "_heapchk",
    level: Level::Must,
    page: "_heapchk",
    summary: "the library exports _heapchk",
    expects: "the loader finds a routine named _heapchk",
    cases: &[&LOAD],
    judge: exported,
};

static SOUND: Clause = Clause {
    id: "heapchk.sound-heap",
    routine: "_heapchk",
    level: Level::Must,
    page: "_heapchk",
    summary: "a sound heap appears to be consistent, or not initialised before its first use",
    expects: "_HEAPOK (-2) or _HEAPEMPTY (-1), at each moment of a heap's life",
    cases: &[&LIFE],
    judge: |seen| every("_heapchk").returns(&[-2, -1]).judge(seen),
};

static KEEPS_ERRNO: Clause = Clause {
    id: "heapchk.success-keeps-errno",
    routine: "_heapchk",
    level: Level::Must,
    page: "_heapchk, errno",
    summary: "a look at a sound heap leaves errno and _doserrno as they were, but for ENOSYS on a system that has no such thing",
    expects: "errno and _doserrno as before",
    cases: &[&LIFE],
    judge: keeps_errno,
};

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
        false => every("_heapchk").keeps_errno().judge(seen),
    }
}
