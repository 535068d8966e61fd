//! The one heap of the process, and its lock.

use crate::heap::Heap;
use crate::os;
use core::cell::Cell;
use core::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

type Guard = MutexGuard<'static, Heap>;

static HEAP: Mutex<Heap> = Mutex::new(Heap::new());

/// Whether the system was asked to call us around a fork.
static KNOWS_FORKS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The lock, while this thread forks. Nothing is dropped when the thread
    /// ends: noting that down would need memory, and so the lock.
    static AT_FORK: Cell<Option<ManuallyDrop<Guard>>> = const { Cell::new(None) };
}

/// The heap, for as long as the result is kept.
pub(super) fn heap() -> Guard {
    // Not a `Once`: the system may allocate while it is asked.
    if !KNOWS_FORKS.load(Ordering::Relaxed) && !KNOWS_FORKS.swap(true, Ordering::Relaxed) {
        os::at_fork(before_fork, after_fork);
    }
    lock()
}

fn lock() -> Guard {
    HEAP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until no other thread is at work on the heap: the child gets a copy
/// of it, but none of the threads that could finish that work and unlock it.
extern "C" fn before_fork() {
    AT_FORK.with(|kept| kept.set(Some(ManuallyDrop::new(lock()))));
}

extern "C" fn after_fork() {
    drop(AT_FORK.take().map(ManuallyDrop::into_inner));
}
