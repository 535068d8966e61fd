//! The heap: small blocks from size classes, large ones from runs of spans,
//! huge ones from runs of chunks.

use crate::alignment::Alignment;
use crate::arena::{Arena, CHUNK_SIZE, CHUNK_SPANS};
use crate::entry::{Tier, USED, entry_at};
use crate::resize::clear_behind;
use crate::size_class;
use crate::span::{Kind, SPAN_SIZE, Span};

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

/// A live block.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    pub arena: usize,
    /// Its span, or the first of them.
    pub span: usize,
    pub tier: Tier,
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

impl Heap {
    /// A heap without memory; it reserves address space at the first allocation.
    #[allow(clippy::new_without_default)] // a default could not be constant
    pub const fn new() -> Heap {
        Heap {
            arenas: [const { None }; MAX_ARENAS],
            with_room: [NO_SPAN; size_class::COUNT],
            misused: false,
        }
    }

    /// A block of at least `size` bytes, aligned to 16; one of its own even
    /// for size 0. `None` if there is no memory for it.
    pub fn allocate(&mut self, size: usize) -> Option<Block> {
        self.allocate_aligned(size, Alignment::NATURAL)
    }

    /// The same, aligned as asked.
    pub fn allocate_aligned(&mut self, size: usize, asked: Alignment) -> Option<Block> {
        // At least one byte, so that the address lies in its own block.
        let total = size.max(1).saturating_add(asked.room());
        if total <= size_class::LARGEST {
            self.allocate_small(size, size_class::of(total), asked)
        } else if total <= CHUNK_SIZE {
            self.allocate_large(size.max(1), total, asked)
        } else if total <= MAX_REQUEST {
            self.allocate_huge(size.max(1), total, asked)
        } else {
            None
        }
    }

    /// Frees a block. Returns false if no live block begins at that address.
    pub fn free(&mut self, address: *mut u8) -> bool {
        let live = self.locate(address);
        self.give(live)
    }

    /// Frees an aligned block. Returns false if no live block is there.
    pub fn free_aligned(&mut self, address: *mut u8) -> bool {
        let live = self.containing(address);
        self.give(live)
    }

    pub(crate) fn give(&mut self, live: Option<Live>) -> bool {
        let Some(live) = live else {
            self.misused = true;
            return false;
        };
        let (arena, whole) = (self.arena(live.arena), live.gap + live.size);
        match live.tier {
            Tier::Small => self.free_small(live),
            Tier::Large => arena.give_spans(live.span, whole.div_ceil(SPAN_SIZE)),
            Tier::Huge => arena.give_chunks(live.span / CHUNK_SPANS, whole.div_ceil(CHUNK_SIZE)),
        }
        true
    }

    /// The live block that begins at an address.
    pub(crate) fn locate(&self, address: *const u8) -> Option<Live> {
        self.containing(address).filter(|live| live.gap == 0)
    }

    /// The live block in which an address lies.
    pub(crate) fn containing(&self, address: *const u8) -> Option<Live> {
        let (index, last, _) = self.find(address)?;
        let arena = self.arenas[index].as_ref()?;
        // From inside a block of several spans, the way leads back to its first.
        let (span, (entry, tier, _)) = (0..=last).rev().find_map(|span| {
            let offset = address as usize - arena.address(span) as usize;
            Some((span, entry_at(arena, (span, offset))?))
        })?;
        let gap = address as usize - entry.address as usize;
        (entry.use_flag == USED && gap < entry.size).then_some(Live {
            arena: index,
            span,
            tier,
            base: entry.address,
            gap,
            size: entry.size - gap,
        })
    }

    /// The arena, span and offset of an address.
    pub(crate) fn find(&self, address: *const u8) -> Option<(usize, usize, usize)> {
        self.arenas.iter().enumerate().find_map(|(index, arena)| {
            let (span, offset) = arena.as_ref()?.find(address)?;
            Some((index, span, offset))
        })
    }

    fn allocate_small(&mut self, size: usize, class: usize, asked: Alignment) -> Option<Block> {
        let number = match self.with_room[class] {
            NO_SPAN => {
                let number = self.take_spans(1)?;
                self.span_mut(number).start_small(class);
                self.link(number, class);
                number
            }
            number => number,
        };
        let (arena, index) = self.arena_of(number);
        let slot = arena.span_mut(index).free_slot()?;
        let slot_size = arena.span(index).block_size();
        let offset = slot * slot_size;
        let Some(old_bytes) = arena.make_resident(index, offset, slot_size) else {
            // The span may be a new one; it must not stay taken for nothing.
            if arena.span(index).used == 0 {
                self.retire_small_span(number, class);
            }
            return None;
        };
        let span = arena.span_mut(index);
        span.take(slot);
        let is_full = span.is_full();
        let base = arena.address(index).wrapping_add(offset);
        if is_full {
            self.unlink(number, class);
        }
        let gap = asked.gap(base);
        if old_bytes {
            clear_behind(base, gap + size, slot_size);
        }
        let address = base.wrapping_add(gap);
        Some(Block { address, old_bytes })
    }

    fn free_small(&mut self, live: Live) {
        let arena = self.arena(live.arena);
        let start = live.base as usize - arena.address(live.span) as usize;
        let span = arena.span_mut(live.span);
        let (number, class) = (number(live.arena, live.span), span.class as usize);
        let was_full = span.is_full();
        span.give(start / span.block_size());
        let is_empty = span.used == 0;
        arena.touch(live.span);
        if was_full {
            self.link(number, class);
        }
        if is_empty {
            self.retire_small_span(number, class);
        }
    }

    fn retire_small_span(&mut self, number: u32, class: usize) {
        self.unlink(number, class);
        let (arena, index) = self.arena_of(number);
        arena.give_spans(index, 1);
    }

    fn allocate_large(&mut self, size: usize, total: usize, asked: Alignment) -> Option<Block> {
        let count = total.div_ceil(SPAN_SIZE);
        let number = self.take_spans(count)?;
        let (arena, first) = self.arena_of(number);
        // What is not needed before and behind the block goes back at once.
        let gap = asked.gap(arena.address(first));
        let (head, gap) = (first + gap / SPAN_SIZE, gap % SPAN_SIZE);
        let end = head + (gap + size).div_ceil(SPAN_SIZE);
        arena.give_spans(first, head - first);
        arena.give_spans(end, first + count - end);
        let old_bytes = start_large(arena, head, gap + size);
        if old_bytes.is_none() {
            arena.give_spans(head, end - head);
        }
        let address = arena.address(head).wrapping_add(gap);
        old_bytes.map(|old_bytes| Block { address, old_bytes })
    }

    fn allocate_huge(&mut self, size: usize, total: usize, asked: Alignment) -> Option<Block> {
        let chunks = total.div_ceil(CHUNK_SIZE);
        let taken = self.take(chunks, |arena| {
            let first = arena.find_chunks(chunks)?;
            let gap = asked.gap(arena.address(first * CHUNK_SPANS));
            let (head, gap) = (first + gap / CHUNK_SIZE, gap % CHUNK_SIZE);
            let old_bytes = arena.take_chunks(head, gap + size)?;
            let address = arena.address(head * CHUNK_SPANS).wrapping_add(gap);
            Some(Block { address, old_bytes })
        });
        Some(taken?.1)
    }

    fn take_spans(&mut self, count: usize) -> Option<u32> {
        let (arena, span) = self.take(1, |arena| arena.take_spans(count))?;
        Some(number(arena, span))
    }

    /// Takes something from the first arena that has it, or from a new one of
    /// at least so many chunks. With the arena's number.
    fn take<T>(
        &mut self,
        chunks: usize,
        from: impl Fn(&mut Arena) -> Option<T>,
    ) -> Option<(usize, T)> {
        for index in 0..MAX_ARENAS {
            let is_new = self.arenas[index].is_none();
            if is_new {
                self.arenas[index] = new_arena(index, chunks);
            }
            if let Some(taken) = from(self.arenas[index].as_mut()?) {
                return Some((index, taken));
            }
            if is_new {
                // The system refuses; an arena that nobody uses need not stay.
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
        let Span { prev, next, .. } = *self.span_mut(number);
        match prev {
            NO_SPAN => self.with_room[class] = next,
            prev => self.span_mut(prev).next = next,
        }
        if next != NO_SPAN {
            self.span_mut(next).prev = prev;
        }
    }

    pub(crate) fn arena(&mut self, index: usize) -> &mut Arena {
        self.arenas[index]
            .as_mut()
            .expect("the arena of a block exists")
    }

    fn arena_of(&mut self, number: u32) -> (&mut Arena, usize) {
        let span = number & ((1 << INDEX_BITS) - 1);
        (self.arena((number >> INDEX_BITS) as usize), span as usize)
    }

    fn span_mut(&mut self, number: u32) -> &mut Span {
        let (arena, span) = self.arena_of(number);
        arena.span_mut(span)
    }
}

/// Writes the records of a large block and makes its pages usable. Says
/// whether it may hold old bytes; `None` if the system refuses.
pub(crate) fn start_large(arena: &mut Arena, first: usize, size: usize) -> Option<bool> {
    let live = |index: usize| (size - index * SPAN_SIZE).min(SPAN_SIZE);
    let mut old_bytes = false;
    for index in 0..size.div_ceil(SPAN_SIZE) {
        old_bytes |= arena.make_resident(first + index, 0, live(index))?;
    }
    for index in 0..size.div_ceil(SPAN_SIZE) {
        let kind = match index {
            0 => Kind::LargeHead,
            _ => Kind::LargeTail,
        };
        arena
            .span_mut(first + index)
            .start_large(kind, size, live(index));
    }
    Some(old_bytes)
}

/// An arena of the usual size for its place, or a smaller one that still has
/// `chunks` chunks if address space is scarce.
fn new_arena(index: usize, chunks: usize) -> Option<Arena> {
    let usual = (FIRST_ARENA << index.min(MOST_DOUBLINGS)).max(chunks);
    let smaller = |&count: &usize| (count > chunks).then(|| (count / 2).max(chunks));
    core::iter::successors(Some(usual), smaller).find_map(Arena::new)
}

fn number(arena: usize, span: usize) -> u32 {
    (arena << INDEX_BITS | span) as u32
}
