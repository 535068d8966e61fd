//! An entry of the heap: a live block, or a run of free slots or pages.
//!
//! `_heapwalk` goes from one entry to the next.

use crate::layout::{PAGE_SIZE, SPAN_PAGES};
use crate::size_class;
use crate::span::{LARGE, NO_OWNER, PAGES, SpanRef, TAIL};
use core::ffi::c_int;

/// One entry of the heap: the structure `_HEAPINFO` of C programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// Its first byte (`_pentry`).
    pub address: *mut u8,
    /// Its size in bytes; for a live block, the result of `_msize`.
    pub size: usize,
    /// [`USED`] or [`FREE`] (`_useflag`).
    pub use_flag: c_int,
}

/// `_USEDENTRY`: a live block.
pub const USED: c_int = 1;
/// `_FREEENTRY`: a run of free slots or pages.
pub const FREE: c_int = 0;

/// The live block that contains this offset into a span, or the free slots or
/// pages from there on. `None` if the span has no live block, or if no slot and no page of
/// a block that begins in it is there. All locks are held.
pub(crate) fn entry_in(span: SpanRef, offset: usize) -> Option<Entry> {
    if span.owner.get() == NO_OWNER {
        return None;
    }
    let (start, size, use_flag) = match span.kind.get() {
        TAIL => return None,
        LARGE => {
            let pages = span.large_block();
            let is_there = pages.start < SPAN_PAGES && offset / PAGE_SIZE < pages.end;
            is_there.then_some((pages.start * PAGE_SIZE, pages.len() * PAGE_SIZE, USED))?
        }
        PAGES => {
            let page = offset / PAGE_SIZE;
            let free = (span.free_pages() >> page).trailing_ones() as usize;
            let (first, count, use_flag) = match span.run_at(page) {
                Some((first, count)) => (first, count, USED),
                None if free > 0 => (page, free, FREE),
                None => return None,
            };
            (first * PAGE_SIZE, count * PAGE_SIZE, use_flag)
        }
        class => {
            let class = size_class::get(class as usize)?;
            let (size, capacity) = (class.size as usize, class.capacity as usize);
            let slot = class.slot_of(offset);
            if slot >= capacity || span.used() == 0 {
                return None;
            }
            let is_live = |slot: &usize| span.is_taken(*slot);
            match is_live(&slot) {
                true => (slot * size, size, USED),
                false => {
                    let end = (slot..capacity).find(is_live).unwrap_or(capacity);
                    (slot * size, (end - slot) * size, FREE)
                }
            }
        }
    };
    Some(Entry {
        address: span.base.wrapping_add(start),
        size,
        use_flag,
    })
}
