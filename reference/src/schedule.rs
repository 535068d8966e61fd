//! Steps at which a test may switch to another thread
//! (`reference/variants/schedules`). Without that test a step does nothing.

#[cfg(schedules)]
pub(crate) use shuttle::{thread::yield_now as step, thread_local};
#[cfg(not(schedules))]
#[allow(unused_imports)] // on Linux, `thread` has a variable of its own
pub(crate) use std::thread_local;

/// A step at which the order of threads matters.
#[cfg(not(schedules))]
#[inline(always)]
pub(crate) fn step() {}
