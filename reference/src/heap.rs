//! The heap: which shard serves a request, and which locks a thread holds.
//!
//! A shard's lock guards the shard and the records of its spans. The space's
//! lock guards which spans and lines are taken, and the records of spans with
//! large blocks. A thread holds the lock of at most one shard, and takes the
//! space's lock last. Who takes all locks takes those of the shards in ascending
//! order, then the space's.

use crate::alignment::Alignment;
use crate::arena::Arena;
use crate::entry::{USED, entry_in};
#[cfg(unix)]
use crate::heapwalk::Next;
use crate::lock::{Guard, Lock};
use crate::os;
use crate::resize::{clear_rest, clear_tail};
use crate::schedule;
use crate::shard::Shard;
use crate::size_class;
use crate::space::Space;
use crate::span::{FIRST_SHARD, PAGE_SIZE, SPACE, SpanRef};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// Number of shards. Up to this many threads run without sharing a lock.
const SHARDS: usize = if cfg!(schedules) { 2 } else { 16 };

/// How often a thread lets others go first, and for how many microseconds each time.
const MOST_WAITS: u32 = 20;
const WAIT: u32 = 25;

/// The largest request, in bytes: Microsoft's `_HEAP_MAXREQ`.
const MAX_REQUEST: usize = usize::MAX - 31;

/// A heap. The C routines use one for the whole process ([`crate::routines`]).
#[repr(C, align(4096))] // shards without threads lie in pages that are never written
pub struct Heap {
    /// Made at the first allocation, under the first shard's lock.
    pub(crate) arena: OnceLock<Arena>,
    /// Shards from this number on have no threads. Raised under the first
    /// shard's lock.
    joined: AtomicUsize,
    /// Set when a caller frees what is not a live block. The heap is unharmed,
    /// but the program has an error, and `_heapchk` reports it.
    pub(crate) misused: AtomicBool,
    shards: [Lock<Shard>; SHARDS],
}

/// A live block.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// The span in which it begins.
    pub span: SpanRef,
    /// The first byte of its slot or pages.
    pub base: *mut u8,
    /// Bytes from `base` to the address that was looked up. An aligned block may
    /// begin there.
    pub gap: usize,
    /// Bytes from that address to the end of its slot or pages.
    pub size: usize,
}

/// A new block.
pub struct Block {
    /// Its first byte.
    pub address: *mut u8,
    /// Whether it may hold bytes of earlier blocks. If not, all bytes are zero.
    pub old_bytes: bool,
}

/// The owner of a span, locked.
pub(crate) enum Owner<'a> {
    Shard(Guard<'a, Shard>),
    Space(Guard<'a, Space>),
}

/// The whole heap, with all its locks held.
pub(crate) struct Whole<'a> {
    pub(crate) misused: bool,
    pub(crate) shards: [Option<Guard<'a, Shard>>; SHARDS],
    /// None if the heap was never used.
    pub(crate) arena: Option<(&'a Arena, Guard<'a, Space>)>,
}

/// Number of threads that were assigned a shard.
static THREADS: AtomicUsize = AtomicUsize::new(0);

schedule::thread_local! {
    /// This thread's shard; `usize::MAX` before its first call.
    static THREAD: Cell<usize> = const { Cell::new(usize::MAX) };
}

impl Heap {
    /// Creates a heap without memory. It takes address space at the first
    /// allocation.
    #[allow(clippy::new_without_default)] // `Default::default` cannot be const
    pub const fn new() -> Heap {
        let mut shards = [const { Lock::new(Shard::new(0)) }; SHARDS];
        let mut index = 0;
        while index < SHARDS {
            shards[index] = Lock::new(Shard::new(FIRST_SHARD + index as u8));
            index += 1;
        }
        Heap {
            arena: OnceLock::new(),
            joined: AtomicUsize::new(0),
            misused: AtomicBool::new(false),
            shards,
        }
    }

    /// Allocates a block of at least `size` bytes, aligned to 16. Size 0 gives a
    /// block too. Returns `None` if there is no memory for it.
    #[inline]
    pub fn allocate(&self, size: usize) -> Option<Block> {
        if size > size_class::LARGEST {
            return self.allocate_aligned(size, Alignment::NATURAL);
        }
        self.allocate_in(size_class::of(size), size)
    }

    /// Allocates a block of a size class and zeroes it from byte `used` to its
    /// end: the caller requested the bytes before.
    #[inline]
    pub(crate) fn allocate_in(&self, class: usize, used: usize) -> Option<Block> {
        let (arena, mut shard) = self.enter()?;
        let address = shard.allocate(arena, class)?;
        drop(shard);
        clear_rest(address, used, size_class::size(class));
        let old_bytes = true;
        Some(Block { address, old_bytes })
    }

    /// Allocates a block of at least `size` bytes with the requested alignment.
    pub fn allocate_aligned(&self, size: usize, asked: Alignment) -> Option<Block> {
        // At least one byte, so that the block contains its own address.
        let total = size.max(1).saturating_add(asked.room());
        if total > MAX_REQUEST {
            return None;
        }
        if total > size_class::LARGEST {
            let (arena, _) = self.enter()?;
            return arena.allocate_pages(size.max(1), total, asked);
        }
        let mut block = self.allocate_in(size_class::of(total), total)?;
        let gap = asked.gap(block.address);
        clear_tail(block.address, gap + size, total);
        block.address = block.address.wrapping_add(gap);
        Some(block)
    }

    /// Allocates a block at a multiple of `alignment`, a power of two.
    /// [`Heap::free`] frees it. Returns `None` if there is no memory for it.
    pub fn allocate_at_multiple(&self, size: usize, alignment: usize) -> Option<Block> {
        let asked = Alignment::new(alignment.max(16), 0)?;
        if size.max(alignment) > size_class::LARGEST {
            return self.allocate_aligned(size, asked);
        }
        // If the size of a class is a multiple of it, so is the address of every slot.
        let mut classes = size_class::of(size.max(alignment))..size_class::COUNT;
        let class = classes.find(|&class| size_class::size(class) % alignment.max(16) == 0)?;
        self.allocate_in(class, size)
    }

    /// Frees a block. Returns false if no live block begins at that address.
    #[inline]
    pub fn free(&self, address: *mut u8) -> bool {
        if let Some(arena) = self.arena.get()
            && let Some((span, offset)) = arena.find(address)
            && let owner = span.owner.get()
            && let Some(shard) = self.shards.get(owner.wrapping_sub(FIRST_SHARD) as usize)
        {
            let mut shard = shard.lock();
            // The owner may have changed before this thread had the lock.
            if span.owner.get() == owner {
                return shard.free(arena, span, offset) || self.misuse();
            }
        }
        self.free_slowly(address, false)
    }

    /// The slow path of [`Heap::free`]: frees a block of any size and owner. If
    /// the block `is_aligned`, `address` may be any address in it. Returns false
    /// if no live block is there.
    #[cold]
    pub fn free_slowly(&self, address: *mut u8, is_aligned: bool) -> bool {
        let found = self.find_live(address);
        let Some((arena, live, owner)) = found.filter(|(_, live, _)| is_aligned || live.gap == 0)
        else {
            return self.misuse();
        };
        let offset = live.base as usize - live.span.base as usize;
        match owner {
            Owner::Space(mut space) => arena.free_pages(&mut space, live.span, offset / PAGE_SIZE),
            Owner::Shard(mut shard) => {
                shard.free(arena, live.span, offset);
            }
        }
        true
    }

    #[cold]
    pub(crate) fn misuse(&self) -> bool {
        self.misused.store(true, Ordering::Relaxed);
        false
    }

    /// The live block that contains an address. A large block is found only by
    /// addresses in its first span.
    pub(crate) fn containing(&self, address: *const u8) -> Option<Live> {
        Some(self.find_live(address)?.1)
    }

    /// The live block that begins at an address.
    pub(crate) fn locate(&self, address: *const u8) -> Option<Live> {
        self.containing(address).filter(|live| live.gap == 0)
    }

    /// The live block that contains an address, with its owner locked.
    pub(crate) fn find_live(&self, address: *const u8) -> Option<(&Arena, Live, Owner<'_>)> {
        let arena = self.arena.get()?;
        let (span, offset) = arena.find(address)?;
        let (held, owner) = match span.owner.get() {
            SPACE => (SPACE, Owner::Space(arena.space())),
            owner => {
                let shard = self.shards.get(owner.checked_sub(FIRST_SHARD)? as usize)?;
                (owner, Owner::Shard(shard.lock()))
            }
        };
        // The owner may have changed before this thread had the lock.
        let entry = entry_in(span, offset)
            .filter(|entry| span.owner.get() == held && entry.use_flag == USED)?;
        let gap = address as usize - entry.address as usize;
        let live = Live {
            span,
            base: entry.address,
            gap,
            size: entry.size.checked_sub(gap)?,
        };
        (live.size > 0).then_some((arena, live, owner))
    }

    /// The arena and this thread's shard, locked. Returns `None` if the system
    /// grants no address space.
    #[inline]
    fn enter(&self) -> Option<(&Arena, Guard<'_, Shard>)> {
        let index = THREAD.with(Cell::get);
        match self.arena.get() {
            Some(arena) if index < self.joined.load(Ordering::Relaxed) => {
                Some((arena, self.shards[index].lock()))
            }
            _ => self.join(),
        }
    }

    /// The slow path of `enter`: a thread's first call, or the first one on this
    /// heap.
    #[cold]
    fn join(&self) -> Option<(&Arena, Guard<'_, Shard>)> {
        if THREAD.with(Cell::get) == usize::MAX {
            THREAD.with(|thread| thread.set(THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS));
        }
        let index = THREAD.with(Cell::get);
        let first = self.shards[0].lock();
        if self.arena.get().is_none() {
            self.arena.set(Arena::new()?).ok()?;
        }
        self.joined.fetch_max(index + 1, Ordering::Relaxed);
        drop(first);
        Some((self.arena.get()?, self.shards[index].lock()))
    }

    /// Gives back all address space, unless a block is live, a thread is inside the
    /// heap, or its window is reserved. The heap can be used again.
    #[cfg(unix)]
    pub(crate) fn withdraw(&self) {
        let Some(mut whole) = self.try_lock_all() else {
            return;
        };
        if !matches!(whole.entry_after(core::ptr::null()), Next::Entry(_))
            && whole.minimise()
            && let Some((arena, space)) = &mut whole.arena
        {
            arena.withdraw(space);
        }
    }

    #[cfg(unix)]
    fn try_lock_all(&self) -> Option<Whole<'_>> {
        let mut shards = [const { None }; SHARDS];
        for (held, shard) in shards.iter_mut().zip(&self.shards) {
            *held = Some(shard.try_lock()?);
        }
        let arena = match self.arena.get() {
            Some(arena) => Some((arena, arena.try_space()?)),
            None => None,
        };
        let misused = self.misused.load(Ordering::Relaxed);
        Some(Whole {
            misused,
            shards,
            arena,
        })
    }

    /// Takes all locks of the heap. Threads that sleep until one is free go first: a
    /// thread that calls this again and again must not starve them.
    pub(crate) fn lock_all(&self) -> Whole<'_> {
        let is_waited_for = |_: &u32| {
            self.shards.iter().any(Lock::has_sleepers)
                || self.arena.get().is_some_and(Arena::has_sleepers)
        };
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
        Whole {
            misused: self.misused.load(Ordering::Relaxed),
            shards,
            arena: self.arena.get().map(|arena| (arena, arena.space())),
        }
    }
}

#[cfg(unix)]
impl Whole<'_> {
    /// Keeps all locks for a fork of this thread ([`crate::lock`]).
    pub(crate) fn keep_for_fork(&self) {
        self.shards.iter().flatten().for_each(Guard::keep_for_fork);
        if let Some((_, space)) = &self.arena {
            space.keep_for_fork();
        }
    }

    /// Forgets the threads that wait: the child of a fork does not have them.
    pub(crate) fn forget_sleepers(&self) {
        self.shards
            .iter()
            .flatten()
            .for_each(Guard::forget_sleepers);
        if let Some((_, space)) = &self.arena {
            space.forget_sleepers();
        }
    }
}
