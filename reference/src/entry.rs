//! What stands at a place of the heap: a live block, or a run of free slots.
//!
//! Everybody who has an address and wants its block asks here, and so does
//! `_heapwalk`, which goes from one entry to the next.

use crate::size_class;
use crate::span::{HUGE, NOBODY, PAGE_SIZE, PAGED, SpanRef};
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
/// in a span where nothing lives, nor inside a block of several spans, which
/// is an entry of its first. The caller has the lock of the span's owner.
pub(crate) fn entry_in(span: SpanRef, offset: usize) -> Option<Entry> {
    if span.owner.get() == NOBODY {
        return None;
    }
    let (start, size, use_flag) = match (span.kind.get(), span.class()) {
        (HUGE, _) => match span.body[0].get() as usize {
            size if offset < size => (0, size, USED),
            _ => return None,
        },
        (_, _) if span.used.get() == 0 => return None,
        (PAGED, _) => {
            let page = offset / PAGE_SIZE;
            let (first, count, use_flag) = match span.block_of_page(page) {
                Some((first, count)) => (first, count, USED),
                // Of a damaged record a page may be neither; it counts as free.
                None => (
                    page,
                    ((span.free_pages() >> page).trailing_ones() as usize).max(1),
                    FREE,
                ),
            };
            (first * PAGE_SIZE, count * PAGE_SIZE, use_flag)
        }
        (_, class) => {
            let (class, capacity) = (class?, span.capacity());
            let (size, slot) = (size_class::size(class), size_class::slot_at(class, offset));
            if slot >= capacity {
                return None;
            }
            match span.is_live(slot) {
                true => (slot * size, size, USED),
                false => {
                    let end = (slot..capacity).find(|&slot| span.is_live(slot));
                    let end = end.unwrap_or(capacity);
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
