//! Blocks with short lives.

use super::parameters::{MEBIBYTES, SIZE_VARIABLE, THREADS_VARIABLE, number};
use super::timing::{nanoseconds, release};
use crate::bench::workload::Random;
use heapmin_harness::probe::crt::{Bare, BareBlock};
use heapmin_harness::probe::{Probe, Stop};
use std::time::Instant;

/// The number of blocks for each MiB of the bench's size: half of them live alone, half
/// among others.
const BLOCKS: usize = 32_768;
/// The number of blocks that are alive together.
const WINDOW: usize = 64;

/// Allocates small blocks of random sizes and frees each soon: first before the next one,
/// then after a random time, with a window of live blocks.
pub(super) fn short(probe: &mut Probe) -> Result<(), Stop> {
    let bare = probe.crt.bare()?;
    let threads = number(THREADS_VARIABLE, 1);
    let blocks = number(SIZE_VARIABLE, MEBIBYTES) * BLOCKS / threads;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|thread| scope.spawn(move || come_and_go(bare, blocks, thread as u64)))
            .collect();
        let own = come_and_go(bare, blocks, 0);
        let end_of = |joined: std::thread::Result<_>| {
            joined.unwrap_or_else(|_| Err(Stop::Failed("another thread panicked".into())))
        };
        let others = others.into_iter().map(|other| end_of(other.join()));
        others.fold(own, Result::and)
    })?;
    probe.fact("allocate", nanoseconds(start))?;
    let (release, again) = release(bare);
    probe.fact("release", release)?;
    probe.fact("again", again)
}

/// One thread's part.
fn come_and_go(bare: Bare, blocks: usize, thread: u64) -> Result<(), Stop> {
    let mut random = Random::new(6 + thread);
    let block = |random: &mut Random| -> Result<BareBlock, Stop> {
        let mut block = bare.malloc(16 + random.below(241))?;
        block.fill(6);
        Ok(block)
    };
    for _ in 0..blocks / 2 {
        bare.free(block(&mut random)?);
    }
    let mut window: Vec<BareBlock> = Vec::with_capacity(WINDOW);
    for _ in 0..WINDOW {
        window.push(block(&mut random)?);
    }
    for _ in 0..blocks / 2 {
        let new = block(&mut random)?;
        let old = std::mem::replace(&mut window[random.below(WINDOW)], new);
        bare.free(old);
    }
    window.into_iter().for_each(|block| bare.free(block));
    Ok(())
}
