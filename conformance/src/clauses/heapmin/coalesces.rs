//! Free neighbours are merged.

use super::if_it_succeeds;
use super::release::held_and_left;
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Routine, Seen, must, stated};
use crate::clauses::pages;
use crate::clauses::workload::{MIB, warm_up};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: free
    must(
        HEAPMIN,
        "heapmin.coalesces",
        "after many small blocks are freed and the heap minimised, one large block of the same total fits without raising the peak",
        stated(Remarks),
        &[&SMALL_THEN_LARGE],
        &[by(
            "no more resident with the large block than at the peak of the small ones (2 % allowed)",
            |seen| if_it_succeeds(seen, coalesces),
        )],
    ),
];

static SMALL_THEN_LARGE: Case = Case::new(
    "small-blocks-then-a-large-one",
    "fills 64 MiB with blocks of 256 bytes, frees them, calls _heapmin, and fills one block of 64 MiB",
    small_then_large,
);

const TOTAL: usize = 64 * MIB;

fn small_then_large(probe: &mut Probe) -> Result<(), Stop> {
    let mut blocks = Blocks::with_room_for(TOTAL / 256)?;
    warm_up(probe)?;
    probe.moment("baseline")?;
    probe.step("allocate and fill the small blocks")?;
    blocks.fill(&probe.crt, |_| 256)?;
    probe.moment("peak")?;
    probe.step("free the small blocks")?;
    blocks.free_all(&probe.crt)?;
    probe.step("_heapmin")?;
    probe.heapmin()?;
    probe.step("allocate and fill the large block")?;
    let mut large = probe.crt.need(TOTAL)?;
    large.fill(0);
    probe.moment("large")?;
    probe.fact(LOST_BYTES, large.lost_bytes(0) as i64)?;
    probe.crt.free(large)
}

fn coalesces(seen: &Seen) -> Judgement {
    match held_and_left(seen.observation, "large") {
        Ok((peak, large)) => Judgement::pass_if(
            large <= peak.saturating_add(peak / 50),
            format!(
                "{} at the peak, {} with the large block",
                amount(peak),
                amount(large)
            ),
        ),
        Err(judgement) => judgement,
    }
}
