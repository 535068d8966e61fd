//! The one heap of the process, and its lock.

use crate::heap::Heap;
use crate::os;
use core::cell::Cell;
use core::mem::ManuallyDrop;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Guard = MutexGuard<'static, Heap>;

static HEAP: Mutex<Heap> = Mutex::new(Heap::new());

thread_local! {
    /// The lock, while this thread forks. Nothing is dropped when the thread
    /// ends: noting that down would need memory, and so the lock.
    static AT_FORK: Cell<Option<ManuallyDrop<Guard>>> = const { Cell::new(None) };
}

/// The heap, for as long as the result is kept.
pub(super) fn heap() -> Guard {
    HEAP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Called by the loader. At the first use it would be too late: another
/// thread might fork while this one is still asking to be told of it.
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(
    all(unix, not(target_vendor = "apple")),
    unsafe(link_section = ".init_array")
)]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    os::at_fork(before_fork, after_fork);
}

/// Waits until no other thread is at work on the heap: the child gets a copy
/// of it, but none of the threads that could finish that work and unlock it.
extern "C" fn before_fork() {
    AT_FORK.with(|kept| kept.set(Some(ManuallyDrop::new(heap()))));
}

extern "C" fn after_fork() {
    drop(AT_FORK.take().map(ManuallyDrop::into_inner));
}
