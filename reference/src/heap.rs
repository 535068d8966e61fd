//! The heap: small blocks from size classes, large ones from runs of spans,
//! huge ones from runs of chunks.

use crate::arena::{Arena, CHUNK_SIZE, CHUNK_SPANS};
use crate::size_class;
use crate::span::{Kind, SPAN_SIZE, Span};
use core::ptr;

/// No span, where a list ends.
pub const NO_SPAN: u32 = u32::MAX;
/// Each arena is twice the size of the one before, up to 1 TiB, so these are plenty.
const MAX_ARENAS: usize = 16;
/// Chunks in the first arena: 1 GiB of address space, or 64 MiB where that is scarce.
const FIRST_ARENA: usize = if usize::BITS == 64 { 256 } else { 16 };
/// After so many doublings an arena has 1 TiB and the next are no larger.
const MOST_DOUBLINGS: usize = 10;
/// A span's number in the heap is its arena in the upper bits and its index there.
const INDEX_BITS: u32 = 28;

/// The largest request, in bytes. Microsoft's `_HEAP_MAXREQ`.
pub const MAX_REQUEST: usize = usize::MAX - 31;

/// A heap. The C names work on one for the whole process ([`crate::routines`]).
pub struct Heap {
    pub(crate) arenas: [Option<Arena>; MAX_ARENAS],
    /// For each size class, the first span that has both live blocks and room.
    with_room: [u32; size_class::COUNT],
    /// Somebody freed what was not a live block. The heap is unharmed by it,
    /// but its user is not, and `_heapchk` says so.
    pub(crate) misused: bool,
}

/// Where a block is.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    Small { span: u32, slot: usize },
    Large { span: u32 },
    Huge { arena: usize, chunk: usize },
}

/// A new block, or why there is none.
pub struct Block {
    /// Its first byte; null if there is no memory for it.
    pub address: *mut u8,
    /// Whether it may hold bytes of earlier owners. If not, it is all zeros.
    pub old_bytes: bool,
}

const NO_BLOCK: Block = Block {
    address: ptr::null_mut(),
    old_bytes: true,
};

impl Default for Heap {
    fn default() -> Self {
        Heap::new()
    }
}

impl Heap {
    /// A heap without memory; it reserves address space at the first allocation.
    pub const fn new() -> Heap {
        Heap {
            arenas: [const { None }; MAX_ARENAS],
            with_room: [NO_SPAN; size_class::COUNT],
            misused: false,
        }
    }

    /// A block of at least `size` bytes, aligned to 16; one of its own even for size 0.
    pub fn allocate(&mut self, size: usize) -> Block {
        let block = if size <= size_class::LARGEST {
            self.allocate_small(size_class::of(size))
        } else if size <= CHUNK_SIZE {
            self.allocate_large(size)
        } else if size <= MAX_REQUEST {
            self.allocate_huge(size)
        } else {
            None
        };
        block.unwrap_or(NO_BLOCK)
    }

    /// Frees a block. Returns false if there is no live block at that address.
    pub fn free(&mut self, address: *mut u8) -> bool {
        match self.locate(address) {
            Some(Place::Small { span, slot }) => self.free_small(span, slot),
            Some(Place::Large { span }) => {
                let count = self.span(span).size.div_ceil(SPAN_SIZE);
                let (arena, first) = self.arena_of(span);
                arena.give_spans(first, count);
            }
            Some(Place::Huge { arena, chunk }) => self.arena(arena).give_chunks(chunk),
            None => {
                self.misused = true;
                return false;
            }
        }
        true
    }

    /// How many bytes a live block has: for a small one the size of its
    /// class, else the size asked for. `None` if no live block is there.
    pub fn size_of(&self, address: *const u8) -> Option<usize> {
        Some(match self.locate(address)? {
            Place::Small { span, .. } => self.span(span).block_size(),
            Place::Large { span } => self.span(span).size,
            Place::Huge { arena, chunk } => self.arenas[arena].as_ref()?.chunk(chunk).huge_size,
        })
    }

    /// Gives a block a new size where it stands. Returns false, with nothing
    /// changed, if that cannot be done.
    pub fn resize_in_place(&mut self, address: *mut u8, size: usize) -> bool {
        match self.locate(address) {
            Some(Place::Small { span, .. }) => {
                size <= size_class::LARGEST
                    && size_class::of(size) == self.span(span).class as usize
            }
            Some(Place::Large { span }) => self.resize_large(span, size),
            Some(Place::Huge { arena, chunk }) => {
                let old = self.arena(arena).chunk(chunk).huge_size;
                size > CHUNK_SIZE
                    && size <= MAX_REQUEST
                    && size.div_ceil(CHUNK_SIZE) == old.div_ceil(CHUNK_SIZE)
                    && self.arena(arena).resize_chunks(chunk, size)
            }
            None => false,
        }
    }

    /// Finds the live block that begins at an address.
    pub(crate) fn locate(&self, address: *const u8) -> Option<Place> {
        let (arena, span, offset) = self.find(address)?;
        let home = self.arenas[arena].as_ref()?;
        if !home.is_used(span) {
            return None;
        }
        let chunk = span / CHUNK_SPANS;
        if home.chunk(chunk).huge_bytes != 0 {
            let begins = span % CHUNK_SPANS == 0 && offset == 0 && home.chunk(chunk).huge_size != 0;
            return begins.then_some(Place::Huge { arena, chunk });
        }
        let record = home.span(span);
        let number = number(arena, span);
        match record.kind {
            Kind::Small => {
                let slot = offset / record.block_size();
                let begins = offset % record.block_size() == 0;
                (begins && slot < record.capacity() && record.is_live(slot))
                    .then_some(Place::Small { span: number, slot })
            }
            Kind::LargeHead => (offset == 0).then_some(Place::Large { span: number }),
            Kind::LargeTail | Kind::Free => None,
        }
    }

    /// The arena, span and offset of an address.
    pub(crate) fn find(&self, address: *const u8) -> Option<(usize, usize, usize)> {
        self.arenas.iter().enumerate().find_map(|(index, arena)| {
            let (span, offset) = arena.as_ref()?.find(address)?;
            Some((index, span, offset))
        })
    }

    fn allocate_small(&mut self, class: usize) -> Option<Block> {
        let number = match self.with_room[class] {
            NO_SPAN => self.new_small_span(class)?,
            number => number,
        };
        let (arena, index) = self.arena_of(number);
        let slot = arena.span_mut(index).free_slot()?;
        let size = arena.span(index).block_size();
        let offset = slot * size;
        let Some(old_bytes) = arena.make_resident(index, offset, size) else {
            // The span may be a new one; it must not stay taken for nothing.
            if arena.span(index).used == 0 {
                self.retire_small_span(number, class);
            }
            return None;
        };
        let span = arena.span_mut(index);
        span.take(slot);
        let is_full = span.is_full();
        let address = arena.address(index).wrapping_add(offset);
        if is_full {
            self.unlink(number, class);
        }
        Some(Block { address, old_bytes })
    }

    fn free_small(&mut self, number: u32, slot: usize) {
        let (arena, index) = self.arena_of(number);
        let span = arena.span_mut(index);
        let class = span.class as usize;
        let was_full = span.is_full();
        span.give(slot);
        let is_empty = span.used == 0;
        arena.touch(index);
        if was_full {
            self.link(number, class);
        }
        if is_empty {
            self.retire_small_span(number, class);
        }
    }

    fn new_small_span(&mut self, class: usize) -> Option<u32> {
        let number = self.take_spans(1)?;
        let (arena, index) = self.arena_of(number);
        arena.span_mut(index).start_small(class);
        self.link(number, class);
        Some(number)
    }

    fn retire_small_span(&mut self, number: u32, class: usize) {
        self.unlink(number, class);
        let (arena, index) = self.arena_of(number);
        arena.give_spans(index, 1);
    }

    fn allocate_large(&mut self, size: usize) -> Option<Block> {
        let count = size.div_ceil(SPAN_SIZE);
        let number = self.take_spans(count)?;
        let (arena, first) = self.arena_of(number);
        let old_bytes = start_large(arena, first, size);
        if old_bytes.is_none() {
            arena.give_spans(first, count);
        }
        Some(Block {
            address: arena.address(first),
            old_bytes: old_bytes?,
        })
    }

    fn resize_large(&mut self, number: u32, size: usize) -> bool {
        let old = self.span(number).size;
        let (old_count, count) = (old.div_ceil(SPAN_SIZE), size.div_ceil(SPAN_SIZE));
        if size <= size_class::LARGEST || count > old_count {
            return false;
        }
        let (arena, first) = self.arena_of(number);
        if start_large(arena, first, size).is_none() {
            return false;
        }
        if size < old {
            arena.touch(first + count - 1);
        }
        if count < old_count {
            arena.give_spans(first + count, old_count - count);
        }
        true
    }

    fn allocate_huge(&mut self, size: usize) -> Option<Block> {
        let chunks = size.div_ceil(CHUNK_SIZE);
        for index in 0..MAX_ARENAS {
            let is_new = self.arenas[index].is_none();
            if is_new {
                self.arenas[index] = new_arena(index, chunks);
            }
            let arena = self.arenas[index].as_mut()?;
            if let Some(first) = arena.find_chunks(chunks) {
                let old_bytes = arena.take_chunks(first, size);
                let address = arena.address(first * CHUNK_SPANS);
                if old_bytes.is_none() && is_new {
                    // The system refuses; an arena that nobody uses need not stay.
                    self.arenas[index] = None;
                }
                return old_bytes.map(|old_bytes| Block { address, old_bytes });
            }
        }
        None
    }

    /// Takes neighbouring spans from the first arena that has them, or a new one.
    fn take_spans(&mut self, count: usize) -> Option<u32> {
        for index in 0..MAX_ARENAS {
            let is_new = self.arenas[index].is_none();
            if is_new {
                self.arenas[index] = new_arena(index, 1);
            }
            if let Some(span) = self.arenas[index].as_mut()?.take_spans(count) {
                return Some(number(index, span));
            }
            if is_new {
                // The system refuses; another arena would fare no better.
                self.arenas[index] = None;
                return None;
            }
        }
        None
    }

    /// Puts a span in front of its class's list of those with room.
    fn link(&mut self, number: u32, class: usize) {
        let next = self.with_room[class];
        let span = self.span_mut(number);
        (span.prev, span.next) = (NO_SPAN, next);
        if next != NO_SPAN {
            self.span_mut(next).prev = number;
        }
        self.with_room[class] = number;
    }

    /// Takes a span out of its class's list of those with room.
    fn unlink(&mut self, number: u32, class: usize) {
        let Span { prev, next, .. } = *self.span(number);
        match prev {
            NO_SPAN => self.with_room[class] = next,
            prev => self.span_mut(prev).next = next,
        }
        if next != NO_SPAN {
            self.span_mut(next).prev = prev;
        }
    }

    fn arena(&mut self, index: usize) -> &mut Arena {
        self.arenas[index]
            .as_mut()
            .expect("the arena of a block exists")
    }

    fn arena_of(&mut self, number: u32) -> (&mut Arena, usize) {
        let (arena, span) = split(number);
        (self.arena(arena), span)
    }

    fn span(&self, number: u32) -> &Span {
        let (arena, span) = split(number);
        let arena = self.arenas[arena]
            .as_ref()
            .expect("the arena of a block exists");
        arena.span(span)
    }

    fn span_mut(&mut self, number: u32) -> &mut Span {
        let (arena, span) = self.arena_of(number);
        arena.span_mut(span)
    }
}

/// Writes the records of a large block and makes its pages usable. Says
/// whether it may hold old bytes; `None` if the system refuses.
fn start_large(arena: &mut Arena, first: usize, size: usize) -> Option<bool> {
    let mut old_bytes = false;
    for index in 0..size.div_ceil(SPAN_SIZE) {
        let live = (size - index * SPAN_SIZE).min(SPAN_SIZE);
        old_bytes |= arena.make_resident(first + index, 0, live)?;
    }
    for index in 0..size.div_ceil(SPAN_SIZE) {
        let live = (size - index * SPAN_SIZE).min(SPAN_SIZE);
        let kind = match index {
            0 => Kind::LargeHead,
            _ => Kind::LargeTail,
        };
        arena.span_mut(first + index).start_large(kind, size, live);
    }
    Some(old_bytes)
}

/// An arena of the usual size for its place, or a smaller one that still has
/// `chunks` chunks if address space is scarce.
fn new_arena(index: usize, chunks: usize) -> Option<Arena> {
    let mut count = (FIRST_ARENA << index.min(MOST_DOUBLINGS)).max(chunks);
    loop {
        if let Some(arena) = Arena::new(count) {
            return Some(arena);
        }
        if count == chunks {
            return None;
        }
        count = (count / 2).max(chunks);
    }
}

fn number(arena: usize, span: usize) -> u32 {
    (arena << INDEX_BITS | span) as u32
}

fn split(number: u32) -> (usize, usize) {
    let arena = number >> INDEX_BITS;
    let span = number & ((1 << INDEX_BITS) - 1);
    (arena as usize, span as usize)
}
