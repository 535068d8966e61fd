//! A span: 256 KiB of pages for blocks, and the record that describes them.
//!
//! The record lies in the arena's table, never in the span itself. So a page of
//! blocks holds nothing but blocks, an overrun cannot damage the heap's own
//! data, and a page without a live block can always go back to the system.

use crate::layout::PageMask;
use crate::shared::{Shared8, Shared16, Shared32, Shared64};
use core::ops::Deref;
use core::sync::atomic::AtomicPtr;

/// Number of words in the body of a record.
pub(crate) const BODY: usize = 4;

/// `owner`: none. The span is free, or inside a large block.
pub(crate) const NO_OWNER: u8 = 0;
/// `owner`: the space, for blocks of whole pages.
pub(crate) const SPACE: u8 = 1;
/// `owner`: the first shard; the others follow.
pub(crate) const FIRST_SHARD: u8 = 2;

/// `kind`: the end of a large block, which has some pages of this span.
pub(crate) const TAIL: u8 = 253;
/// `kind`: blocks that are runs of pages of one span ([`crate::pages`]). The kinds from 0
/// on are the size classes of small blocks ([`crate::slots`]).
pub(crate) const PAGES: u8 = 254;
/// `kind`: one large block that begins in this span ([`crate::large`]).
pub(crate) const LARGE: u8 = 255;

/// No span: the end of a list.
pub(crate) const NO_SPAN: u32 = u32::MAX;

/// The record of a span. All zeros: the span was never used.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Span {
    /// The owner, whose lock guards the other fields. It does not change while
    /// the span has a live block.
    pub owner: Shared8,
    /// What kind of blocks the span is for.
    pub kind: Shared8,
    /// Which of its owner's lists the span is on, counted from 1; 0 for none.
    pub list: Shared8,
    /// The next span on that list.
    pub next: Shared32,
    /// The previous span on that list.
    pub prev: Shared32,
    /// For small blocks: the number of slots that are taken, and a flag ([`crate::slots`]).
    pub count: Shared16,
    /// For small blocks: number of slots that have a bit in the bitmap. It grows as the
    /// span fills.
    pub slots: Shared16,
    /// Pages that may be resident: used since they were last given back.
    pub resident: Shared64,
    /// The bitmap of small blocks. It lies in `body` or in the arena's lines. Null while
    /// `body` lists the live slots.
    pub bitmap: AtomicPtr<Shared64>,
    /// What depends on the kind.
    pub body: [Shared64; BODY],
}

/// A span: its number, its record and its address.
#[derive(Clone, Copy)]
pub(crate) struct SpanRef {
    /// Its number.
    pub index: u32,
    /// Its record.
    record: *const Span,
    /// Its first byte.
    pub base: *mut u8,
}

impl SpanRef {
    /// # Safety
    /// The record is that of span `index`, and stays as long as anything uses it.
    #[inline(always)]
    pub(crate) unsafe fn new(index: u32, record: *const Span, base: *mut u8) -> SpanRef {
        SpanRef {
            index,
            record,
            base,
        }
    }
}

impl Deref for SpanRef {
    type Target = Span;
    #[inline(always)]
    fn deref(&self) -> &Span {
        // SAFETY: the promise of `new`'s caller.
        unsafe { &*self.record }
    }
}

impl Span {
    /// The pages that hold at least one byte of a live block.
    pub(crate) fn live_pages(&self) -> PageMask {
        match (self.owner.get(), self.kind.get()) {
            (NO_OWNER, _) => 0,
            (_, TAIL | PAGES | LARGE) => self.live().get(),
            _ => self.pages_of_slots(),
        }
    }
}

// The layout of the arena states this size.
const _: () = assert!(size_of::<Span>() == 64);
