//! `fork`: handlers of other libraries, and several threads that fork.

use super::{HUNG, PATIENCE, PROCESS, REFUSED, SOUND, UNKNOWN, WRONG, judge_status, status};
use crate::clause::Section::Description;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, limited, should};
use crate::clauses::{limits, pages};
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::process::{arm_fork_handlers, calls_of_fork_handlers};
use heapmin_harness::probe::{Probe, Stop, in_a_fork_within};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.fork-handlers-allocate",
        "the fork handlers of another library, registered before the heap was loaded, can allocate and free: before the fork, and after it in the parent and in the child",
        limited(Description, &limits::HANDLERS_END)
            .on(&pages::POSIX_ATFORK)
            .and(&pages::POSIX_FORK, Description),
        &[&HANDLERS, &HANDLERS_PRELOADED],
        &[by(
            "parent and child end, and each of the three handlers got a block",
            handlers_ran,
        )],
    ),
    should(
        PROCESS,
        "process.forks-from-threads",
        "several threads can fork at the same time while others allocate; each parent and each child goes on allocating and freeing",
        limited(Description, &limits::FORKS_END).on(&pages::POSIX_FORK),
        &[&THREADS, &THREADS_PRELOADED],
        &[by(
            "all children of three threads end and find their bytes",
            all_sound,
        )],
    ),
];

static HANDLERS: Case = Case::new(
    "process-fork-handlers",
    "forks in a child process while fork handlers of the probe allocate and free",
    handlers,
)
.by_path()
.forks();
static HANDLERS_PRELOADED: Case = Case::new(
    "process-fork-handlers-preloaded",
    "the same, with the library preloaded",
    handlers,
)
.preloaded()
.forks();

static THREADS: Case = Case::new(
    "process-forks-from-threads",
    "three threads fork eight times each while a fourth one allocates; all in a child process",
    threads,
)
.by_path()
.forks();
static THREADS_PRELOADED: Case = Case::new(
    "process-forks-from-threads-preloaded",
    "the same, with the library preloaded",
    threads,
)
.preloaded()
.forks();

const HANDLERS_STATUS: &str = "status of the process with fork handlers";
const THREADS_STATUS: &str = "status of the process whose threads fork";
/// How many times as long a fork may take with handlers that allocate.
const FACTOR: u32 = 50;
const QUICK: Duration = Duration::from_millis(300);
const FORKING: usize = 3;
const FORKS: usize = 8;

fn handlers(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("fork while no handler allocates")?;
    let crt = &probe.crt;
    let start = Instant::now();
    let mut status = fork_in_a_child(crt, PATIENCE, false)?;
    if status == SOUND {
        // A handler that waits for the thread that forks waits for ever.
        let limit = QUICK.max(FACTOR * start.elapsed());
        probe.step("fork while handlers allocate")?;
        status = fork_in_a_child(&probe.crt, limit, true)?;
    }
    probe.fact(HANDLERS_STATUS, status.into())
}

/// Forks in a child process, which may take this long in all. The handlers allocate if they
/// are armed.
fn fork_in_a_child(crt: &Crt, limit: Duration, are_armed: bool) -> Result<i32, Stop> {
    let ended = in_a_fork_within(limit, || match fork_with_handlers(crt, limit, are_armed) {
        Ok(status) => status,
        Err(Stop::OutOfMemory(_)) => REFUSED,
        Err(Stop::NotJudged(_)) => UNKNOWN,
        Err(_) => WRONG,
    });
    ended.map(status).map_err(Stop::NotJudged)
}

fn fork_with_handlers(crt: &Crt, limit: Duration, are_armed: bool) -> Result<i32, Stop> {
    use_the_heap(crt, 1)?;
    // In each process: the handler before the fork, and the one after it.
    let expected = match are_armed {
        true => arm_fork_handlers(crt).map(|()| 2)?,
        false => 0,
    };
    let child = in_a_fork_within(limit, || {
        if calls_of_fork_handlers() != expected {
            return WRONG;
        }
        use_the_heap(crt, 2).map_or(REFUSED, |()| SOUND)
    });
    let status = status(child.map_err(Stop::Failed)?);
    if status == SOUND && calls_of_fork_handlers() != expected {
        return Ok(WRONG);
    }
    use_the_heap(crt, 3).map(|()| status)
}

/// Allocates, fills, checks and frees blocks of three sizes.
fn use_the_heap(crt: &Crt, seed: u64) -> Result<(), Stop> {
    for size in [30, 3000, 200_000] {
        let mut block = crt.need(size)?;
        block.fill(seed);
        if block.lost_bytes(seed) > 0 {
            return Err(Stop::Failed("bytes were lost".into()));
        }
        crt.free(block)?;
    }
    Ok(())
}

fn handlers_ran(seen: &Seen) -> Judgement {
    judge_status(
        seen,
        HANDLERS_STATUS,
        "each handler got a block, and parent and child ended",
        "a handler got no block, or a process was killed",
    )
}

fn threads(probe: &mut Probe) -> Result<(), Stop> {
    let crt = &probe.crt;
    let ended = in_a_fork_within(4 * PATIENCE, || threads_that_fork(crt));
    let status = status(ended.map_err(Stop::NotJudged)?);
    probe.fact(THREADS_STATUS, status.into())
}

/// The greatest status of a child of the threads.
fn threads_that_fork(crt: &Crt) -> i32 {
    use std::sync::atomic::{AtomicBool, Ordering};
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if let Ok(block) = crt.need(48) {
                    let _ = crt.free(block);
                }
            }
        });
        let forking = (0..FORKING).map(|seed| scope.spawn(move || forks(crt, seed)));
        let forking: Vec<_> = forking.collect();
        let statuses = forking
            .into_iter()
            .map(|thread| thread.join().unwrap_or(WRONG));
        let status = statuses.max().unwrap_or(WRONG);
        is_over.store(true, Ordering::Relaxed);
        status
    })
}

fn forks(crt: &Crt, thread: usize) -> i32 {
    for fork in 0..FORKS {
        let seed = (thread * FORKS + fork) as u64;
        let Ok(mut block) = crt.need(700) else {
            return REFUSED;
        };
        block.fill(seed);
        // The other threads are then in the heap again.
        thread::sleep(Duration::from_micros(200));
        let child = in_a_fork_within(PATIENCE, || match use_the_heap(crt, seed) {
            Ok(()) if block.lost_bytes(seed) == 0 => SOUND,
            Ok(()) => WRONG,
            Err(_) => REFUSED,
        });
        let status = child.map_or(HUNG, status);
        if status != SOUND || block.lost_bytes(seed) > 0 || crt.free(block).is_err() {
            return status.max(WRONG);
        }
    }
    SOUND
}

fn all_sound(seen: &Seen) -> Judgement {
    judge_status(
        seen,
        THREADS_STATUS,
        "all 24 children of three threads were sound",
        "a child lost bytes or was killed",
    )
}
