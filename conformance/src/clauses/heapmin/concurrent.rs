//! Threads that allocate, check and free while another calls `_heapmin`.

use super::HEAPMIN;
use crate::clause::check::none_of;
use crate::clause::{Case, Clause, should};
use crate::clauses::origins::MULTITHREADED;
use crate::clauses::workload::scattered;
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::{Probe, Stop};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub(crate) static CLAUSES: &[Clause] = &[should(
    HEAPMIN,
    "heapmin.concurrent",
    "_heapmin lets other threads allocate, check and free meanwhile: no block loses a byte, and no thread hangs",
    MULTITHREADED,
    &[&THREADS],
    &[none_of(LOST_BYTES, ROUNDS_DONE)],
)];

static THREADS: Case = Case::new(
    "threads-and-heapmin",
    "runs four threads that allocate, check and free at least 20,000 times each, while a fifth calls _heapmin at least 100 times",
    threads,
);

const ROUNDS_DONE: &str = "rounds";
const WORKERS: usize = 4;
const ROUNDS: usize = 20_000;
/// Number of calls of `_heapmin` until which the workers continue. In some heaps
/// they would otherwise finish before it gets a turn.
const CALLS: usize = 100;
/// Number of blocks that a worker holds at most.
const SLOTS: usize = 256;

fn threads(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("four threads work while a fifth calls _heapmin")?;
    let crt = &probe.crt;
    crt.heapmin()?;
    let at_work = AtomicUsize::new(WORKERS);
    let calls = AtomicUsize::new(0);
    let done = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (at_work, calls) = (&at_work, &calls);
                scope.spawn(move || {
                    let done = work(crt, worker, calls);
                    at_work.fetch_sub(1, Ordering::Release);
                    done
                })
            })
            .collect();
        while at_work.load(Ordering::Acquire) > 0 {
            if crt.heapmin().is_ok() {
                calls.fetch_add(1, Ordering::Relaxed);
            }
            thread::yield_now();
        }
        let workers = workers.into_iter();
        let done: Result<Vec<Done>, Stop> = workers
            .map(|worker| worker.join().expect("a worker does not panic"))
            .collect();
        done
    })?;
    probe.fact("calls of _heapmin meanwhile", calls.into_inner() as i64)?;
    probe.fact(
        ROUNDS_DONE,
        done.iter().map(|done| done.rounds).sum::<usize>() as i64,
    )?;
    probe.fact(LOST_BYTES, done.iter().map(|done| done.lost).sum())
}

/// What a worker did.
struct Done {
    rounds: usize,
    lost: i64,
}

fn work(crt: &Crt, worker: usize, calls: &AtomicUsize) -> Result<Done, Stop> {
    let mut blocks = Blocks::with_room_for(SLOTS)?;
    let mut lost = 0;
    let mut round = 0;
    while round < ROUNDS || calls.load(Ordering::Relaxed) < CALLS {
        let number = scattered(worker * ROUNDS + round);
        let size = if number % 64 == 0 {
            40_000
        } else {
            16 + number / 64 % 3000
        };
        lost += blocks.toggle(crt, number / 7 % SLOTS, size)?;
        round += 1;
    }
    lost += blocks.lost_bytes();
    blocks.free_all(crt)?;
    Ok(Done {
        rounds: round,
        lost,
    })
}
