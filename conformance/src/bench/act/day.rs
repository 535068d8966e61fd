//! A day of random traffic.

use super::timing::nanoseconds;
use crate::bench::workload::Random;
use heapmin_harness::probe::crt::BareBlock;
use heapmin_harness::probe::{Probe, Stop};
use std::time::Instant;

/// The size of all live blocks, in bytes.
const DAY_LIVE: usize = 64 << 20;
/// The number of hours; in each, the act allocates four times the live size.
const HOURS: usize = 24;

/// Allocates and frees random blocks at a steady 64 MiB. Sizes are from 16 bytes
/// to 64 KiB, small ones far more often; the sizes of half the blocks depend on
/// the hour. The block to free is a random live one.
pub(super) fn day(probe: &mut Probe) -> Result<(), Stop> {
    let bare = probe.crt.bare()?;
    let mut random = Random::new(5);
    let mut blocks: Vec<BareBlock> = Vec::with_capacity(DAY_LIVE / 16);
    let mut live = 0;
    let (mut allocate, mut release) = (0, 0);
    probe.moment("baseline")?;
    for hour in 0..HOURS {
        let start = Instant::now();
        let mut traffic = 0;
        while traffic < 4 * DAY_LIVE {
            while live > DAY_LIVE {
                let block = blocks.swap_remove(random.below(blocks.len()));
                live -= block.size();
                bare.free(block);
            }
            // Half of the blocks have the sizes of this hour, the others any size.
            let octave = match random.below(2) {
                0 => hour % 8,
                _ => random.below(12),
            };
            let size = (16 << octave) + random.below(16 << octave);
            let mut block = bare.malloc(size)?;
            block.fill(4);
            live += size;
            traffic += size;
            blocks.push(block);
        }
        allocate += nanoseconds(start);
        let start = Instant::now();
        bare.heapmin();
        release += nanoseconds(start);
        probe.fact("live bytes", live as i64)?;
        probe.moment(&format!("hour {hour}"))?;
    }
    probe.fact("allocate", allocate)?;
    probe.fact("release", release / HOURS as i64)
}
