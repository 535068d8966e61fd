//! `int _heapmin(void)`: gives unused heap memory back to the operating
//! system. 0 if it did; otherwise -1, with `errno` set to `ENOSYS`.

pub(super) mod alias;
pub(super) mod coalesces;
pub(super) mod concurrent;
pub(super) mod empty_heap;
pub(super) mod errno_per_thread;
pub(super) mod failure;
pub(super) mod faults;
pub(super) mod heap_consistent;
pub(super) mod live_blocks;
pub(super) mod memory_limit;
pub(super) mod release;
pub(super) mod reuse;
mod start_values;
pub(super) mod success;

pub use faults::HOW as FAULT_HOW;

use crate::clause::{Clause, Judgement, Routine, Seen, exported};
use crate::clauses::pages;

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clauses, in the order of the page.
pub static CLAUSES: &[Clause] = &[
    // PAGE: _heapmin
    // EXPECTED: the loader finds a routine named _heapmin
    exported(
        HEAPMIN,
        "heapmin.exported",
        "the library exports _heapmin undecorated",
    ),
];

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
