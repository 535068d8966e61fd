//! The shard of a thread, which each `malloc` needs first.

use crate::os;
#[cfg(unix)]
use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Number of shards. Up to this many threads run without sharing a lock.
pub(crate) const SHARDS: usize = if cfg!(schedules) { 2 } else { 16 };

/// Number of threads of each shard.
static THREADS: [AtomicUsize; SHARDS] = [const { AtomicUsize::new(0) }; SHARDS];

/// The index of this thread's shard; `usize::MAX` before its first call.
#[inline(always)]
pub(crate) fn shard() -> usize {
    os::thread_number::number().wrapping_sub(1)
}

/// The same, and before the first call the index of a shard with the fewest threads, which
/// it is from then on. So a thread takes over the shard of one that ended, and with it
/// memory that is in use. (On Windows, the end of a thread is not noticed.)
#[cold]
pub(crate) fn shard_or_new() -> usize {
    while shard() == usize::MAX {
        let threads = |index: usize| (THREADS[index].load(Relaxed), index);
        let (count, index) = (0..SHARDS).map(threads).min().unwrap_or_default();
        let (new, free) = (count + 1, &THREADS[index]);
        if free.compare_exchange(count, new, Relaxed, Relaxed).is_ok() {
            os::thread_number::set_number(index + 1);
            os::at_thread_exit(); // this may allocate, from the shard that is set
        }
    }
    shard()
}

/// Leaves the shard at the end of this thread. A destructor that runs later may allocate: the
/// thread then joins again, and leaves again.
#[cfg(unix)]
pub(crate) unsafe extern "C" fn leave(_: *mut c_void) {
    if let Some(threads) = THREADS.get(shard()) {
        threads.fetch_sub(1, Relaxed);
    }
    os::thread_number::set_number(0);
}

/// Forgets all other threads: the child of a fork does not have them.
#[cfg(unix)]
pub(crate) fn forget_others() {
    for (index, threads) in THREADS.iter().enumerate() {
        threads.store(usize::from(index == shard()), Relaxed);
    }
}
