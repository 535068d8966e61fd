//! `int _heapmin(void)`: gives unused heap memory back to the operating
//! system. 0 if it did; otherwise -1, with `errno` set to `ENOSYS`.

mod alias;
mod coalesces;
mod concurrent;
mod empty_heap;
mod errno_per_thread;
mod failure;
mod faults;
mod heap_consistent;
mod live_blocks;
mod memory_limit;
mod release;
mod reuse;
mod start_values;
mod success;

pub use faults::HOW as FAULT_HOW;
pub use release::{GIVEN_BACK, given_back};

use super::exported::{LOAD, exported};
use crate::clause::{Clause, Judgement, Level, Seen};

/// The clauses, in the order of the specification.
pub static CLAUSES: [&Clause; 21] = [
    &EXPORTED,
    &success::RETURNS_ZERO,
    &success::KEEPS_ERRNO,
    &failure::RETURNS_MINUS_ONE,
    &failure::SETS_ENOSYS,
    &failure::UNSUPPORTED_OS,
    &faults::RECOVERS,
    &memory_limit::RELIEVES_LIMIT,
    &release::MEMORY,
    &release::PARTIAL,
    &release::NEVER_GROWS,
    &coalesces::COALESCES,
    &reuse::MEMORY_REUSABLE,
    &live_blocks::PRESERVED,
    &release::IDEMPOTENT,
    &empty_heap::EMPTY_HEAP,
    &heap_consistent::CONSISTENT,
    &errno_per_thread::PER_THREAD,
    &concurrent::CONCURRENT,
    &failure::DOSERRNO,
    &alias::SAME_HEAP,
];

static EXPORTED: Clause = Clause {
    id: "heapmin.exported",
    routine: "_heapmin",
    level: Level::Must,
    page: "_heapmin",
    summary: "the library exports _heapmin undecorated",
    expects: "the loader finds a routine named _heapmin",
    cases: &[&LOAD],
    judge: exported,
};

/// Judges what only a `_heapmin` that succeeds can be judged by.
fn if_it_succeeds(seen: &Seen, judge: fn(&Seen) -> Judgement) -> Judgement {
    let mut returned = seen
        .observation
        .calls("_heapmin")
        .map(|call| call.returned)
        .peekable();
    if returned.peek().is_some() && returned.all(|value| value == -1) {
        return Judgement::unsupported("_heapmin returned -1; see the failure clauses");
    }
    judge(seen)
}
