//! What stands at a place of the heap: a live block, or a run of free slots.
//!
//! Everybody who has an address and wants its block asks here, and so does
//! `_heapwalk`, which goes from one entry to the next.

use crate::size_class;
use crate::span::{LARGE, NOBODY, PAGE_SIZE, SpanRef};
use core::ffi::c_int;

/// One entry of the heap: `_HEAPINFO`, as C programs know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Entry {
    /// Its first byte (`_pentry`).
    pub address: *mut u8,
    /// Its bytes; for a live block as `_msize` has it.
    pub size: usize,
    /// [`USED`] or [`FREE`] (`_useflag`).
    pub use_flag: c_int,
}

/// `_USEDENTRY`: a live block.
pub const USED: c_int = 1;
/// `_FREEENTRY`: a run of free slots or pages.
pub const FREE: c_int = 0;

/// The entry that has, or would have, a byte at this offset into a span. None
/// in a span where nothing lives, and where a large block lies that begins in
/// another. The caller has the lock of the span's owner.
pub(crate) fn entry_in(span: SpanRef, offset: usize) -> Option<Entry> {
    if span.owner.get() == NOBODY {
        return None;
    }
    let (start, size, use_flag) = match span.kind.get() {
        LARGE => {
            let page = offset / PAGE_SIZE;
            let free = (span.free_pages() >> page).trailing_ones() as usize;
            let (first, count, use_flag) = match span.block_of_page(page) {
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
            if slot >= capacity || span.used.get() == 0 {
                return None;
            }
            let is_live = |slot: &usize| span.is_live(*slot);
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
