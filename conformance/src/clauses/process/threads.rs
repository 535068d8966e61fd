//! Threads: the first calls of many at once, and destructors that allocate.

use super::{PATIENCE, PROCESS, REFUSED, SOUND, WRONG, judge_status, status};
use crate::clause::Section::Description;
use crate::clause::Section::Numbered;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, Verdict, derived, limited, should};
use crate::clauses::{limits, pages};
use crate::figures::amount;
use heapmin_harness::probe::crt::Crt;
use heapmin_harness::probe::process::threads_with_destructors;
use heapmin_harness::probe::{Probe, Stop, in_a_fork_within};
use std::sync::Barrier;
use std::thread;

pub(crate) static CLAUSES: &[Clause] = &[
    should(
        PROCESS,
        "process.first-calls-at-once",
        "the first calls of the heap may come from many threads at the same time",
        derived(
            Numbered("2.9.1 Thread-Safety"),
            "the routines of the heap are thread-safe, and no call needs another one before it",
        )
        .on(&pages::POSIX_THREADS),
        &[&FIRST, &FIRST_PRELOADED],
        &[by(
            "each of eight threads keeps its bytes, in 20 processes",
            first_calls,
        )],
    ),
    should(
        PROCESS,
        "process.thread-destructors",
        "the destructors of a thread's values can allocate and free, also after the heap's own destructor ran, and the heap gets that memory back",
        limited(Description, &limits::AFTER_THREADS).on(&pages::POSIX_KEY_CREATE),
        &[&DESTRUCTORS, &DESTRUCTORS_PRELOADED],
        &[by(
            "blocks in three rounds of destructors, and at most 1 MiB more after 200 threads",
            destructors_work,
        )],
    ),
];

static FIRST: Case = Case::new(
    "process-first-calls",
    "starts eight threads in each of 20 child processes; their first calls come at the same time",
    first,
)
.by_path()
.forks();
static FIRST_PRELOADED: Case = Case::new(
    "process-first-calls-preloaded",
    "the same, with the library preloaded: the first calls of these threads",
    first,
)
.preloaded()
.forks();

static DESTRUCTORS: Case = Case::new(
    "process-thread-destructors",
    "runs 220 threads, one after another, whose destructors allocate, write and free in three rounds",
    destructors,
)
.by_path();
static DESTRUCTORS_PRELOADED: Case = Case::new(
    "process-thread-destructors-preloaded",
    "the same, with the library preloaded",
    destructors,
)
.preloaded();

const STATUS: &str = "status of the processes with first calls at once";
const PROCESSES: usize = 20;
const AT_ONCE: usize = 8;
const BLOCKS_WRONG: &str = "blocks refused or changed in destructors";
const SETTLED: &str = "after 20 threads";
const LATER: &str = "after 220 threads";

fn first(probe: &mut Probe) -> Result<(), Stop> {
    let crt = &probe.crt;
    let mut worst = SOUND;
    for _ in 0..PROCESSES {
        let ended = in_a_fork_within(PATIENCE, || threads_at_once(crt));
        worst = worst.max(status(ended.map_err(Stop::NotJudged)?));
        if worst != SOUND {
            break;
        }
    }
    probe.fact(STATUS, worst.into())
}

fn threads_at_once(crt: &Crt) -> i32 {
    let together = Barrier::new(AT_ONCE);
    thread::scope(|scope| {
        let one = |seed| {
            let together = &together;
            scope.spawn(move || first_blocks(crt, seed, together))
        };
        let threads: Vec<_> = (0..AT_ONCE as u64).map(one).collect();
        let statuses = threads.into_iter().map(|it| it.join().unwrap_or(WRONG));
        statuses.max().unwrap_or(WRONG)
    })
}

fn first_blocks(crt: &Crt, seed: u64, together: &Barrier) -> i32 {
    let mut held = [const { None }; 12];
    together.wait();
    let mut status = SOUND;
    for (index, block) in held.iter_mut().enumerate() {
        match crt.need(24 << index) {
            Ok(new) => block.insert(new).fill(seed),
            Err(_) => status = REFUSED,
        }
    }
    together.wait();
    for block in held.into_iter().flatten() {
        if block.lost_bytes(seed) > 0 || crt.free(block).is_err() {
            status = status.max(WRONG);
        }
    }
    status
}

fn first_calls(seen: &Seen) -> Judgement {
    judge_status(
        seen,
        STATUS,
        "sound in each of 20 processes",
        "a block lost bytes or a process was killed",
    )
}

fn destructors(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("run threads whose destructors allocate")?;
    let settling = threads_with_destructors(&probe.crt, 20)?;
    probe.moment(SETTLED)?;
    // Counts those of all threads.
    let wrong = threads_with_destructors(&probe.crt, 200)?.max(settling);
    probe.moment(LATER)?;
    probe.fact(BLOCKS_WRONG, wrong as i64)
}

fn destructors_work(seen: &Seen) -> Judgement {
    let resident = |moment| Some(seen.observation.memory(moment)?.resident);
    let (Some(wrong), Some(settled), Some(later)) = (
        seen.observation.fact(BLOCKS_WRONG),
        resident(SETTLED),
        resident(LATER),
    ) else {
        return Verdict::Error
            .because("the case did not count the blocks, or memory was not measured");
    };
    let grown = later.saturating_sub(settled);
    Judgement::pass_if(
        wrong == 0 && grown <= 1 << 20,
        format!(
            "{wrong} blocks refused or changed; {} more after 200 threads",
            amount(grown)
        ),
    )
}
