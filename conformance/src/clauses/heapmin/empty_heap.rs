//! It works before the first allocation and after the last free.

use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin
    must(
        HEAPMIN,
        "heapmin.empty-heap",
        "it works before the first allocation and after the last free",
        stated(Remarks),
        &[&EMPTY],
        &[by(
            "0 on an empty heap as on one with blocks",
            works_on_empty,
        )],
    ),
];

pub static EMPTY: Case = Case::new(
    "empty-heap",
    "calls _heapmin before the first allocation, between live blocks, and after the last free",
    empty,
);

fn empty(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("_heapmin before the first allocation")?;
    probe.heapmin()?;
    let mut blocks = Blocks::with_room_for(1000)?;
    probe.step("allocate 1000 blocks")?;
    blocks.fill(&probe.crt, |_| 100)?;
    probe.step("_heapmin between live blocks")?;
    probe.heapmin()?;
    probe.step("free every block")?;
    blocks.free_all(&probe.crt)?;
    probe.step("_heapmin after the last free")?;
    probe.heapmin()?;
    Ok(())
}

fn works_on_empty(seen: &Seen) -> Judgement {
    let returned: Vec<_> = seen
        .observation
        .calls("_heapmin")
        .map(|call| call.returned)
        .collect();
    if returned.iter().all(|value| *value == -1) {
        return Judgement::unsupported(
            "_heapmin returned -1 with blocks too; see the failure clauses",
        );
    }
    let observed =
        format!("{returned:?} before the first allocation, with blocks, and after the last free");
    Judgement::pass_if(returned == [0, 0, 0], observed)
}
