//! Where a test may have another thread go on (`reference/variants/schedules`). In the
//! heap itself nothing happens there.

#[cfg(schedules)]
pub(crate) use shuttle::{thread::yield_now as step, thread_local};
#[cfg(not(schedules))]
pub(crate) use std::thread_local;

/// A step at which the order of threads matters.
#[cfg(not(schedules))]
#[inline(always)]
pub(crate) fn step() {}
