//! A heap whose blocks are checked.
//!
//! `free` zeroes a block and puts it aside: the address is not handed out again at once, so
//! that a second `free` or a late write is noticed. The blocks put aside are free for good
//! when they are too many, and when a routine looks at the whole heap.

use super::block::{BACK, FRONT, Place};
use super::report::Misuse;
use crate::alignment::Alignment;
use crate::clear::{clear, clear_tail};
use crate::entry::{Entry, FREE, USED};
use crate::heap::Heap;
use crate::heapwalk::{self, Next};
use crate::lock::Guard;
use crate::os;
use core::ptr;

/// Number of blocks that each call checks: those handed out or freed last.
const RECENT: usize = 16;
/// The most bytes of each that such a check reads, if the block is freed.
const MOST_READ: usize = 256;
/// The most blocks that are put aside, and the most bytes that they take.
const MOST_ASIDE: usize = 8192;
const MOST_BYTES_ASIDE: usize = 2 << 20;
/// The most blocks of size 0 with a page without access. The system has a limit for
/// mappings, which the heap needs too.
const MOST_CLOSED: usize = 1000;

/// The heap, and which of its blocks are checked. The lock is held.
pub(super) struct Checked<'a> {
    pub heap: &'a Heap,
    pub state: Guard<'a, State>,
}

/// Which blocks are checked.
pub(crate) struct State {
    /// Bases of blocks of the heap, or null.
    recent: [*mut u8; RECENT],
    next_recent: usize,
    /// Bases of the blocks put aside, from the oldest on: a ring.
    aside: [*mut u8; MOST_ASIDE],
    oldest: usize,
    count: usize,
    bytes_aside: usize,
    closed: usize,
}

// SAFETY: nothing in it is bound to one thread.
unsafe impl Send for State {}

impl State {
    /// The state of a heap that was never used.
    pub(super) const fn new() -> State {
        State {
            recent: [ptr::null_mut(); RECENT],
            next_recent: 0,
            aside: [ptr::null_mut(); MOST_ASIDE],
            oldest: 0,
            count: 0,
            bytes_aside: 0,
            closed: 0,
        }
    }

    /// Lists a block among those that each call checks, in place of the oldest of them.
    fn remember(&mut self, base: *mut u8) {
        self.recent[self.next_recent] = base;
        self.next_recent = (self.next_recent + 1) % RECENT;
    }

    fn forget(&mut self, base: *mut u8) {
        let same = self.recent.iter_mut().filter(|recent| **recent == base);
        same.for_each(|recent| *recent = ptr::null_mut());
    }

    /// Puts a block aside. The caller has made room for it.
    fn put_aside(&mut self, base: *mut u8) {
        let place = (self.oldest + self.count) % MOST_ASIDE;
        self.aside[place] = base;
        self.count += 1;
    }

    /// Takes the oldest of the blocks that are put aside.
    fn take_oldest(&mut self) -> Option<*mut u8> {
        self.count = self.count.checked_sub(1)?;
        let base = self.aside[self.oldest];
        self.oldest = (self.oldest + 1) % MOST_ASIDE;
        Some(base)
    }
}

impl Checked<'_> {
    /// Allocates a block, all zero. Returns `Ok(None)` if there is no memory.
    pub(super) fn allocate(
        &mut self,
        size: usize,
        asked: Alignment,
    ) -> Result<Option<*mut u8>, Misuse> {
        self.check_recent()?;
        let closed = (size == 0).then(|| self.allocate_closed(asked)).flatten();
        let mut new = closed.or_else(|| self.allocate_open(size, asked));
        if new.is_none() {
            self.empty_aside()?; // these blocks may have the memory that is missing
            new = self.allocate_open(size, asked);
        }
        let Some(place) = new else {
            return Ok(None);
        };
        self.state.remember(place.base);
        Ok(Some(place.block()))
    }

    fn allocate_open(&mut self, size: usize, asked: Alignment) -> Option<Place> {
        let total = size.saturating_add(FRONT + BACK);
        let new = self.heap.allocate_aligned(total, asked.before(FRONT))?;
        let block = new.address.wrapping_add(FRONT);
        if new.old_bytes {
            clear(block, size);
        }
        let live = self.heap.containing(new.address)?;
        Some(Place::new(live, block, size, false))
    }

    /// Allocates a block of size 0 that begins in a page without access.
    fn allocate_closed(&mut self, asked: Alignment) -> Option<Place> {
        if self.state.closed == MOST_CLOSED {
            return None;
        }
        let page = os::page_size();
        let of_pages = Alignment::new(page, 0)?;
        let new = self.heap.allocate_aligned(2 * page, of_pages)?;
        let block = new.address.wrapping_add(page);
        let place = Place::new(self.heap.containing(new.address)?, block, 0, true);
        if asked.gap(block) != 0 || !place.set_access(false) {
            self.heap.free_any(place.base, true);
            return None;
        }
        self.state.closed += 1;
        Some(place)
    }

    /// Frees a live block.
    pub(super) fn free(&mut self, address: *mut u8) -> Result<(), Misuse> {
        self.check_recent()?;
        let mut place = self.find(address)?.ok_or(Misuse::FreeOfNoBlock(address))?;
        if place.is_freed() {
            return Err(Misuse::DoubleFree(address));
        }
        place.check(0)?;
        place.mark_freed();
        self.state.remember(place.base);
        self.put_aside(place)
    }

    /// Moves a live block to a new one of another size. Returns `Ok(None)`, with the block
    /// unchanged, if there is no memory.
    pub(super) fn reallocate(
        &mut self,
        address: *mut u8,
        size: usize,
        asked: Alignment,
    ) -> Result<Option<*mut u8>, Misuse> {
        let old = self.live_at(address)?;
        let Some(new) = self.allocate(size, asked)? else {
            // A block can always shrink.
            let stays = asked.gap(address) == 0 && size <= old.size();
            let stays = stays && self.resize_in_place(address, size)?;
            return Ok(stays.then_some(address));
        };
        // SAFETY: two live blocks of at least that many bytes.
        unsafe { ptr::copy_nonoverlapping(address, new, old.size().min(size)) };
        self.free(address)?;
        Ok(Some(new))
    }

    /// Resizes a live block in place. Returns `Ok(false)` if it cannot grow to `size`.
    pub(super) fn resize_in_place(
        &mut self,
        address: *mut u8,
        size: usize,
    ) -> Result<bool, Misuse> {
        self.check_recent()?;
        let old = self.live_at(address)?;
        if size > old.most() {
            return Ok(false);
        }
        if let Some(live) = self.heap.locate(old.base).filter(|_| !old.is_closed()) {
            if size > old.size() {
                clear_tail(address, old.size(), size);
            }
            Place::new(live, address, size, false);
        }
        Ok(true)
    }

    /// The requested size of a live block.
    pub(super) fn size_of(&self, address: *const u8) -> Option<usize> {
        let place = self.find(address).ok().flatten()?;
        (!place.is_freed()).then_some(place.size())
    }

    /// The entry after the one at `address`, or the first one for null. An entry of the
    /// program's block has its address and its size.
    pub(super) fn entry_after(&self, address: *const u8) -> Next {
        let place = self.find(address).ok().flatten();
        let at = place.map_or(address, |place| place.base.cast_const());
        match self.heap.entry_after(at) {
            Next::Entry(entry) if entry.use_flag == USED => Next::Entry(self.seen(entry)),
            next => next,
        }
    }

    /// What the program sees of a used entry of the heap.
    fn seen(&self, entry: Entry) -> Entry {
        match self.read(entry.address) {
            Some(Ok(place)) if !place.is_freed() => Entry {
                address: place.block(),
                size: place.size(),
                use_flag: USED,
            },
            _ => Entry {
                use_flag: FREE,
                ..entry
            },
        }
    }

    /// Checks all blocks, and frees those that are put aside for good.
    pub(super) fn settle(&mut self) -> Result<(), Misuse> {
        let mut at = ptr::null();
        while let Some(entry) = heapwalk::used_after(at, |at| self.heap.entry_after(at)) {
            at = entry.address.cast_const();
            if let Some(place) = self.read(entry.address) {
                place?.check(usize::MAX)?;
            }
        }
        self.empty_aside()
    }

    /// Frees the blocks that are put aside for good.
    pub(super) fn empty_aside(&mut self) -> Result<(), Misuse> {
        while let Some(base) = self.state.take_oldest() {
            self.free_for_good(base)?;
        }
        Ok(())
    }

    fn put_aside(&mut self, place: Place) -> Result<(), Misuse> {
        self.state.bytes_aside += place.total();
        while self.state.count == MOST_ASIDE || self.state.bytes_aside > MOST_BYTES_ASIDE {
            let Some(base) = self.state.take_oldest() else {
                break; // a block that is larger than all others together may be
            };
            self.free_for_good(base)?;
        }
        self.state.put_aside(place.base);
        Ok(())
    }

    fn free_for_good(&mut self, base: *mut u8) -> Result<(), Misuse> {
        let Some(place) = self.read(base) else {
            return Ok(());
        };
        let place = place?;
        place.check(usize::MAX)?;
        self.state.bytes_aside -= place.total();
        self.state.forget(base);
        if place.is_closed() {
            if !place.set_access(true) {
                return Ok(()); // the block stays, because nothing can use its page again
            }
            self.state.closed -= 1;
        }
        self.heap.free_any(base, true);
        Ok(())
    }

    fn check_recent(&self) -> Result<(), Misuse> {
        let mut places = self.state.recent.iter().filter_map(|&base| self.read(base));
        places.try_for_each(|place| place?.check(MOST_READ))
    }

    /// A live block for a routine that resizes it.
    fn live_at(&self, address: *mut u8) -> Result<Place, Misuse> {
        let place = self
            .find(address)?
            .ok_or(Misuse::ResizeOfNoBlock(address))?;
        if place.is_freed() {
            return Err(Misuse::ResizedAfterFree(address));
        }
        place.check(0)?;
        Ok(place)
    }

    /// The block that begins at an address. `Ok(None)` if no block begins there.
    fn find(&self, address: *const u8) -> Result<Option<Place>, Misuse> {
        // The bytes before the block are in its first span; the block itself may not be.
        let Some(live) = self.heap.containing(address.wrapping_sub(FRONT)) else {
            return Ok(None);
        };
        let place = Place::read(live)?;
        Ok((place.block().cast_const() == address).then_some(place))
    }

    /// The block in the slot or pages that begin at `base`, with its header. Returns `None`
    /// if they are not live.
    fn read(&self, base: *mut u8) -> Option<Result<Place, Misuse>> {
        self.heap.locate(base).map(Place::read)
    }
}
