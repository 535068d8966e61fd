//! The lock of a shard, and of the space.
//!
//! Each `malloc` and `free` takes one lock, and nearly always finds it free. So
//! unlocking is made cheap: it is one ordinary store. A lock that wakes sleeping
//! threads needs an atomic exchange, which takes as long as the rest of a
//! `free`. A thread that finds the lock taken spins first, and later sleeps
//! between its attempts.

use crate::schedule::step;
use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

/// Spin iterations before we assume that the holder was descheduled.
const SPINS: u32 = 30;
/// Sleep after each round of spinning.
const PAUSE: Duration = Duration::from_micros(20);

/// A value that only one thread at a time may use.
#[repr(align(128))] // no two locks share a cache line
pub(crate) struct Lock<T> {
    is_taken: AtomicBool,
    content: UnsafeCell<T>,
}

/// The right to use the value. Dropping it unlocks.
pub(crate) struct Guard<'a, T>(&'a Lock<T>);

// SAFETY: only one thread at a time reaches the content.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// Creates a lock that is free.
    pub(crate) const fn new(content: T) -> Lock<T> {
        Lock {
            is_taken: AtomicBool::new(false),
            content: UnsafeCell::new(content),
        }
    }

    /// Waits until the lock is free, and takes it.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        step();
        if !self.try_take() {
            self.wait();
        }
        Guard(self)
    }

    #[inline]
    fn try_take(&self) -> bool {
        let taken = (Ordering::Acquire, Ordering::Relaxed);
        self.is_taken
            .compare_exchange(false, true, taken.0, taken.1)
            .is_ok()
    }

    #[cold]
    fn wait(&self) {
        loop {
            for _ in 0..SPINS {
                if !self.is_taken.load(Ordering::Relaxed) && self.try_take() {
                    return;
                }
                spin_loop();
                step();
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a lock has at most one guard.
        unsafe { &*self.0.content.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: a lock has at most one guard.
        unsafe { &mut *self.0.content.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.is_taken.store(false, Ordering::Release);
        step();
    }
}
