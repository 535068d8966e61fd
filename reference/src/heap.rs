//! The heap: which shard a request goes to, and who holds which lock meanwhile.
//!
//! A shard's lock guards the shard and the records of its spans. The space's
//! lock guards which spans and lines are taken, and the records of large
//! blocks. A thread holds at most one shard's lock, and takes the space's
//! last; only `Heap::lock_all` takes all shards', in their order.

use crate::alignment::Alignment;
use crate::arena::Arena;
use crate::entry::{USED, entry_in};
use crate::lock::{Guard, Lock};
use crate::resize::{clear_behind, clear_rest};
use crate::schedule;
use crate::shard::Shard;
use crate::size_class;
use crate::space::Space;
use crate::span::{FIRST_SHARD, PAGE_SIZE, SPACE, SpanRef};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// So many threads can be at work at the same time without any wait.
const SHARDS: usize = if cfg!(schedules) { 2 } else { 16 };

/// The largest request, in bytes. Microsoft's `_HEAP_MAXREQ`.
const MAX_REQUEST: usize = usize::MAX - 31;

/// A heap. The C names work on one for the whole process ([`crate::routines`]).
#[repr(C, align(4096))] // so that of few threads all of it lies in one page
pub struct Heap {
    /// Reserved at the first allocation, under the first shard's lock.
    pub(crate) arena: OnceLock<Arena>,
    /// Shards that have threads. Raised under the first shard's lock.
    joined: AtomicUsize,
    /// Somebody freed what was not a live block. The heap is unharmed by it,
    /// but its user is not, and `_heapchk` says so.
    pub(crate) misused: AtomicBool,
    shards: [Lock<Shard>; SHARDS],
}

/// A live block.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// Its span, or the first of them.
    pub span: SpanRef,
    /// The first byte of its place.
    pub base: *mut u8,
    /// Bytes from there to the address it was found by: to where it begins, if it is aligned.
    pub gap: usize,
    /// Bytes from that address on.
    pub size: usize,
}

/// A new block.
pub struct Block {
    /// Its first byte.
    pub address: *mut u8,
    /// Whether it may hold bytes of earlier owners. If not, it is all zeros.
    pub old_bytes: bool,
}

/// The lock of whoever owns a span.
pub(crate) enum Owner<'a> {
    Shard(Guard<'a, Shard>),
    Space(Guard<'a, Space>),
}

/// All locks of a heap.
pub(crate) struct Whole<'a> {
    pub(crate) misused: bool,
    pub(crate) shards: [Option<Guard<'a, Shard>>; SHARDS],
    /// None if the heap was never used.
    pub(crate) arena: Option<(&'a Arena, Guard<'a, Space>)>,
}

/// How many threads have been told a number.
static THREADS: AtomicUsize = AtomicUsize::new(0);

schedule::thread_local! {
    /// This thread's shard; `usize::MAX` before its first call.
    static THREAD: Cell<usize> = const { Cell::new(usize::MAX) };
}

impl Heap {
    /// A heap without memory; it reserves address space at the first allocation.
    #[allow(clippy::new_without_default)] // a default could not be constant
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

    /// A block of at least `size` bytes, aligned to 16; one of its own even
    /// for size 0. `None` if there is no memory for it.
    #[inline]
    pub fn allocate(&self, size: usize) -> Option<Block> {
        if size > size_class::LARGEST {
            return self.allocate_aligned(size, Alignment::NATURAL);
        }
        self.allocate_in(size_class::of(size), size)
    }

    /// A block of a class, with `used` bytes from its beginning asked for.
    #[inline]
    pub(crate) fn allocate_in(&self, class: usize, used: usize) -> Option<Block> {
        let (arena, mut shard) = self.enter()?;
        let address = shard.allocate(arena, class)?;
        drop(shard);
        clear_rest(address, used, size_class::size(class));
        let old_bytes = true;
        Some(Block { address, old_bytes })
    }

    /// The same, aligned as asked.
    pub fn allocate_aligned(&self, size: usize, asked: Alignment) -> Option<Block> {
        // At least one byte, so that the address lies in its own block.
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
        clear_behind(block.address, gap + size, total);
        block.address = block.address.wrapping_add(gap);
        Some(block)
    }

    /// A block that lies at a multiple of `alignment`, a power of two, and that
    /// [`Heap::free`] takes. `None` if there is no memory for it.
    pub fn allocate_at_multiple(&self, size: usize, alignment: usize) -> Option<Block> {
        let asked = Alignment::new(alignment.max(16), 0)?;
        if size.max(alignment) > size_class::LARGEST {
            return self.allocate_aligned(size, asked);
        }
        // Of a class whose size is such a multiple, every slot lies at one.
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
            // The span may have changed hands before the lock was there.
            if span.owner.get() == owner {
                return shard.free(arena, span, offset) || self.misuse();
            }
        }
        self.free_slowly(address, false)
    }

    /// Frees a block of whatever size and shard, one that `is_aligned` by any
    /// address in it. Returns false if no live block is there.
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

    /// The live block in which an address lies; of a large block, in its first span.
    pub(crate) fn containing(&self, address: *const u8) -> Option<Live> {
        Some(self.find_live(address)?.1)
    }

    /// The live block that begins at an address.
    pub(crate) fn locate(&self, address: *const u8) -> Option<Live> {
        self.containing(address).filter(|live| live.gap == 0)
    }

    /// The live block in which an address lies, and the lock of its owner.
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
        // The span may have changed hands before the lock was there.
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

    /// The arena and this thread's shard. `None` if the system has no address space.
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

    /// The same at a thread's first call.
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

    /// Takes all locks.
    pub(crate) fn lock_all(&self) -> Whole<'_> {
        let mut shards = [const { None }; SHARDS];
        shards[0] = Some(self.shards[0].lock());
        // While this one is held nobody joins.
        let joined = self.joined.load(Ordering::Relaxed);
        for (held, shard) in shards.iter_mut().zip(&self.shards).take(joined).skip(1) {
            *held = Some(shard.lock());
        }
        Whole {
            misused: self.misused.load(Ordering::Relaxed),
            shards,
            arena: self.arena.get().map(|arena| (arena, arena.space())),
        }
    }
}
