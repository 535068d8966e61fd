//! Each pair of values that calls of a routine can have is in some case.
//!
//! All cases run on the reference, and their probes record what each call was: its size, its
//! alignment, the history of its block or memory, its thread, and what the system refused
//! (`harness/src/wire/coverage.rs`). A pair of two such values that no call had fails the
//! test, unless `impossible.rs` says why it cannot be.
#![cfg(target_os = "linux")]

mod dimensions;
mod impossible;
mod page;

use dimensions::dimensions_of;
use heapmin_conformance::clauses;
use heapmin_conformance::observe::observe_recorded;
use heapmin_conformance::shipped::{catalogue, runners_of};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runners::Choice;
use heapmin_harness::wire::coverage::{Dimension, Pairs, ROUTINES, Value};
use heapmin_harness::wire::observation::Event;
use impossible::reason;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Limit for a case. Long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(180);

/// What all cases cover together, for each routine.
type Covered = BTreeMap<String, Pairs>;

/// A pair of values of a routine.
#[derive(Clone, Copy)]
struct Pair {
    routine: &'static str,
    one: Value,
    other: Value,
}

/// How many pairs there are, and what became of them.
#[derive(Clone, Copy, Default)]
struct Count {
    covered: usize,
    impossible: usize,
    uncovered: usize,
}

#[test]
fn each_pair_of_values_is_in_a_case_or_impossible() {
    let covered = run_all_cases();
    println!("{}", page::terminal(&covered));
    let mut problems = Vec::new();
    for pair in ROUTINES.iter().copied().flat_map(pairs) {
        let is_covered = pair.is_in(&covered);
        let Pair {
            routine,
            one,
            other,
        } = pair;
        let (one, other) = (in_words(one), in_words(other));
        match reason(pair) {
            None if !is_covered => problems.push(format!("{routine}: {one} with {other}")),
            Some(why) if is_covered => problems.push(format!(
                "{routine}: {one} with {other} is in a case, and impossible.rs says that it cannot be: {why}"
            )),
            _ => {}
        }
    }
    let count = problems.len();
    assert!(
        problems.is_empty(),
        "{count} pairs of values are in no case. Write a case, or give a reason in impossible.rs:\n{}",
        problems.join("\n")
    );
    page::compare();
}

fn in_words(value: Value) -> String {
    format!("{} ({})", value.dimension().title(), value.name())
}

impl Pair {
    fn is_in(self, covered: &Covered) -> bool {
        let pairs = covered.get(self.routine);
        pairs.is_some_and(|pairs| pairs.has(self.one, self.other))
    }
}

/// The pairs of values in two dimensions of a routine.
fn pairs(routine: &'static str) -> impl Iterator<Item = Pair> {
    let values = || dimensions_of(routine).flat_map(values);
    values().flat_map(move |one| {
        let others = values().filter(move |other| one.dimension() < other.dimension());
        others.map(move |other| Pair {
            routine,
            one,
            other,
        })
    })
}

fn values(dimension: Dimension) -> impl Iterator<Item = Value> {
    let all = Value::ALL.iter().copied();
    all.filter(move |value| value.dimension() == dimension)
}

/// The pairs of a routine that have a value in this dimension.
fn count(covered: &Covered, routine: &'static str, dimension: Dimension) -> Count {
    let mut count = Count::default();
    for pair in pairs(routine) {
        if ![pair.one.dimension(), pair.other.dimension()].contains(&dimension) {
            continue;
        }
        *match (reason(pair), pair.is_in(covered)) {
            (Some(_), _) => &mut count.impossible,
            (None, true) => &mut count.covered,
            (None, false) => &mut count.uncovered,
        } += 1;
    }
    count
}

fn run_all_cases() -> Covered {
    let candidate = reference();
    let cases = clauses::cases();
    let next = AtomicUsize::new(0);
    let covered = Mutex::new(Covered::new());
    let jobs = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let seen = observe_recorded(&candidate, case, TIMEOUT);
                    let mut covered = covered.lock().expect("no thread panics with the lock");
                    for event in seen.events {
                        if let Event::Covered { routine, pairs } = event {
                            covered.entry(routine).or_default().add_all(&pairs);
                        }
                    }
                }
            });
        }
    });
    covered.into_inner().expect("no thread panicked")
}

fn reference() -> Candidate {
    let runners = runners_of(env!("CARGO_BIN_EXE_heapmin").into(), Choice::default());
    let catalogue = catalogue().expect("our own profiles are right");
    let candidate = catalogue.candidate("reference", None, &runners);
    candidate.expect("the reference is built with this test")
}
