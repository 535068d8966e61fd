//! The lock of a shard, and of the space.
//!
//! `malloc` and `free` take one each time, and next to always find it free. So
//! it is made cheap to give back: one ordinary store, where a lock that wakes
//! sleepers needs an exchange, which takes as long as all the rest of a `free`.
//! Who finds it taken looks again soon, and after a while sleeps in between.

use crate::schedule::step;
use core::cell::UnsafeCell;
use core::hint::spin_loop;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

/// So often a taken lock is looked at again before its holder is thought to be
/// without a processor.
const LOOKS: u32 = 30;
/// How long to sleep then.
const PAUSE: Duration = Duration::from_micros(20);

/// Something that one thread at a time may use.
#[repr(align(128))] // no two in one line of a cache
pub(crate) struct Lock<T> {
    is_taken: AtomicBool,
    content: UnsafeCell<T>,
}

/// The right to use it, until dropped.
pub(crate) struct Guard<'a, T>(&'a Lock<T>);

// SAFETY: only one thread at a time gets at the content.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// A lock that nobody has.
    pub(crate) const fn new(content: T) -> Lock<T> {
        Lock {
            is_taken: AtomicBool::new(false),
            content: UnsafeCell::new(content),
        }
    }

    /// Waits until nobody has it, and takes it.
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
            for _ in 0..LOOKS {
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
        // SAFETY: whoever has the guard is the only one.
        unsafe { &*self.0.content.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: whoever has the guard is the only one.
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
