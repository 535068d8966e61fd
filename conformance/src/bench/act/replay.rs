//! Replays a trace on the bare routines.

use super::parameters::TRACE_VARIABLE;
use super::timing::nanoseconds;
use crate::bench::trace::{Call, read};
use heapmin_harness::probe::crt::BareBlock;
use heapmin_harness::probe::{Probe, Stop, pages};
use std::time::Instant;

/// Replays the trace that the environment names.
pub(super) fn replay(probe: &mut Probe) -> Result<(), Stop> {
    let failed = |why: String| Stop::Failed(why);
    let path =
        std::env::var_os(TRACE_VARIABLE).ok_or_else(|| failed("no trace is named".into()))?;
    let calls = read(path.as_ref()).map_err(|error| failed(error.to_string()))?;
    let ids = calls.iter().filter_map(|call| match *call {
        Call::Allocate(id, _) => Some(id + 1),
        _ => None,
    });
    let mut blocks: Vec<Option<BareBlock>> = (0..ids.max().unwrap_or(0)).map(|_| None).collect();
    let bare = probe.crt.bare()?;
    probe.moment("baseline")?;
    let start = Instant::now();
    // By reference: freeing the list before the last measurement would change it.
    for &call in &calls {
        match call {
            Call::Allocate(id, size) => {
                let mut block = bare.malloc(size)?;
                block.fill(5);
                blocks[id] = Some(block);
            }
            Call::Resize(id, size) => {
                if let Some(block) = blocks[id].take() {
                    let from = block.size().min(size);
                    let mut block = bare.realloc(block, size.max(1))?;
                    block.fill_from(from, 5);
                    blocks[id] = Some(block);
                }
            }
            Call::Free(id) => blocks[id]
                .take()
                .into_iter()
                .for_each(|block| bare.free(block)),
            Call::Minimise => {
                bare.heapmin();
            }
        }
    }
    let allocate = nanoseconds(start);
    probe.moment("held")?;
    let start = Instant::now();
    bare.heapmin();
    let release = nanoseconds(start);
    probe.moment("released")?;
    probe.fact("allocate", allocate)?;
    probe.fact("release", release)?;
    let live = pages::of(
        blocks
            .iter()
            .flatten()
            .map(|block| (block.address(), block.size())),
    );
    probe.fact("live pages", live.len() as i64)
}
