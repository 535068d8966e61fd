//! Around the edges of the candidate's own size classes, as `_msize` shows them.

use crate::calls::none_of;
use crate::clause::{Case, Clause, Level};
use heapmin_harness::probe::{Probe, Stop};

pub static SIZE_CLASS_EDGES: Clause = Clause {
    id: "malloc.size-class-edges",
    routine: "malloc",
    level: Level::Must,
    page: "malloc, _msize",
    summary: "at each edge of the library's own size classes, and one byte to either side, a block has all its bytes",
    expects: "_msize not below the request, and every byte of three neighbours as written",
    cases: &[&EDGES],
    judge: |seen| match seen.observation.fact(TOO_SMALL) {
        Some(1..) => none_of(seen, TOO_SMALL, BLOCKS),
        _ => none_of(seen, CHANGED, BLOCKS),
    },
};

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
