//! `_heapset`: fills what `_heapwalk` names as free, so that a later write
//! there shows.

use crate::entry::{Entry, FREE};
use crate::heap::{Heap, Whole};
use crate::heapwalk::Next;
use crate::shard::make_resident;
use crate::span::pages_of;
use core::ptr;

impl Heap {
    /// Fills every free entry with `byte`. Returns false if the system has no
    /// memory for one of them; those behind it are filled all the same.
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
        let (arena, _) = self.arena.as_ref()?;
        let (span, offset) = arena.find(entry.address)?;
        // For `_heapmin`, which takes these pages away again.
        arena.touch(span);
        make_resident(span, pages_of(offset, entry.size), false)?;
        // SAFETY: free slots or pages of one span, which were just made usable.
        unsafe { ptr::write_bytes(entry.address, byte, entry.size) };
        Some(())
    }
}
