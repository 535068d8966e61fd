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

use crate::clause::check::{Check, only_if};
use crate::clause::{Clause, Judgement, Routine, Seen};
use crate::clauses::exported::exported;
use crate::clauses::pages;

const HEAPMIN: Routine = Routine {
    name: "_heapmin",
    page: &pages::HEAPMIN,
};

/// The clause that the library exports `_heapmin`.
pub(super) static CLAUSES: &[Clause] = &[exported(
    HEAPMIN,
    "heapmin.exported",
    "the library exports _heapmin undecorated",
)];

/// The first check of a clause that judges only a `_heapmin` that succeeds.
const SOME_CALL_SUCCEEDS: Check = only_if("a call succeeds", no_success);

fn no_success(seen: &Seen) -> Option<Judgement> {
    let calls: Vec<_> = seen.observation.calls("_heapmin").collect();
    let count = calls.len();
    let is_none = count > 0 && calls.iter().all(|call| call.returned == -1);
    is_none.then(|| {
        let why = format!("none of {count} calls succeeded; see the failure clauses");
        Judgement::not_judged(why)
    })
}
