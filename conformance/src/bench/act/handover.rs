//! Threads that end and hand their blocks over to the next thread, as in a server.

use super::parameters::{MEBIBYTES, SIZE_VARIABLE, THREADS_VARIABLE, number};
use super::timing::{nanoseconds, release};
use crate::bench::workload::Random;
use heapmin_harness::probe::crt::{Bare, BareBlock};
use heapmin_harness::probe::{Probe, Stop};
use std::time::Instant;

/// The number of live blocks of a thread.
const LIVE: usize = 2000;
/// The number of threads that have the same blocks, one after the other.
const GENERATIONS: usize = 64;
/// The number of blocks that all threads together replace, for each MiB of the bench's size.
const REPLACED: usize = 32_768;

/// Runs lines of threads next to each other. A thread replaces random ones of its blocks,
/// among them those of the threads before it, and hands all of them to the next in its
/// line.
pub(super) fn handover(probe: &mut Probe) -> Result<(), Stop> {
    let bare = probe.crt.bare()?;
    let lines = number(THREADS_VARIABLE, 2);
    let replaced = number(SIZE_VARIABLE, MEBIBYTES) * REPLACED / lines / GENERATIONS;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let lines: Vec<_> = (0..lines)
            .map(|line| scope.spawn(move || run_line(bare, replaced, line as u64)))
            .collect();
        lines.into_iter().try_for_each(|line| end_of(line.join()))
    })?;
    probe.fact("allocate", nanoseconds(start))?;
    let (release, again) = release(bare);
    probe.fact("release", release)?;
    probe.fact("again", again)
}

/// Runs the threads of one line and frees the blocks of the last one.
fn run_line(bare: Bare, replaced: usize, line: u64) -> Result<(), Stop> {
    let mut blocks = Vec::with_capacity(LIVE);
    for generation in 0..GENERATIONS {
        let seed = 7 + line * GENERATIONS as u64 + generation as u64;
        blocks = std::thread::scope(|scope| {
            let thread = scope.spawn(move || go_on(bare, blocks, replaced, seed));
            end_of(thread.join())
        })?;
    }
    blocks.into_iter().for_each(|block| bare.free(block));
    Ok(())
}

/// One thread's part: the first one of a line allocates the blocks.
fn go_on(
    bare: Bare,
    mut blocks: Vec<BareBlock>,
    replaced: usize,
    seed: u64,
) -> Result<Vec<BareBlock>, Stop> {
    let mut random = Random::new(seed);
    let block = |random: &mut Random| -> Result<BareBlock, Stop> {
        let mut block = bare.malloc(16 + random.below(497))?;
        block.fill(7);
        Ok(block)
    };
    while blocks.len() < LIVE {
        blocks.push(block(&mut random)?);
    }
    for _ in 0..replaced {
        let place = random.below(LIVE);
        let new = block(&mut random)?;
        bare.free(std::mem::replace(&mut blocks[place], new));
    }
    Ok(blocks)
}

/// What a thread returned.
fn end_of<T>(joined: std::thread::Result<Result<T, Stop>>) -> Result<T, Stop> {
    joined.unwrap_or_else(|_| Err(Stop::Failed("a thread panicked".into())))
}
