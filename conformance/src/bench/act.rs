//! What the probe does: runs a workload on the bare routines and reports how
//! long each part took.
//!
//! Nothing of ours is allocated between the first figure and the last: the
//! allocator that is measured may be the one that this program uses itself.

use super::workload::{FILLS, Random, Workload};
use heapmin_harness::probe::crt::{Bare, BareBlock};
use heapmin_harness::probe::{Act, Probe, Stop, pages};
use std::sync::Barrier;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

/// How much a fill holds, in MiB, unless the environment says otherwise.
pub const MEBIBYTES: usize = 128;
/// What tells a probe how many MiB.
pub const SIZE_VARIABLE: &str = "HEAPMIN_BENCH_MIB";
/// What tells it in how many threads.
pub const THREADS_VARIABLE: &str = "HEAPMIN_BENCH_THREADS";
/// What tells it the file of a trace.
pub const TRACE_VARIABLE: &str = "HEAPMIN_BENCH_TRACE";

/// The act of this name.
pub fn act_of(name: &str) -> Option<Act> {
    Some(match name.strip_prefix("bench-")? {
        "small" => |probe| fill(probe, &FILLS[0]),
        "mixed" => |probe| fill(probe, &FILLS[1]),
        "kilobyte" => |probe| fill(probe, &FILLS[2]),
        "medium" => |probe| fill(probe, &FILLS[3]),
        "tiny" => |probe| fill(probe, &FILLS[4]),
        "curve" => curve,
        "exchange" => exchange,
        "growing" => growing,
        "day" => day,
        "trace" => super::trace::replay,
        "version" => version,
        _ => return None,
    })
}

/// Says which version an adapted allocator has.
fn version(probe: &mut Probe) -> Result<(), Stop> {
    let numbers = probe.crt.adapted_version().into_iter().flatten();
    for (name, number) in VERSION.into_iter().zip(numbers) {
        probe.fact(name, i64::from(number))?;
    }
    Ok(())
}

/// The parts of a version, as the act of this name calls them.
pub const VERSION: [&str; 3] = ["major", "minor", "patch"];

fn number(variable: &str, otherwise: usize) -> usize {
    let value = std::env::var(variable).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(otherwise)
}

/// Nanoseconds since an instant, as a figure.
pub fn nanoseconds(since: Instant) -> i64 {
    since.elapsed().as_nanos().try_into().unwrap_or(i64::MAX)
}

/// One thread's part of a fill.
struct Part {
    blocks: Vec<Option<BareBlock>>,
    sizes: Vec<u32>,
    keeps: Vec<bool>,
    /// Address and size of every block there was.
    places: Vec<(usize, usize)>,
}

impl Part {
    fn new(workload: &Workload, total: usize) -> Part {
        let sizes = workload.block_sizes(total);
        Part {
            blocks: sizes.iter().map(|_| None).collect(),
            keeps: workload.keeps(sizes.len()),
            // Written, so that its pages are there before anything is measured.
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

/// Fills memory, frees, and gives back; see [`Workload`].
fn fill(probe: &mut Probe, workload: &Workload) -> Result<(), Stop> {
    let bare = probe.crt.bare()?;
    let threads = number(THREADS_VARIABLE, 1);
    let total = number(SIZE_VARIABLE, MEBIBYTES) << 20;
    let mut parts: Vec<Part> = (0..threads)
        .map(|_| Part::new(workload, total / threads))
        .collect();
    let gate = Barrier::new(threads);
    std::thread::scope(|scope| {
        let (own, others) = parts
            .split_first_mut()
            .expect("there is one thread at least");
        for part in others {
            scope.spawn(|| {
                gate.wait(); // for the baseline
                let outcome = part.allocate(bare);
                gate.wait();
                part.note_places();
                gate.wait();
                part.free(bare);
                gate.wait();
                gate.wait(); // alive and idle while memory is given back
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
            "a block that was kept has lost its bytes".into(),
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

/// How often memory is measured while a curve goes up, and while it goes down.
const SAMPLES: usize = 25;

/// A fill of mixed sizes, twice, with memory measured in between.
fn curve(probe: &mut Probe) -> Result<(), Stop> {
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

/// How long a release takes, and one right behind it.
fn release(bare: Bare) -> (i64, i64) {
    let start = Instant::now();
    bare.heapmin();
    let first = nanoseconds(start);
    let start = Instant::now();
    bare.heapmin();
    (first, nanoseconds(start))
}

/// Blocks that go to another thread at once.
const BATCH: usize = 128;

/// Two threads, each of which frees what the other one allocates.
fn exchange(probe: &mut Probe) -> Result<(), Stop> {
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
        let gone = || Stop::Failed("the other thread is gone".into());
        to.send(batch).map_err(|_| gone())?;
        batch = from.recv().map_err(|_| gone())?;
        batch.drain(..).for_each(|block| bare.free(block));
    }
    Ok(())
}

/// Arrays that grow by half, in turn, until they are 4 MiB each.
fn growing(probe: &mut Probe) -> Result<(), Stop> {
    const LARGEST: usize = 4 << 20;
    let bare = probe.crt.bare()?;
    let count = number(SIZE_VARIABLE, MEBIBYTES) / (LARGEST >> 20);
    let mut arrays: Vec<Option<BareBlock>> = (0..count).map(|_| None).collect();
    probe.moment("baseline")?;
    let start = Instant::now();
    for array in &mut arrays {
        *array = Some(bare.malloc(64)?);
    }
    let mut size = 64;
    while size < LARGEST {
        let grown = (size + size / 2).min(LARGEST);
        for array in &mut arrays {
            let mut block = bare.realloc(array.take().expect("it is there"), grown)?;
            block.fill_from(size, 3);
            *array = Some(block);
        }
        size = grown;
    }
    let allocate = nanoseconds(start);
    probe.moment("held")?;
    let start = Instant::now();
    arrays
        .drain(..)
        .flatten()
        .for_each(|block| bare.free(block));
    let free = nanoseconds(start);
    let (release, again) = release(bare);
    probe.moment("released")?;
    for (name, value) in [
        ("allocate", allocate),
        ("free", free),
        ("release", release),
        ("again", again),
        ("live pages", 0),
    ] {
        probe.fact(name, value)?;
    }
    Ok(())
}

/// What a day holds, in bytes, and how often it changes all of it.
const DAY_LIVE: usize = 64 << 20;
const HOURS: usize = 24;

/// A day of random traffic at a steady 64 MiB: sizes from 16 bytes to 64 KiB,
/// small ones far more often, and every hour other ones more often than
/// before. A block that is freed is any of those alive.
fn day(probe: &mut Probe) -> Result<(), Stop> {
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
            // The hour's own sizes, or any.
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
