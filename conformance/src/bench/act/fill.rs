//! Fills memory with blocks, frees most of them and releases memory.

use super::parameters::{MEBIBYTES, SIZE_VARIABLE, THREADS_VARIABLE, number};
use super::timing::{nanoseconds, release};
use crate::bench::workload::Workload;
use heapmin_harness::probe::crt::{Bare, BareBlock};
use heapmin_harness::probe::{Probe, Stop, pages};
use std::sync::Barrier;
use std::time::Instant;

/// One thread's part of a fill.
pub(super) struct Part {
    /// Its live blocks.
    pub blocks: Vec<Option<BareBlock>>,
    /// The size of each block, in bytes.
    pub sizes: Vec<u32>,
    /// Whether each block is kept.
    pub keeps: Vec<bool>,
    /// Address and size of every block, also of those that were freed.
    places: Vec<(usize, usize)>,
}

impl Part {
    /// A part of `total` bytes; no block is allocated yet.
    pub(super) fn new(workload: &Workload, total: usize) -> Part {
        let sizes = workload.block_sizes(total);
        Part {
            blocks: sizes.iter().map(|_| None).collect(),
            keeps: workload.keeps(sizes.len()),
            // Not zero, so that its pages are resident before the first measurement.
            places: vec![(1, 0); sizes.len()],
            sizes,
        }
    }

    fn allocate(&mut self, bare: Bare) -> Result<(), Stop> {
        for (place, &size) in self.blocks.iter_mut().zip(&self.sizes) {
            let mut block = bare.malloc(size as usize)?;
            block.fill(1);
            *place = Some(block);
        }
        Ok(())
    }

    fn note_places(&mut self) {
        for (place, block) in self.places.iter_mut().zip(self.blocks.iter().flatten()) {
            *place = (block.address(), block.size());
        }
    }

    fn free(&mut self, bare: Bare) {
        for (block, _) in self
            .blocks
            .iter_mut()
            .zip(&self.keeps)
            .filter(|(_, keep)| !**keep)
        {
            block.take().into_iter().for_each(|block| bare.free(block));
        }
    }
}

/// Fills memory, frees blocks and releases memory; see [`Workload`].
pub(super) fn fill(probe: &mut Probe, workload: &Workload) -> Result<(), Stop> {
    let bare = probe.crt.bare()?;
    let threads = number(THREADS_VARIABLE, 1);
    let total = number(SIZE_VARIABLE, MEBIBYTES) << 20;
    let mut parts: Vec<Part> = (0..threads)
        .map(|_| Part::new(workload, total / threads))
        .collect();
    let gate = Barrier::new(threads);
    std::thread::scope(|scope| {
        let (own, others) = parts.split_first_mut().expect("at least one thread");
        for part in others {
            scope.spawn(|| {
                gate.wait(); // the baseline is measured
                let outcome = part.allocate(bare);
                gate.wait();
                part.note_places();
                gate.wait();
                part.free(bare);
                gate.wait();
                gate.wait(); // this thread lives and is idle during the release
                outcome
                    .is_ok()
                    .then_some(())
                    .expect("memory for all blocks");
            });
        }
        let baseline = probe.moment("baseline");
        gate.wait();
        let start = Instant::now();
        let outcome = own.allocate(bare);
        gate.wait();
        let allocate = nanoseconds(start);
        own.note_places();
        let held = probe.moment("held");
        gate.wait();
        let start = Instant::now();
        own.free(bare);
        gate.wait();
        let free = nanoseconds(start);
        let freed = probe.moment("freed");
        let (release, again) = release(bare);
        let released = probe.moment("released");
        gate.wait();
        outcome.and(baseline).and(held).and(freed).and(released)?;
        for (name, value) in [
            ("allocate", allocate),
            ("free", free),
            ("release", release),
            ("again", again),
        ] {
            probe.fact(name, value)?;
        }
        Ok(())
    })?;
    let kept = parts.iter().flat_map(|part| part.blocks.iter().flatten());
    if !kept.clone().all(|block| block.is_all(1)) {
        return Err(Stop::Failed(
            "the bytes of a kept block have changed".into(),
        ));
    }
    let live = pages::of(kept.map(|block| (block.address(), block.size())));
    probe.fact("live pages", live.len() as i64)?;
    let all = pages::of(parts.iter().flat_map(|part| part.places.iter().copied()));
    if let Some(took) = pages::time_to_release(&all, &live) {
        probe.fact("bare release", took.as_nanos() as i64)?;
    }
    Ok(())
}
