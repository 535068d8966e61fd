//! `_heapset`: fills the free entries of the heap with a byte, so that a program
//! can detect later writes to them.

use crate::entry::{Entry, FREE};
use crate::heap::Heap;
use crate::heapwalk::Next;
use crate::layout::pages_of;
use crate::shard::make_resident;
use crate::whole::Whole;
use core::ptr;

impl Heap {
    /// Fills every free entry with `byte`. Returns false if the system has no
    /// memory for one of them; the other entries are filled nevertheless.
    pub fn fill_free(&self, byte: u8) -> bool {
        self.lock_all().fill_free(byte)
    }
}

impl Whole<'_> {
    /// See [`Heap::fill_free`].
    pub(crate) fn fill_free(&mut self, byte: u8) -> bool {
        let mut all = true;
        let mut at = ptr::null();
        while let Next::Entry(entry) = self.entry_after(at) {
            at = entry.address;
            if entry.use_flag == FREE {
                all &= self.fill(entry, byte).is_some();
            }
        }
        all
    }

    fn fill(&mut self, entry: Entry, byte: u8) -> Option<()> {
        let arena = self.space.arena;
        let (span, offset) = arena.find(entry.address)?;
        // The next `_heapmin` must give these pages back.
        arena.mark_dirty(span.index);
        make_resident(arena, span, pages_of(offset, entry.size), false)?;
        // SAFETY: free slots or pages of one span, just made usable.
        unsafe { ptr::write_bytes(entry.address, byte, entry.size) };
        Some(())
    }
}
