//! The one heap of the process, and its lock.

use crate::heap::Heap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) type Guard = MutexGuard<'static, Heap>;

static HEAP: Mutex<Heap> = Mutex::new(Heap::new());

/// The heap, for as long as the result is kept.
pub(super) fn heap() -> Guard {
    HEAP.lock().unwrap_or_else(PoisonError::into_inner)
}
