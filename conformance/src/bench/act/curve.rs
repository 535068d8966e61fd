//! Samples resident memory over time.

use super::fill::Part;
use super::parameters::MEBIBYTES;
use super::timing::nanoseconds;
use crate::bench::workload::FILLS;
use heapmin_harness::probe::{Probe, Stop};
use std::time::Instant;

/// The number of samples while blocks are allocated, and again while they are
/// freed.
const SAMPLES: usize = 25;

/// Runs the fill of mixed sizes twice and samples resident memory meanwhile.
pub(super) fn curve(probe: &mut Probe) -> Result<(), Stop> {
    let bare = probe.crt.bare()?;
    let mut part = Part::new(&FILLS[1], MEBIBYTES << 20);
    let step = part.sizes.len().div_ceil(SAMPLES);
    let mut elapsed = 0;
    let mut sample = |probe: &mut Probe, since: Instant| {
        elapsed += nanoseconds(since);
        probe.fact("elapsed", elapsed)?;
        probe.moment("sample")
    };
    probe.moment("baseline")?;
    for _ in 0..2 {
        for first in (0..part.sizes.len()).step_by(step) {
            let start = Instant::now();
            let places = part
                .blocks
                .iter_mut()
                .zip(&part.sizes)
                .skip(first)
                .take(step);
            for (place, &size) in places.filter(|(place, _)| place.is_none()) {
                let mut block = bare.malloc(size as usize)?;
                block.fill(1);
                *place = Some(block);
            }
            sample(probe, start)?;
        }
        for first in (0..part.sizes.len()).step_by(step) {
            let start = Instant::now();
            let places = part
                .blocks
                .iter_mut()
                .zip(&part.keeps)
                .skip(first)
                .take(step);
            for (place, _) in places.filter(|(_, keep)| !**keep) {
                place.take().into_iter().for_each(|block| bare.free(block));
            }
            sample(probe, start)?;
        }
        let start = Instant::now();
        bare.heapmin();
        sample(probe, start)?;
    }
    Ok(())
}
