//! The heap as the allocator of a Rust program, and the three questions that a program
//! has of it: give memory back, is the heap sound, which blocks are live.
//!
//! ```
//! use heapmin_reference::global_alloc::{HeapminAlloc, blocks, heapchk, heapmin};
//! use heapmin_reference::heapchk::Condition;
//!
//! #[global_allocator]
//! static HEAP: HeapminAlloc = HeapminAlloc;
//!
//! let kept = vec![7u8; 1000];
//! drop(vec![1u8; 64 << 20]);
//! assert!(heapmin(), "the 64 MiB are the system's again");
//! assert_eq!(heapchk(), Condition::Sound);
//! let of_kept = blocks().find(|block| block.address.cast_const() == kept.as_ptr());
//! assert!(of_kept.unwrap().size >= 1000);
//! ```
//!
//! It is tested on Linux.

use crate::alignment::Alignment;
use crate::clear::clear;
use crate::entry::Entry;
use crate::heap::Block;
use crate::heapchk::Condition;
use crate::misuse;
use crate::routines::process::heap;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

/// The heap of the process as a [`GlobalAlloc`]. It is the heap of the C routines too:
/// `free` of C and `dealloc` take each other's blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeapminAlloc;

/// Every block has this alignment.
const NATURAL: usize = 16;

// SAFETY: blocks do not overlap, have the size and the alignment of their layout, and stay
// where they are until they are freed. No call here unwinds.
unsafe impl GlobalAlloc for HeapminAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocate(layout).map_or(ptr::null_mut(), |block| block.address)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(block) = allocate(layout) else {
            return ptr::null_mut();
        };
        if block.old_bytes {
            clear(block.address, layout.size());
        }
        block.address
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        heap().free(block);
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() <= NATURAL
            && let Some(live) = heap().locate(block)
        {
            let new = heap().reallocate(live, size, Alignment::NATURAL);
            return new.unwrap_or(ptr::null_mut());
        }
        if heap().resize_in_place(block, size) {
            return block;
        }
        let Some(new) = heap().allocate_at_multiple(size, layout.align()) else {
            return ptr::null_mut();
        };
        // SAFETY: two live blocks of at least that many bytes.
        unsafe { ptr::copy_nonoverlapping(block, new.address, layout.size().min(size)) };
        heap().free(block);
        new.address
    }
}

fn allocate(layout: Layout) -> Option<Block> {
    match layout.align() {
        ..=NATURAL => heap().allocate(layout.size()),
        align => heap().allocate_at_multiple(layout.size(), align),
    }
}

/// Gives every page without a live block back to the system. Returns false if the
/// system refused one; the next call tries it again. C programs call it `_heapmin`.
pub fn heapmin() -> bool {
    misuse::settle();
    misuse::heap_in_use().minimise()
}

/// Checks the records of the heap. C programs call it `_heapchk`.
pub fn heapchk() -> Condition {
    misuse::settle();
    misuse::heap_in_use().check()
}

/// The live blocks in the order of their addresses. C programs call it `_heapwalk`.
///
/// No lock is held between two blocks, so the program may allocate and free meanwhile. A
/// block that is allocated meanwhile may be missing, and the iteration may end early if the
/// block that it returned last is freed.
pub fn blocks() -> impl Iterator<Item = Entry> {
    let mut at = ptr::null();
    core::iter::from_fn(move || {
        let entry = misuse::used_after(at)?;
        at = entry.address;
        Some(entry)
    })
}
