//! A block with a header before it and filled zones around it.
//!
//! ```text
//! | header | zone | bytes of the program | zone |
//! base            block                         end
//! ```
//!
//! The program never has a reason to write to the header or the zones. After the `free` of
//! the block, its bytes are zero, and the program has no reason to write there either.

use super::report::Misuse;
use crate::clear::clear;
use crate::heap::Live;
use crate::layout::PAGE_SIZE;
use crate::os;
use core::{ptr, slice};

/// The fewest bytes before and after a block that are not the program's.
pub(super) const FRONT: usize = 32;
pub(super) const BACK: usize = 32;
/// The most bytes of a zone that are filled: after a block, and before it.
const MOST_AFTER: usize = PAGE_SIZE;
const MOST_BEFORE: usize = 64;
/// The byte in zones. Microsoft's debug heap has the same.
const FILL: u8 = 0xFD;

/// Bits of `state`: the program freed the block; its page has no access.
const FREED: usize = 1;
const CLOSED: usize = 2;

/// What is known about a block. It lies at the start of the slot or pages.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
struct Header {
    /// The address of the block.
    block: usize,
    /// The requested size.
    size: usize,
    state: usize,
    /// A number that follows from the other ones, so that damage is noticed.
    sum: usize,
}

impl Header {
    fn new(block: usize, size: usize, state: usize) -> Header {
        const SALT: usize = 0x9E37_79B9_7F4A_7C15_u64 as usize;
        let sum = (block ^ SALT).rotate_left(7) ^ (size ^ SALT).rotate_left(17) ^ state;
        Header {
            block,
            size,
            state,
            sum,
        }
    }

    fn is_intact(self) -> bool {
        self == Header::new(self.block, self.size, self.state)
    }
}

/// The slot or pages of a block, and its header.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub base: *mut u8,
    end: *mut u8,
    header: Header,
}

impl Place {
    /// Makes a block of the heap one with a header and zones. The program's bytes are
    /// unchanged. If `closed`, the page in which it begins loses its access; it has the
    /// size 0 then.
    pub(super) fn new(live: Live, block: *mut u8, size: usize, closed: bool) -> Place {
        let state = if closed { CLOSED } else { 0 };
        let place = Place {
            header: Header::new(block as usize, size, state),
            ..Place::unread(live)
        };
        place.write_header();
        place.zones().into_iter().for_each(fill);
        place
    }

    fn unread(live: Live) -> Place {
        Place {
            base: live.base,
            end: live.base.wrapping_add(live.gap + live.size),
            header: Header::new(0, 0, 0),
        }
    }

    /// The block in a slot or pages, with its header. Returns an error if the header is
    /// damaged.
    pub(super) fn read(live: Live) -> Result<Place, Misuse> {
        let place = Place::unread(live);
        // SAFETY: the live blocks of this heap begin with a header. Only this heap writes
        // to it, under the lock that the caller holds, unless the program has an error.
        let header = unsafe { place.base.cast::<Header>().read() };
        match header.is_intact() {
            true => Ok(Place { header, ..place }),
            false => Err(Misuse::WrittenBefore(place.base.wrapping_add(FRONT))),
        }
    }

    fn write_header(&self) {
        // SAFETY: as in `read`; the base is aligned to 16.
        unsafe { self.base.cast::<Header>().write(self.header) };
    }

    /// The block of the program.
    pub(super) fn block(&self) -> *mut u8 {
        let distance = self.header.block.wrapping_sub(self.base as usize);
        self.base.wrapping_add(distance)
    }

    /// Its requested size.
    pub(super) fn size(&self) -> usize {
        self.header.size
    }

    /// Bytes that the block takes, with its header and zones.
    pub(super) fn total(&self) -> usize {
        self.end as usize - self.base as usize
    }

    /// The largest size that the block may get here.
    pub(super) fn most(&self) -> usize {
        if self.is_closed() {
            return 0;
        }
        (self.end as usize - BACK).saturating_sub(self.header.block)
    }

    /// Whether the program freed the block.
    pub(super) fn is_freed(&self) -> bool {
        self.header.state & FREED != 0
    }

    /// Whether the page in which the block begins has no access.
    pub(super) fn is_closed(&self) -> bool {
        self.header.state & CLOSED != 0
    }

    /// Takes away or restores the access to that page. Returns false if the system refuses.
    pub(super) fn set_access(&self, accessible: bool) -> bool {
        // SAFETY: a whole page of a live block, after that of the header.
        unsafe { os::protect(self.page(), os::page_size(), accessible) }
    }

    /// The page of the system in which the block begins.
    fn page(&self) -> *mut u8 {
        let block = self.block();
        block.wrapping_sub(block as usize % os::page_size())
    }

    /// Zeroes the program's bytes, and notes that they are free.
    pub(super) fn mark_freed(&mut self) {
        if !self.is_closed() {
            clear(self.block(), self.size());
        }
        self.header = Header::new(
            self.header.block,
            self.header.size,
            self.header.state | FREED,
        );
        self.write_header();
    }

    /// Finds writes to the zones and, in a freed block, to its first `most` bytes.
    pub(super) fn check(&self, most: usize) -> Result<(), Misuse> {
        let (block, size) = (self.block(), self.size());
        let freed = (block, if self.is_freed() { size.min(most) } else { 0 });
        let [before, after] = self.zones();
        if !has_only(before, FILL) {
            return Err(Misuse::WrittenBefore(block));
        }
        if !has_only(freed, 0) {
            return Err(Misuse::WrittenAfterFree(block, size));
        }
        if !has_only(after, FILL) {
            return Err(Misuse::WrittenPast(block, size));
        }
        Ok(())
    }

    /// The zones before and after the block: the first byte and the length of each.
    fn zones(&self) -> [(*mut u8, usize); 2] {
        let header_end = self.base.wrapping_add(size_of::<Header>());
        let (low, high) = match self.is_closed() {
            true => (self.page(), self.end),
            false => (self.block(), self.block().wrapping_add(self.size())),
        };
        let before = (low as usize - header_end as usize).min(MOST_BEFORE);
        let after = (self.end as usize - high as usize).min(MOST_AFTER);
        [(low.wrapping_sub(before), before), (high, after)]
    }
}

fn fill((base, len): (*mut u8, usize)) {
    // SAFETY: a zone of a live block, or its bytes after the `free`.
    unsafe { ptr::write_bytes(base, FILL, len) };
}

fn has_only((base, len): (*mut u8, usize), byte: u8) -> bool {
    // SAFETY: as above. No other thread writes there without an error of the program.
    let bytes = unsafe { slice::from_raw_parts(base, len) };
    // Each byte after the first is the same as the one before it.
    bytes
        .split_last()
        .is_none_or(|(_, others)| bytes[0] == byte && others == &bytes[1..])
}
