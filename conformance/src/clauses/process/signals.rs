//! Signals that arrive while a thread is in the heap.

use super::super::workload::mixed_size;
use super::PROCESS;
use crate::clause::Section::Numbered;
use crate::clause::check::{by, none_of};
use crate::clause::{Case, Clause, Judgement, Seen, derived, should};
use crate::clauses::pages;
use heapmin_harness::probe::process::interrupted;
use heapmin_harness::probe::{Probe, Stop};
use std::sync::atomic::{AtomicI64, Ordering};

pub(crate) static CLAUSES: &[Clause] = &[should(
    PROCESS,
    "process.interrupted-by-signals",
    "signals whose handler does not use the heap harm no call that they interrupt, also on an alternate stack; a thread that blocks all signals can use the heap",
    derived(
        Numbered("2.9.1 Thread-Safety"),
        "a handler that calls no unsafe function may interrupt any function, which then goes on",
    )
    .on(&pages::POSIX_THREADS),
    &[&SIGNALS, &SIGNALS_PRELOADED],
    &[
        by("signals were handled meanwhile", was_interrupted),
        none_of(WRONG, BLOCKS),
    ],
)];

static SIGNALS: Case = Case::new(
    "process-signals",
    "two threads allocate, check and free 800 blocks each; one is interrupted by signals and repeats that until it has handled 20, the other blocks them",
    signals,
)
.by_path();
static SIGNALS_PRELOADED: Case = Case::new(
    "process-signals-preloaded",
    "the same, with the library preloaded",
    signals,
)
.preloaded();

const WRONG: &str = "blocks refused or changed under signals";
const BLOCKS: &str = "blocks under signals";
const HANDLED: &str = "whether signals were handled";
const ROUNDS: usize = 50;
const HELD: usize = 16;

fn signals(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("two threads use the heap while signals arrive")?;
    let crt = &probe.crt;
    let wrong = AtomicI64::new(0);
    let work = || {
        for round in 0..ROUNDS {
            let mut held = [const { None }; HELD];
            for (index, block) in held.iter_mut().enumerate() {
                let seed = round * HELD + index;
                match crt.need(mixed_size(seed)) {
                    Ok(new) => block.insert(new).fill(seed as u64),
                    Err(_) => _ = wrong.fetch_add(1, Ordering::Relaxed),
                }
            }
            for (index, block) in held.into_iter().enumerate() {
                let Some(block) = block else { continue };
                let seed = (round * HELD + index) as u64;
                wrong.fetch_add((block.lost_bytes(seed) > 0).into(), Ordering::Relaxed);
                let _ = crt.free(block);
            }
        }
    };
    let handled = interrupted(&work)?;
    probe.fact(HANDLED, (handled > 0).into())?;
    probe.fact(WRONG, wrong.into_inner())?;
    // The interrupted thread may have had more.
    probe.fact(BLOCKS, (2 * ROUNDS * HELD) as i64)
}

fn was_interrupted(seen: &Seen) -> Judgement {
    match seen.observation.fact(HANDLED) {
        Some(1) => Judgement::pass("signals were handled"),
        _ => Judgement::not_judged("no signal was handled"),
    }
}
