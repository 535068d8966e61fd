//! The heap: which shard or which spans a request goes to, and who holds
//! which lock meanwhile.
//!
//! A shard's lock guards the shard and the records of its spans. The space's
//! lock guards which spans and lines are taken, and the records of blocks of
//! several spans. A thread holds at most one shard's lock, and takes the
//! space's last; only [`Heap::lock_all`] takes all shards', in their order.

use crate::alignment::Alignment;
use crate::arena::{Arena, GROUP_SPANS, Space};
use crate::entry::{USED, entry_in};
use crate::lock::{Guard, Lock};
use crate::resize::{clear_behind, clear_to_page};
use crate::shard::Shard;
use crate::size_class;
use crate::span::{FIRST_SHARD, PAGE_SIZE, SPACE, SPAN_SIZE, Span, SpanRef};
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// Each arena is twice the size of the one before, up to 1 TiB, so these are plenty.
const MAX_ARENAS: usize = 16;
/// Spans in the first arena: 1 GiB of address space, or 64 MiB where that is scarce.
const FIRST_ARENA: usize = (if usize::BITS == 64 { 1 << 30 } else { 64 << 20 }) / SPAN_SIZE;
/// After so many doublings an arena has 1 TiB and the next are no larger.
const MOST_DOUBLINGS: usize = 10;
/// A span's number in the heap is its arena in the upper bits and its index there.
const INDEX_BITS: u32 = 28;
/// So many threads can be at work at the same time without any wait.
const SHARDS: usize = 16;

/// The largest request, in bytes. Microsoft's `_HEAP_MAXREQ`.
pub const MAX_REQUEST: usize = usize::MAX - 31;

/// A heap. The C names work on one for the whole process ([`crate::routines`]).
pub struct Heap {
    pub(crate) arenas: [OnceLock<Arena>; MAX_ARENAS],
    shards: [Lock<Shard>; SHARDS],
    /// Shards that have threads. Raised under the first shard's lock.
    joined: AtomicUsize,
    space: Lock<Space>,
    /// Whether `_heapmin` has been told to look anywhere.
    pub(crate) touched: AtomicBool,
    /// Somebody freed what was not a live block. The heap is unharmed by it,
    /// but its user is not, and `_heapchk` says so.
    pub(crate) misused: AtomicBool,
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
pub struct Whole<'a> {
    pub(crate) heap: &'a Heap,
    pub(crate) shards: [Option<Guard<'a, Shard>>; SHARDS],
    pub(crate) space: Guard<'a, Space>,
}

/// How many threads have been told a number.
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// This thread's number; `usize::MAX` before its first call.
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
            arenas: [const { OnceLock::new() }; MAX_ARENAS],
            shards,
            joined: AtomicUsize::new(0),
            space: Lock::new(Space::new()),
            touched: AtomicBool::new(false),
            misused: AtomicBool::new(false),
        }
    }

    /// A block of at least `size` bytes, aligned to 16; one of its own even
    /// for size 0. `None` if there is no memory for it.
    #[inline]
    pub fn allocate(&self, size: usize) -> Option<Block> {
        if size > size_class::LARGEST {
            return self.allocate_aligned(size, Alignment::NATURAL);
        }
        self.allocate_in(size_class::of(size.max(1)), size)
    }

    /// A block of a class, for `size` bytes.
    #[inline]
    fn allocate_in(&self, class: usize, size: usize) -> Option<Block> {
        let address = self.shard().allocate_small(self, class)?;
        clear_behind(address, size, size_class::size(class));
        Some(Block {
            address,
            old_bytes: true,
        })
    }

    /// The same, aligned as asked.
    pub fn allocate_aligned(&self, size: usize, asked: Alignment) -> Option<Block> {
        // At least one byte, so that the address lies in its own block.
        let total = size.max(1).saturating_add(asked.room());
        if total <= size_class::LARGEST {
            let class = size_class::of(total);
            let base = self.shard().allocate_small(self, class)?;
            let gap = asked.gap(base);
            clear_behind(base, gap + size, size_class::size(class));
            let address = base.wrapping_add(gap);
            Some(Block {
                address,
                old_bytes: true,
            })
        } else if total <= SPAN_SIZE {
            let block = self
                .shard()
                .allocate_pages(self, size.max(1), total, asked)?;
            if block.old_bytes {
                clear_to_page(block.address, size);
            }
            Some(block)
        } else if total <= MAX_REQUEST {
            self.allocate_spans(size.max(1), total, asked)
        } else {
            None
        }
    }

    /// A block that lies at a multiple of `alignment`, a power of two, and that
    /// [`Heap::free`] takes. `None` if there is no memory for it.
    pub fn allocate_at_multiple(&self, size: usize, alignment: usize) -> Option<Block> {
        if alignment <= 16 {
            return self.allocate(size);
        }
        if size.max(alignment) <= size_class::LARGEST {
            // Of a class whose size is such a multiple, every slot lies at one.
            let mut classes = size_class::of(size.max(alignment))..size_class::COUNT;
            let class = classes.find(|&class| size_class::size(class) % alignment == 0)?;
            return self.allocate_in(class, size);
        }
        self.allocate_aligned(size, Alignment::new(alignment, 0)?)
    }

    /// Frees a block. Returns false if no live block begins at that address;
    /// for one of another shard that shows only when it gets there.
    #[inline]
    pub fn free(&self, address: *mut u8) -> bool {
        let Some((span, offset)) = self.find(address) else {
            return self.misuse();
        };
        let owner = span.owner.get();
        if owner < FIRST_SHARD || span.class().is_none() {
            return self.free_anywhere(address, false);
        }
        let mut own = self.shard();
        if owner == own.owner {
            return self.free_small(&mut own, &span, offset);
        }
        self.post(own, address);
        true
    }

    /// Frees an aligned block. Returns false if no live block is there.
    pub fn free_aligned(&self, address: *mut u8) -> bool {
        self.free_anywhere(address, true)
    }

    /// Frees a small block of a shard whose lock the caller has.
    #[inline]
    fn free_small(&self, shard: &mut Shard, span: &SpanRef, offset: usize) -> bool {
        match shard.free_small(self, span, offset) {
            Some(is_empty) => {
                if is_empty {
                    self.give_span(*span);
                }
                true
            }
            None => self.misuse(),
        }
    }

    /// Frees a block of whatever size and shard.
    fn free_anywhere(&self, address: *mut u8, is_aligned: bool) -> bool {
        let found = self.find_live(address);
        let Some((live, owner)) = found.filter(|(live, _)| is_aligned || live.gap == 0) else {
            return self.misuse();
        };
        let (span, offset) = (live.span, live.base as usize - live.span.base as usize);
        let whole = live.gap + live.size;
        match owner {
            Owner::Space(mut space) => self.free_spans(&mut space, span, whole),
            Owner::Shard(mut shard) if span.class().is_some() => {
                self.free_small(&mut shard, &span, offset);
            }
            Owner::Shard(mut shard) => {
                let count = whole.div_ceil(PAGE_SIZE);
                if shard.free_pages(self, span, offset / PAGE_SIZE, count) {
                    self.give_span(span);
                }
            }
        }
        true
    }

    /// Frees a small block of another shard, by and by.
    #[inline(never)]
    fn post(&self, mut own: Guard<'_, Shard>, block: *mut u8) {
        let Some(batch) = own.outbox.add(block) else {
            return;
        };
        drop(own);
        let mut held: Option<Guard<Shard>> = None;
        for &block in batch.blocks() {
            let Some((span, offset)) = self.find(block) else {
                continue;
            };
            let owner = span.owner.get();
            if held.as_ref().is_none_or(|shard| shard.owner != owner) {
                drop(held.take());
                held = self.lock_shard(owner);
            }
            match &mut held {
                Some(shard) => self.free_small(shard, &span, offset),
                None => self.misuse(),
            };
        }
    }

    #[cold]
    fn misuse(&self) -> bool {
        self.misused.store(true, Ordering::Relaxed);
        false
    }

    /// The live block in which an address lies; of a block of several spans,
    /// in its first one.
    pub(crate) fn containing(&self, address: *const u8) -> Option<Live> {
        Some(self.find_live(address)?.0)
    }

    /// The live block that begins at an address.
    pub(crate) fn locate(&self, address: *const u8) -> Option<Live> {
        self.containing(address).filter(|live| live.gap == 0)
    }

    /// The live block in which an address lies, and the lock of its owner.
    pub(crate) fn find_live(&self, address: *const u8) -> Option<(Live, Owner<'_>)> {
        let (span, offset) = self.find(address)?;
        let owner = match span.owner.get() {
            SPACE => Owner::Space(self.space()),
            owner => Owner::Shard(self.lock_shard(owner)?),
        };
        // The span may have changed hands before the lock was there.
        let is_owner = match &owner {
            Owner::Space(_) => span.owner.get() == SPACE,
            Owner::Shard(shard) => span.owner.get() == shard.owner,
        };
        let entry = is_owner.then(|| entry_in(span, offset)).flatten()?;
        let gap = address as usize - entry.address as usize;
        let live = Live {
            span,
            base: entry.address,
            gap,
            size: entry.size.checked_sub(gap)?,
        };
        (entry.use_flag == USED && live.size > 0).then_some((live, owner))
    }

    /// The span of an address, and how far from its beginning.
    #[inline(always)]
    pub(crate) fn find(&self, address: *const u8) -> Option<(SpanRef, usize)> {
        for (arena_index, arena) in self.arenas.iter().map_while(OnceLock::get).enumerate() {
            if let Some((index, offset)) = arena.find(address) {
                return Some((span_ref(arena_index, arena, index), offset));
            }
        }
        None
    }

    /// The span with a number.
    pub(crate) fn span(&self, number: u32) -> SpanRef {
        let (arena_index, index) = split(number);
        span_ref(arena_index, self.arena(arena_index), index)
    }

    fn arena(&self, index: usize) -> &Arena {
        self.arenas[index]
            .get()
            .expect("the arena of a span exists")
    }

    /// The arena of a span, and its index there.
    pub(crate) fn arena_of(&self, span: SpanRef) -> (&Arena, usize) {
        let (arena_index, index) = split(span.number);
        (self.arena(arena_index), index)
    }

    /// Takes a free span for a shard, which says what for.
    pub(crate) fn take_span(&self, owner: u8, start: impl Fn(&Span)) -> Option<SpanRef> {
        let mut space = self.space();
        let (arena_index, index) = self.take(1, |arena| arena.take_span(&mut space))?;
        let span = span_ref(arena_index, self.arena(arena_index), index);
        start(&span);
        span.owner.set(owner);
        Some(span)
    }

    /// Gives a span back in which nothing lives, and its bitmap.
    #[cold]
    fn give_span(&self, span: SpanRef) {
        let (arena, index) = self.arena_of(span);
        arena.give_span(&mut self.space(), index);
    }

    /// Does something to the tables of a span's arena.
    pub(crate) fn in_space<T>(
        &self,
        span: SpanRef,
        act: impl FnOnce(&Arena, &mut Space) -> T,
    ) -> T {
        act(self.arena_of(span).0, &mut self.space())
    }

    /// Takes something from the first arena that has it, or from a new one of
    /// at least so many spans. With the arena's index.
    pub(crate) fn take<T>(
        &self,
        spans: usize,
        mut from: impl FnMut(&Arena) -> Option<T>,
    ) -> Option<(usize, T)> {
        for (index, place) in self.arenas.iter().enumerate() {
            let is_new = place.get().is_none();
            if is_new {
                // Nobody else does so at the same time: the caller has the space.
                place.set(new_arena(index, spans)?).ok()?;
            }
            if let Some(taken) = from(place.get()?) {
                return Some((index, taken));
            }
            if is_new {
                return None; // The system refuses.
            }
        }
        None
    }

    /// Tells `_heapmin` to look at a span.
    #[inline]
    pub(crate) fn touch(&self, span: SpanRef) {
        if span.touched.get() == 0 {
            span.touched.set(1);
            let (arena, index) = self.arena_of(span);
            arena.touch(index);
            self.touched.store(true, Ordering::Relaxed);
        }
    }

    pub(crate) fn space(&self) -> Guard<'_, Space> {
        self.space.lock()
    }

    /// The shard that a span's record names.
    fn lock_shard(&self, owner: u8) -> Option<Guard<'_, Shard>> {
        let shard = self.shards.get(owner.checked_sub(FIRST_SHARD)? as usize)?;
        Some(shard.lock())
    }

    /// This thread's shard.
    #[inline]
    fn shard(&self) -> Guard<'_, Shard> {
        let index = THREAD.get();
        if index >= self.joined.load(Ordering::Relaxed) {
            return self.join();
        }
        self.shards[index].lock()
    }

    /// This thread's shard, at its first call.
    #[cold]
    fn join(&self) -> Guard<'_, Shard> {
        if THREAD.get() == usize::MAX {
            THREAD.set(THREADS.fetch_add(1, Ordering::Relaxed) % SHARDS);
        }
        let index = THREAD.get();
        let first = self.lock_shard(FIRST_SHARD);
        self.joined.fetch_max(index + 1, Ordering::Relaxed);
        drop(first);
        self.shards[index].lock()
    }

    /// Takes all locks, and sends home what waits in an outbox.
    pub fn lock_all(&self) -> Whole<'_> {
        let mut shards = [const { None }; SHARDS];
        shards[0] = self.lock_shard(FIRST_SHARD);
        // While this one is held nobody joins.
        for index in 1..self.joined.load(Ordering::Relaxed) {
            shards[index] = self.lock_shard(FIRST_SHARD + index as u8);
        }
        let space = self.space();
        let mut whole = Whole {
            heap: self,
            shards,
            space,
        };
        whole.send_home();
        whole
    }
}

impl Whole<'_> {
    fn send_home(&mut self) {
        for index in 0..SHARDS {
            let Some(batch) = self.shards[index].as_mut().map(|shard| shard.outbox.take()) else {
                return;
            };
            for &block in batch.blocks() {
                let found = self.heap.find(block);
                let freed = found.and_then(|(span, offset)| {
                    let heap = self.heap;
                    let is_empty = self.owner_of(span)?.free_small(heap, &span, offset)?;
                    is_empty.then(|| self.give_span(span));
                    Some(())
                });
                if freed.is_none() {
                    self.heap.misuse();
                }
            }
        }
    }

    /// The shard that owns a span.
    pub(crate) fn owner_of(&mut self, span: SpanRef) -> Option<&mut Shard> {
        let index = span.owner.get().checked_sub(FIRST_SHARD)?;
        self.shards.get_mut(index as usize)?.as_deref_mut()
    }

    /// Gives a span back in which nothing lives, and its bitmap.
    pub(crate) fn give_span(&mut self, span: SpanRef) {
        let (arena, index) = self.heap.arena_of(span);
        arena.give_span(&mut self.space, index);
    }
}

/// An arena of the usual size for its place, or a smaller one that still has
/// `spans` spans if address space is scarce.
fn new_arena(index: usize, spans: usize) -> Option<Arena> {
    let spans = spans.checked_next_multiple_of(GROUP_SPANS)?;
    let usual = (FIRST_ARENA << index.min(MOST_DOUBLINGS)).max(spans);
    let smaller = |&len: &usize| (len > spans).then(|| (len / 2).max(spans));
    core::iter::successors(Some(usual), smaller).find_map(Arena::new)
}

/// The arena of a span's number, and its index there.
pub(crate) fn split(number: u32) -> (usize, usize) {
    let index = number & ((1 << INDEX_BITS) - 1);
    ((number >> INDEX_BITS) as usize, index as usize)
}

/// A span of an arena.
#[inline]
pub(crate) fn span_ref(arena_index: usize, arena: &Arena, index: usize) -> SpanRef {
    SpanRef {
        number: (arena_index << INDEX_BITS | index) as u32,
        record: arena.record(index),
        base: arena.address(index),
    }
}
