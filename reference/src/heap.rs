//! The heap: which part of it serves a request, and which locks a thread holds.
//!
//! A shard's lock guards the shard and the records of its spans. The space's
//! lock guards which spans and lines are taken, and the records of spans with
//! blocks of whole pages. A thread holds the lock of at most one shard, and takes the
//! space's lock last. Who takes all locks (`whole`) takes those of the shards in
//! ascending order, then the space's.

use crate::alignment::Alignment;
use crate::arena::Arena;
use crate::clear::{self, clear_tail};
use crate::layout::{PAGE_SIZE, SPAN_SIZE};
use crate::lock::{Guard, Lock};
use crate::misuse;
use crate::shard::Shard;
use crate::size_class;
use crate::slots::Given;
use crate::space::Space;
use crate::span::{FIRST_SHARD, LARGE, SPACE, SpanRef};
use crate::thread::{self, SHARDS};
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The largest request, in bytes: Microsoft's `_HEAP_MAXREQ`.
const MAX_REQUEST: usize = usize::MAX - 31;

/// A heap. The C routines use one for the whole process ([`crate::routines`]).
#[repr(C, align(4096))] // shards without threads lie in pages that are never written
pub struct Heap {
    /// It has a window from the first allocation on, under the first shard's lock.
    pub(crate) arena: Arena,
    /// Shards from this number on have no threads. Raised under the first
    /// shard's lock.
    pub(crate) joined: AtomicUsize,
    /// Set when a caller frees what is not a live block. The heap is unharmed,
    /// but the program has an error, and `_heapchk` reports it.
    pub(crate) misused: AtomicBool,
    pub(crate) shards: [Lock<Shard>; SHARDS],
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
    Space(Space<'a>),
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
            arena: Arena::new(),
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
    #[inline(always)]
    fn allocate_in(&self, class: usize, used: usize) -> Option<Block> {
        if let Some(mut shard) = self.enter() {
            return match shard.take(class) {
                Some(address) => new_block(shard, address, class, used),
                None => self.refill(shard, class, used),
            };
        }
        self.join_and_refill(class, used)
    }

    #[cold]
    fn join_and_refill(&self, class: usize, used: usize) -> Option<Block> {
        if misuse::replaces(self) {
            return misuse::allocate(used, Alignment::NATURAL);
        }
        self.refill(self.join()?, class, used)
    }

    /// The slow path of `allocate_in`: the class has no spare slot.
    #[inline(never)]
    fn refill(&self, mut shard: Guard<'_, Shard>, class: usize, used: usize) -> Option<Block> {
        match shard.allocate(&self.arena, class) {
            Some(address) => new_block(shard, address, class, used),
            None => {
                drop(shard);
                self.make_room(SPAN_SIZE)?;
                let mut shard = self.join()?;
                let address = shard.allocate(&self.arena, class)?;
                new_block(shard, address, class, used)
            }
        }
    }

    /// Gives free memory back to the system, so that a request that was refused may succeed:
    /// each size class keeps a span, and address space may be limited. `None` if there is
    /// nothing to give back.
    #[cold]
    fn make_room(&self, total: usize) -> Option<()> {
        let is_possible = total.div_ceil(SPAN_SIZE) <= self.arena.top();
        (is_possible && self.arena.dirty.load(Ordering::Relaxed)).then(|| {
            self.minimise();
        })
    }

    /// Allocates a block of at least `size` bytes with the requested alignment.
    pub fn allocate_aligned(&self, size: usize, asked: Alignment) -> Option<Block> {
        if misuse::replaces(self) {
            return misuse::allocate(size, asked);
        }
        // At least one byte, so that the block contains its own address.
        let total = size.max(1).saturating_add(asked.room());
        if total > MAX_REQUEST {
            return None;
        }
        if total > size_class::LARGEST {
            self.open()?;
            let allocate = || {
                let mut space = self.arena.space();
                match total {
                    ..=SPAN_SIZE => space.allocate_pages(size.max(1), total, asked),
                    _ => space.allocate_large(size.max(1), total, asked),
                }
            };
            return allocate().or_else(|| {
                self.make_room(total)?;
                allocate()
            });
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
        if size.max(alignment) > size_class::LARGEST || misuse::replaces(self) {
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
        if let Some((span, offset)) = self.arena.find(address)
            && let owner = span.owner.get()
            && let Some(shard) = self.shards.get(owner.wrapping_sub(FIRST_SHARD) as usize)
            && let Some(mut shard) = shard.try_lock()
            // The owner may have changed before this thread had the lock.
            && span.owner.get() == owner
            && let Some(given) = shard.free(span, offset, address)
        {
            return match given {
                Given::Done => shard.unlock(true),
                Given::Settle => self.settle(shard, span.index),
            };
        }
        self.free_any(address, false)
    }

    #[cold]
    fn settle(&self, mut shard: Guard<'_, Shard>, span: u32) -> bool {
        if let Some(span) = self.arena.get(span) {
            shard.settle(&self.arena, span);
        }
        true
    }

    /// Frees a block of any size, owner and state of its span. If the block `is_aligned`,
    /// `address` may be any address in it. Returns false if no live block is there, which
    /// is an error of the program, except for null.
    #[cold]
    pub fn free_any(&self, address: *mut u8, is_aligned: bool) -> bool {
        let found = self.find_live(address);
        let Some((live, owner)) = found.filter(|(live, _)| is_aligned || live.gap == 0) else {
            return !address.is_null() && (misuse::free(self, address) || self.misuse());
        };
        let offset = live.base as usize - live.span.base as usize;
        match owner {
            Owner::Shard(mut shard) => shard.free_slowly(&self.arena, live.span, offset),
            Owner::Space(mut space) => space.free(live.span, offset / PAGE_SIZE),
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
        Some(self.find_live(address)?.0)
    }

    /// The live block that begins at an address.
    pub(crate) fn locate(&self, address: *const u8) -> Option<Live> {
        self.containing(address).filter(|live| live.gap == 0)
    }

    /// The live block that contains an address, with its owner locked.
    pub(crate) fn find_live(&self, address: *const u8) -> Option<(Live, Owner<'_>)> {
        let (span, offset) = self.arena.find(address)?;
        let owner = span.owner.get();
        let held = match owner {
            SPACE => Owner::Space(self.arena.space()),
            _ => {
                let shard = self.shards.get(owner.checked_sub(FIRST_SHARD)? as usize)?;
                Owner::Shard(shard.lock())
            }
        };
        // The owner may have changed before this thread had the lock.
        let (start, size) = match &held {
            _ if span.owner.get() != owner => return None,
            Owner::Shard(shard) => shard.block_at(span, offset)?,
            Owner::Space(_) => span.block_at(offset)?,
        };
        let gap = offset.checked_sub(start)?;
        let live = Live {
            span,
            base: span.base.wrapping_add(start),
            gap,
            size: size.checked_sub(gap)?,
        };
        (live.size > 0).then_some((live, held))
    }

    /// This thread's shard, locked, if the thread has one and its lock is free.
    #[inline(always)]
    fn enter(&self) -> Option<Guard<'_, Shard>> {
        let index = thread::shard();
        if index >= self.joined.load(Ordering::Acquire) {
            return None;
        }
        self.shards.get(index)?.try_lock()
    }

    /// This thread's shard, locked; it gets one at its first call. Returns `None` if the
    /// system grants no address space.
    #[cold]
    fn join(&self) -> Option<Guard<'_, Shard>> {
        let index = thread::shard_or_new();
        if index >= self.joined.load(Ordering::Acquire) {
            self.open()?;
            let _first = self.shards[0].lock();
            self.joined.fetch_max(index + 1, Ordering::Release);
        }
        Some(self.shards[index].lock())
    }

    /// Finds a window for the heap, if it has none yet.
    fn open(&self) -> Option<()> {
        if self.arena.window.is_open() {
            return Some(());
        }
        let _first = self.shards[0].lock();
        match self.arena.window.is_open() {
            true => Some(()),
            false => self.arena.window.open(),
        }
    }
}

/// A block of a size class, zeroed from byte `used` to its end. Unlocks the shard.
#[inline(always)]
fn new_block(
    shard: Guard<'_, Shard>,
    address: *mut u8,
    class: usize,
    used: usize,
) -> Option<Block> {
    let (size, old_bytes) = (size_class::size(class), true);
    if size - used > clear::AT_ONCE {
        return new_block_slowly(shard, address, used, size);
    }
    clear::clear_end(address, size);
    Some(shard.unlock(Block { address, old_bytes }))
}

#[inline(never)]
fn new_block_slowly(
    shard: Guard<'_, Shard>,
    address: *mut u8,
    used: usize,
    size: usize,
) -> Option<Block> {
    drop(shard);
    clear_tail(address, used, size);
    let old_bytes = true;
    Some(Block { address, old_bytes })
}

impl SpanRef {
    /// The block of whole pages at an offset into its first span: where it begins, and its
    /// size.
    fn block_at(self, offset: usize) -> Option<(usize, usize)> {
        let (first, count) = match self.kind.get() {
            LARGE => (self.large_block().start, self.large_block().len()),
            _ => self.run_at(offset / PAGE_SIZE)?,
        };
        Some((first * PAGE_SIZE, count * PAGE_SIZE))
    }
}

impl Space<'_> {
    /// Frees the block that begins at a page of a span.
    fn free(&mut self, span: SpanRef, page: usize) {
        match (span.kind.get(), span.run_at(page)) {
            (LARGE, _) => self.free_large(span),
            (_, Some((first, count))) => self.give_pages(span, crate::bits::run(first, count)),
            _ => {}
        }
    }
}
