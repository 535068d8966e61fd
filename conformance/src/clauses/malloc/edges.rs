//! Around the edges of the candidate's own size classes, as `_msize` shows them.

use crate::clause::Section::Remarks;
use crate::clause::check::none_of;
use crate::clause::{Case, Clause, Routine, must, stated};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop};

const MALLOC: Routine = Routine {
    name: "malloc",
    page: &pages::MALLOC,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: malloc, _msize
    // EXPECTED: _msize not below the request, and every byte of three neighbours as written
    must(
        MALLOC,
        "malloc.size-class-edges",
        "at each edge of the library's own size classes, and one byte to either side, a block has all its bytes",
        stated(Remarks),
        &[&EDGES],
        &[none_of(TOO_SMALL, BLOCKS), none_of(CHANGED, BLOCKS)],
    ),
];

static EDGES: Case = Case::new(
    "malloc-size-class-edges",
    "finds the sizes at which _msize changes, up to 2 MiB, and fills blocks one under, at, and one over each",
    edges,
);

const TOO_SMALL: &str = "blocks with fewer bytes than asked for";
const CHANGED: &str = "bytes changed";
const BLOCKS: &str = "blocks at edges";
const LARGEST: usize = 2 << 20;
/// Where `_msize` is just what was asked for, every size is an edge. Then
/// they are looked at one by one up to here, and further on in greater steps.
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
