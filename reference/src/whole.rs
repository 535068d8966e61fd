//! The whole heap, with all its locks held: for `_heapmin`, the walk, the check, and a fork.

use crate::heap::Heap;
#[cfg(unix)]
use crate::heapwalk::Next;
use crate::lock::{Guard, Lock};
use crate::os;
use crate::shard::Shard;
use crate::space::Space;
use crate::thread::SHARDS;
use core::sync::atomic::Ordering;

/// How often a thread lets others go first, and for how many microseconds each time.
const MOST_WAITS: u32 = 20;
const WAIT: u32 = 25;

/// The whole heap, with all its locks held. No slot is spare.
pub(crate) struct Whole<'a> {
    pub(crate) misused: bool,
    pub(crate) shards: [Option<Guard<'a, Shard>>; SHARDS],
    pub(crate) space: Space<'a>,
}

impl Heap {
    /// Takes all locks of the heap. Threads that sleep until one is free go first: a
    /// thread that calls this again and again must not starve them.
    pub(crate) fn lock_all(&self) -> Whole<'_> {
        let is_waited_for =
            |_: &u32| self.shards.iter().any(Lock::has_sleepers) || self.arena.taken.has_sleepers();
        (0..MOST_WAITS)
            .take_while(is_waited_for)
            .for_each(|_| os::sleep(WAIT));
        // No other thread joins while the first lock is held. Locks of other shards are
        // not written, so that their pages need no memory.
        self.lock_shards(|| self.joined.load(Ordering::Relaxed))
    }

    /// Takes all locks, also those of shards without threads: this one may join
    /// while it forks.
    #[cfg(unix)]
    pub(crate) fn lock_for_fork(&self) -> Whole<'_> {
        self.lock_shards(|| SHARDS)
    }

    /// Takes the locks of the first `count` shards, and the space's. `count` is called
    /// with the first lock held.
    fn lock_shards(&self, count: impl FnOnce() -> usize) -> Whole<'_> {
        let mut shards = [const { None }; SHARDS];
        shards[0] = Some(self.shards[0].lock());
        let count = count();
        for (held, shard) in shards.iter_mut().zip(&self.shards).take(count).skip(1) {
            *held = Some(shard.lock());
        }
        for shard in shards.iter_mut().flatten() {
            shard.put_spare_back(&self.arena);
        }
        Whole {
            misused: self.misused.load(Ordering::Relaxed),
            shards,
            space: self.arena.space(),
        }
    }

    /// Gives back all address space, unless a block is live, a thread is inside the
    /// heap, or its window is reserved. The heap can be used again.
    #[cfg(unix)]
    pub(crate) fn withdraw(&self) {
        if self.shards.iter().any(Lock::is_taken) || self.arena.taken.is_taken() {
            return;
        }
        let mut whole = self.lock_all();
        if !matches!(whole.entry_after(core::ptr::null()), Next::Entry(_)) && whole.minimise() {
            whole.space.withdraw();
        }
    }
}

#[cfg(unix)]
impl Whole<'_> {
    /// Keeps all locks for a fork of this thread ([`crate::lock`]).
    pub(crate) fn keep_for_fork(&self) {
        self.shards.iter().flatten().for_each(Guard::keep_for_fork);
        self.space.taken.keep_for_fork();
    }

    /// Forgets the threads that wait: the child of a fork does not have them.
    pub(crate) fn forget_sleepers(&self) {
        self.shards
            .iter()
            .flatten()
            .for_each(Guard::forget_sleepers);
        self.space.taken.forget_sleepers();
    }
}
