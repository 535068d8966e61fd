//! The lock of a shard, and of the space.
//!
//! Each `malloc` and `free` takes one lock, and nearly always finds it free. So
//! unlocking is made cheap: it is one ordinary store and one load. A store that
//! must also be sure to see each sleeping thread needs an atomic exchange, which
//! takes as long as the rest of a `free`. Here a thread that goes to sleep may be
//! missed, and wakes by itself after [`LONGEST`].
//!
//! A thread that forks holds all locks meanwhile, and may use the heap all the
//! same: fork handlers of other libraries may run then, and may allocate.

use crate::os;
use crate::schedule::step;
use core::cell::{Cell, UnsafeCell};
use core::hint::spin_loop;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

/// Spin iterations before we assume that the holder was descheduled.
const SPINS: u32 = 30;
/// The longest sleep before a thread looks again, in microseconds.
const LONGEST: u32 = 500;

/// The states of a lock.
const FREE: u32 = 0;
const TAKEN: u32 = 1;
const TAKEN_BY_FORK: u32 = 2;

/// A value that only one thread at a time may use.
#[repr(C, align(128))] // no two locks share a cache line
pub(crate) struct Lock<T> {
    state: AtomicU32,
    /// Number of threads that sleep until the lock is free.
    sleepers: AtomicU32,
    content: UnsafeCell<T>,
}

/// The right to use the value. Dropping it unlocks.
pub(crate) struct Guard<'a, T> {
    lock: &'a Lock<T>,
    /// The state of the lock before.
    before: u32,
}

thread_local! {
    /// Whether this thread forks, and so holds every lock that is [`TAKEN_BY_FORK`].
    static FORKS: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: only one thread at a time reaches the content.
unsafe impl<T: Send> Sync for Lock<T> {}

impl<T> Lock<T> {
    /// Creates a lock that is free.
    pub(crate) const fn new(content: T) -> Lock<T> {
        Lock {
            state: AtomicU32::new(FREE),
            sleepers: AtomicU32::new(0),
            content: UnsafeCell::new(content),
        }
    }

    /// Waits until the lock is free, and takes it.
    #[inline]
    pub(crate) fn lock(&self) -> Guard<'_, T> {
        step();
        let before = if self.try_take() { FREE } else { self.wait() };
        Guard { lock: self, before }
    }

    /// Takes the lock if it is free.
    #[inline(always)]
    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        step();
        let guard = || Guard {
            lock: self,
            before: FREE,
        };
        self.try_take().then(guard)
    }

    /// Whether a thread sleeps until the lock is free.
    #[inline]
    pub(crate) fn has_sleepers(&self) -> bool {
        self.sleepers.load(Ordering::Relaxed) != 0
    }

    /// Whether a thread has the lock.
    #[cfg(unix)]
    pub(crate) fn is_taken(&self) -> bool {
        self.state.load(Ordering::Relaxed) != FREE
    }

    #[inline(always)]
    fn try_take(&self) -> bool {
        let taken = (Ordering::Acquire, Ordering::Relaxed);
        self.state
            .compare_exchange(FREE, TAKEN, taken.0, taken.1)
            .is_ok()
    }

    /// Waits for the lock. Returns its state before: a thread that forks need not wait.
    #[cold]
    fn wait(&self) -> u32 {
        loop {
            for _ in 0..SPINS {
                let state = self.state.load(Ordering::Relaxed);
                if state == TAKEN_BY_FORK && FORKS.get() {
                    return TAKEN_BY_FORK;
                }
                if state == FREE && self.try_take() {
                    return FREE;
                }
                spin_loop();
                step();
            }
            let state = self.state.load(Ordering::Relaxed);
            if state != FREE {
                self.sleepers.fetch_add(1, Ordering::Relaxed);
                os::wait(&self.state, state, LONGEST);
                // The child of a fork forgets those of its parent.
                let fewer = |sleepers: u32| sleepers.checked_sub(1);
                let _ = self
                    .sleepers
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
            }
        }
    }
}

impl<T> Guard<'_, T> {
    /// Unlocks, and returns a value. As the last thing that a function does, this leaves
    /// nothing to do after a call of the system, so that the function needs no frame.
    #[inline(always)]
    pub(crate) fn unlock<R>(self, value: R) -> R {
        let (lock, before) = (self.lock, self.before);
        core::mem::forget(self);
        lock.state.store(before, Ordering::Release);
        if lock.has_sleepers() {
            return wake(&lock.state, value);
        }
        step();
        value
    }

    /// Keeps the lock for a fork of this thread, which may use the value meanwhile
    /// ([`set_forks`]).
    #[cfg(unix)]
    pub(crate) fn keep_for_fork(&self) {
        self.lock.state.store(TAKEN_BY_FORK, Ordering::Relaxed);
    }

    /// Forgets the threads that sleep: the child of a fork does not have them.
    #[cfg(unix)]
    pub(crate) fn forget_sleepers(&self) {
        self.lock.sleepers.store(0, Ordering::Relaxed);
    }
}

/// Says whether this thread forks: whether it holds all locks that were kept for a fork.
#[cfg(unix)]
pub(crate) fn set_forks(forks: bool) {
    FORKS.set(forks);
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: a lock has one guard at a time. While a thread forks, it makes
        // further ones, one after another, and does not use the first.
        unsafe { &*self.lock.content.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above.
        unsafe { &mut *self.lock.content.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Guard { lock, before } = *self;
        Guard { lock, before }.unlock(());
    }
}

#[cold]
fn wake<R>(state: &AtomicU32, value: R) -> R {
    os::wake(state);
    step();
    value
}
