//! `_heapmin` merges free neighbours.

use super::release::{held_and_left, merged};
use super::{HEAPMIN, SOME_CALL_SUCCEEDS};
use crate::clause::Section::Remarks;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, limited, must};
use crate::clauses::workload::{MIB, warm_up};
use crate::clauses::{limits, pages};
use crate::figures::amount;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    HEAPMIN,
    "heapmin.coalesces",
    "_heapmin merges the memory of many small freed blocks, so that one large block of the same total fits without a higher peak",
    limited(Remarks, &limits::FIFTIETH_OF_PEAK).on(&pages::FREE),
    &[&SMALL_THEN_LARGE],
    &[
        SOME_CALL_SUCCEEDS,
        by(
            "at most 2 % more resident with the large block than at the peak of the small ones",
            |seen| merged(coalesces(seen)),
        ),
    ],
)
    .rests_on_system()];

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

fn coalesces(seen: &Seen) -> Result<Judgement, Judgement> {
    let (peak, large) = held_and_left(seen.observation, "large")?;
    Ok(Judgement::pass_if(
        large <= peak.saturating_add(peak / 50),
        format!(
            "{} at the peak, {} with the large block",
            amount(peak),
            amount(large)
        ),
    ))
}
