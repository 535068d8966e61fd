//! `_heapset`: fills what `_heapwalk` names as free, so that a later write
//! there shows.

use crate::entry::{Entry, FREE};
use crate::heap::Heap;
use crate::heapwalk::Next;
use core::ptr;

impl Heap {
    /// Fills every free entry with `byte`. Returns false if the system has no
    /// memory for one of them; those behind it are filled all the same.
    pub fn fill_free(&mut self, byte: u8) -> bool {
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
        let (index, span, offset) = self.find(entry.address)?;
        let arena = self.arena(index);
        // For `_heapmin`, which takes these pages away again.
        arena.touch(span);
        arena.make_resident(span, offset, entry.size)?;
        // SAFETY: free slots of one span, whose pages were just made usable.
        unsafe { ptr::write_bytes(entry.address, byte, entry.size) };
        Some(())
    }
}
