//! Sizes around the edges of the candidate's own size classes, which `_msize`
//! shows.

use super::MALLOC;
use crate::clause::Section::Remarks;
use crate::clause::check::none_of;
use crate::clause::{Case, Clause, derived, must};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[must(
    MALLOC,
    "malloc.size-class-edges",
    "malloc gives a block all its bytes at each edge of the library's size classes, and one byte below and above it",
    derived(
        Remarks,
        "a block has at least size bytes, whatever size is, and _msize returns how many it has",
    )
    .and(&pages::MSIZE, Remarks),
    &[&EDGES],
    &[none_of(TOO_SMALL, BLOCKS), none_of(CHANGED, BLOCKS)],
)];

static EDGES: Case = Case::new(
    "malloc-size-class-edges",
    "finds the sizes up to 2 MiB at which _msize changes, and fills blocks of one byte less, that size, and one byte more",
    edges,
);

const TOO_SMALL: &str = "blocks with fewer bytes than requested";
const CHANGED: &str = "bytes changed";
const BLOCKS: &str = "blocks at edges";
const LARGEST: usize = 2 << 20;
/// Above this size the case skips edges, in steps of a 64th of the size: where
/// `_msize` returns just the requested size, every size is an edge.
const ONE_BY_ONE: usize = 2100;

fn edges(probe: &mut Probe) -> Result<(), Stop> {
    let (mut too_small, mut changed, mut count) = (0, 0, 0);
    let mut size = 1;
    probe.step("fill blocks around each edge")?;
    while size <= LARGEST {
        let block = probe.crt.need(size)?;
        let edge = probe.crt.msize(&block)?;
        probe.crt.free(block)?;
        if edge < size {
            too_small += 1;
        }
        let edge = edge.clamp(size, LARGEST);
        let mut trio = Vec::new();
        for size in [edge - 1, edge, edge + 1] {
            let mut block = probe.crt.need(size)?;
            too_small += i64::from(probe.crt.msize(&block)? < size);
            block.fill(size as u64);
            trio.push(block);
        }
        count += trio.len() as i64;
        for block in trio {
            changed += block.lost_bytes(block.size() as u64) as i64;
            probe.crt.free(block)?;
        }
        size = edge + 1;
        if size > ONE_BY_ONE {
            size += size / 64;
        }
    }
    probe.fact(TOO_SMALL, too_small)?;
    probe.fact(CHANGED, changed)?;
    probe.fact(BLOCKS, count)
}
