//! Threads that allocate, verify and free while another loops over `_heapmin`.

use super::workload::scattered;
use crate::clause::{Case, Clause, Judgement, Level, Seen};
use crate::judge::LOST_BYTES;
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::{Probe, Stop};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub static CONCURRENT: Clause = Clause {
    id: "heapmin.concurrent",
    routine: "_heapmin",
    level: Level::Should,
    page: "—",
    summary: "threads that allocate, verify and free while another loops over _heapmin lose no byte and do not hang",
    expects: "every byte as written, and an end",
    needs_success: false,
    cases: &[&THREADS],
    judge: concurrent,
};

static THREADS: Case = Case {
    name: "threads-and-heapmin",
    summary: "four threads allocate, check and free 20,000 times each while a fifth calls _heapmin without end",
    act: threads,
};

const WORKERS: usize = 4;
const ROUNDS: usize = 20_000;
/// Blocks that a worker holds at most.
const SLOTS: usize = 256;

fn threads(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("four threads work while a fifth calls _heapmin")?;
    let crt = &probe.crt;
    crt.heapmin()?;
    let at_work = AtomicUsize::new(WORKERS);
    let (lost, calls) = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let at_work = &at_work;
                scope.spawn(move || {
                    let lost = work(crt, worker);
                    at_work.fetch_sub(1, Ordering::Release);
                    lost
                })
            })
            .collect();
        let mut calls = 0;
        while at_work.load(Ordering::Acquire) > 0 {
            if crt.heapmin().is_ok() {
                calls += 1;
            }
            thread::yield_now();
        }
        let lost: Result<Vec<i64>, Stop> = workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker does not panic"))
            .collect();
        (lost, calls)
    });
    probe.fact("calls of _heapmin meanwhile", calls)?;
    probe.fact(LOST_BYTES, lost?.iter().sum())
}

fn work(crt: &Crt, worker: usize) -> Result<i64, Stop> {
    let mut blocks = Blocks::with_room_for(SLOTS)?;
    let mut lost = 0;
    for round in 0..ROUNDS {
        let number = scattered(worker * ROUNDS + round);
        let size = if number % 64 == 0 { 40_000 } else { 16 + number / 64 % 3000 };
        lost += blocks.toggle(crt, number / 7 % SLOTS, size)?;
    }
    lost += blocks.lost_bytes();
    blocks.free_all(crt)?;
    Ok(lost)
}

/// Lost bytes and a hang are failures of any clause; what is left to see is
/// that there was something to get in the way of.
fn concurrent(seen: &Seen) -> Judgement {
    let calls = seen.observation.fact("calls of _heapmin meanwhile").unwrap_or(0);
    Judgement::pass(format!("no byte lost in {} rounds, with {calls} calls between", WORKERS * ROUNDS))
}
