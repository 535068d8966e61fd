//! It works before the first allocation and after the last free.

use crate::clause::{Case, Clause, Judgement, Level, Seen};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub static EMPTY_HEAP: Clause = Clause {
    id: "heapmin.empty-heap",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "it works before the first allocation and after the last free",
    expects: "0 on an empty heap as on one with blocks",
    cases: &[&EMPTY],
    judge: works_on_empty,
};

pub static EMPTY: Case = Case {
    name: "empty-heap",
    summary: "calls _heapmin before the first allocation, between live blocks, and after the last free",
    fault: None,
    act: empty,
    undefined: false,
    forks: false,
};

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
