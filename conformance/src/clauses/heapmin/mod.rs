//! `int _heapmin(void)`: releases unused heap memory to the operating system. It
//! returns 0 if successful; otherwise -1, with `errno` set to `ENOSYS`.

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

use crate::clause::check::{Check, by};
use crate::clause::{Clause, Judgement, Routine, Seen, exported};
use crate::clauses::pages;

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clause that the library exports `_heapmin`.
pub static CLAUSES: &[Clause] = &[exported(
    HEAPMIN,
    "heapmin.exported",
    "the library exports _heapmin undecorated",
)];

/// The first check of a clause that judges only a `_heapmin` that succeeds.
const SOME_CALL_SUCCEEDS: Check = by(
    "a call of _heapmin that does not return -1",
    some_call_succeeds,
);

fn some_call_succeeds(seen: &Seen) -> Judgement {
    let calls: Vec<_> = seen.observation.calls("_heapmin").collect();
    let count = calls.len();
    match calls.iter().all(|call| call.returned == -1) {
        true if count > 0 => Judgement::unsupported(format!(
            "none of {count} calls succeeded; see the failure clauses"
        )),
        _ => Judgement::pass("a call succeeded"),
    }
}
