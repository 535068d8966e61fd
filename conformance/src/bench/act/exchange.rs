//! Two threads that free each other's blocks.

use super::parameters::{MEBIBYTES, SIZE_VARIABLE, number};
use super::timing::{nanoseconds, release};
use crate::bench::workload::Random;
use heapmin_harness::probe::crt::{Bare, BareBlock};
use heapmin_harness::probe::{Probe, Stop};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

/// The number of blocks that a thread sends at once.
const BATCH: usize = 128;

/// Runs two threads; each frees the blocks that the other allocates.
pub(super) fn exchange(probe: &mut Probe) -> Result<(), Stop> {
    let bare = probe.crt.bare()?;
    let batches = number(SIZE_VARIABLE, MEBIBYTES) * 64;
    let (to_other, from_own) = sync_channel(64);
    let (to_own, from_other) = sync_channel(64);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let other = scope.spawn(move || trade(bare, batches, 3, &to_own, &from_own));
        let own = trade(bare, batches, 4, &to_other, &from_other);
        let other = other
            .join()
            .unwrap_or_else(|_| Err(Stop::Failed("the other thread panicked".into())));
        own.and(other)
    })?;
    probe.fact("allocate", nanoseconds(start))?;
    let (release, again) = release(bare);
    probe.fact("release", release)?;
    probe.fact("again", again)
}

type Batch = Vec<BareBlock>;

/// One thread's part: sends batches of its own blocks, and frees those that it
/// receives.
fn trade(
    bare: Bare,
    batches: usize,
    seed: u64,
    to: &SyncSender<Batch>,
    from: &Receiver<Batch>,
) -> Result<(), Stop> {
    let mut random = Random::new(seed);
    let mut batch = Batch::with_capacity(BATCH);
    for _ in 0..batches {
        for _ in 0..BATCH {
            let mut block = bare.malloc(16 + random.below(497))?;
            block.fill(2);
            batch.push(block);
        }
        let gone = || Stop::Failed("the other thread has ended".into());
        to.send(batch).map_err(|_| gone())?;
        batch = from.recv().map_err(|_| gone())?;
        batch.drain(..).for_each(|block| bare.free(block));
    }
    Ok(())
}
