//! `int _heapmin(void)`: gives unused heap memory back to the operating
//! system. 0 if it did; otherwise -1, with `errno` set to `ENOSYS`.

mod alias;
mod coalesces;
mod concurrent;
mod empty_heap;
mod errno_per_thread;
mod exported;
mod failure;
mod faults;
mod heap_consistent;
mod live_blocks;
mod memory_limit;
mod release;
mod reuse;
mod start_values;
mod success;
mod workload;

pub use faults::HOW as FAULT_HOW;
pub use release::{GIVEN_BACK, given_back};

use crate::clause::Clause;

/// The clauses, in the order of the specification.
pub static CLAUSES: [&Clause; 21] = [
    &exported::EXPORTED,
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
