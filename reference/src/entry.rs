//! An entry of the heap: a live block, or a run of free slots or pages.
//!
//! Every routine that looks up the block at an address does it here. So does
//! `_heapwalk`, which goes from one entry to the next.

use crate::size_class;
use crate::span::{LARGE, NO_OWNER, PAGE_SIZE, SpanRef};
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
/// pages from there on. `None` if the span has no live block, if no slot is
/// there, or if a large block is there that begins in another span. The caller
/// holds the lock of the span's owner.
pub(crate) fn entry_in(span: SpanRef, offset: usize) -> Option<Entry> {
    if span.owner.get() == NO_OWNER {
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
