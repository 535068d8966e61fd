//! Blocks that one thread allocates and another one frees.

use super::super::workload::{grows_by_at_most, mixed_size};
use super::MALLOC;
use crate::clause::Judgement;
use crate::clause::Section::Remarks;
use crate::clause::check::{by, none_of};
use crate::clause::{Case, Clause, limited, should};
use crate::clauses::origins::MULTITHREADED;
use crate::clauses::{limits, pages};
use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::{Probe, Stop};
use std::sync::mpsc;
use std::thread;

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        MALLOC,
        "malloc.freed-by-another-thread",
        "a thread can free blocks that another thread allocated, while that thread allocates more",
        MULTITHREADED,
        &[&HANDED_OVER],
        &[none_of(CHANGED, BLOCKS)],
    ),
    should(
        MALLOC,
        "malloc.outlives-its-thread",
        "the blocks of a thread stay unchanged after the thread ended, and another thread can free them",
        MULTITHREADED,
        &[&THREAD_ENDS],
        &[none_of(CHANGED, BLOCKS)],
    ),
    should(
        MALLOC,
        "malloc.threads-leave-nothing",
        "the heap keeps no memory for threads that ended, once their blocks are freed and _heapmin is called",
        limited(Remarks, &limits::THREADS_THAT_ENDED).on(&pages::FREE),
        &[&THOUSAND_THREADS],
        &[
            none_of(CHANGED, BLOCKS),
            by(
                "after 1000 threads, at most 10 % and 64 KiB more are resident than after 10",
                |seen| {
                    if !seen.candidate.runner.frees_threads {
                        return Judgement::not_judged(KEEPS_THREADS);
                    }
                    let tenth = seen
                        .observation
                        .memory("baseline")
                        .map_or(0, |it| it.resident / 10);
                    grows_by_at_most(tenth as usize + (64 << 10), seen)
                },
            ),
        ],
    ),
];

const KEEPS_THREADS: &str = "what runs the library keeps memory of threads that ended: in a control without the library, memory stayed";

static HANDED_OVER: Case = Case::new(
    "malloc-freed-by-another-thread",
    "runs two threads that allocate 20,000 blocks each, and two others that check and free them",
    handed_over,
);

static THREAD_ENDS: Case = Case::new(
    "malloc-outlives-its-thread",
    "runs a thread that allocates 2000 blocks and ends, then another one that allocates as many and frees those of the first",
    thread_ends,
);

static THOUSAND_THREADS: Case = Case::new(
    "malloc-thousand-threads",
    "runs 1000 threads, one after the other: each allocates and fills 40 blocks, frees most of them and those that the thread before left, and ends",
    thousand_threads,
);

const CHANGED: &str = "bytes changed";
const BLOCKS: &str = "blocks handed over";
const PAIRS: usize = 2;
const EACH: usize = 20_000;

fn handed_over(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("two threads allocate, two others free")?;
    let crt = &probe.crt;
    let changed: Result<Vec<i64>, Stop> = thread::scope(|scope| {
        let mut freeing = Vec::new();
        let mut allocating = Vec::new();
        for pair in 0..PAIRS {
            // At most 64 blocks wait, so that allocating and freeing overlap.
            let (give, take) = mpsc::sync_channel(64);
            allocating.push(scope.spawn(move || {
                for index in 0..EACH {
                    let seed = pair * EACH + index;
                    let mut block = crt.need(mixed_size(seed))?;
                    block.fill(seed as u64);
                    if give.send((block, seed as u64)).is_err() {
                        break;
                    }
                }
                Ok(())
            }));
            freeing.push(scope.spawn(move || {
                let mut changed = 0;
                for (block, seed) in take {
                    changed += block.lost_bytes(seed) as i64;
                    crt.free(block)?;
                }
                Ok(changed)
            }));
        }
        for thread in allocating {
            thread.join().expect("it does not panic")?;
        }
        let freeing = freeing.into_iter();
        freeing
            .map(|thread| thread.join().expect("it does not panic"))
            .collect()
    });
    probe.fact(CHANGED, changed?.into_iter().sum())?;
    probe.fact(BLOCKS, (PAIRS * EACH) as i64)
}

fn thread_ends(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("a thread allocates and ends")?;
    let crt = &probe.crt;
    let in_a_thread = |act: &mut (dyn FnMut() -> Result<i64, Stop> + Send)| {
        thread::scope(|scope| scope.spawn(act).join().expect("it does not panic"))
    };
    let mut first = Blocks::with_room_for(2000)?;
    let mut second = Blocks::with_room_for(2000)?;
    in_a_thread(&mut || first.fill(crt, mixed_size).map(|()| 0))?;
    let mut changed = first.lost_bytes();
    changed += in_a_thread(&mut || {
        second.fill(crt, mixed_size)?;
        let lost = first.lost_bytes();
        first.free_all(crt)?;
        Ok(lost)
    })?;
    probe.step("free the second thread's blocks")?;
    changed += second.lost_bytes();
    second.free_all(&probe.crt)?;
    probe.fact(CHANGED, changed)?;
    probe.fact(BLOCKS, 4000)
}

/// Blocks that each thread allocates, and how many of them it leaves to the next.
const OF_A_THREAD: usize = 40;
const LEFT: usize = 8;

fn thousand_threads(probe: &mut Probe) -> Result<(), Stop> {
    let mut changed = 0;
    // Half of the table is one thread's, the other half the next one's.
    let mut tables = [
        Blocks::with_room_for(OF_A_THREAD)?,
        Blocks::with_room_for(OF_A_THREAD)?,
    ];
    for (moment, threads) in [("baseline", 0..10), ("after", 10..1000)] {
        probe.step(&format!(
            "run the threads from {} to {}",
            threads.start, threads.end
        ))?;
        for number in threads {
            let crt = &probe.crt;
            let [own, left] = &mut tables;
            let act = || -> Result<i64, Stop> {
                own.fill(crt, |index| mixed_size(index + number * 7))?;
                let lost = left.lost_bytes() + own.lost_bytes();
                left.free_all(crt)?;
                own.free_where(crt, |index| index % (OF_A_THREAD / LEFT) != 0)?;
                Ok(lost)
            };
            changed += thread::scope(|scope| scope.spawn(act).join().expect("it does not panic"))?;
            tables.swap(0, 1);
        }
        for table in &mut tables {
            table.free_all(&probe.crt)?;
        }
        probe.crt.heapmin()?;
        probe.moment(moment)?;
    }
    probe.fact(CHANGED, changed)?;
    probe.fact(BLOCKS, (1000 * OF_A_THREAD) as i64)
}
