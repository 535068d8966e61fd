//! `_heapmin`: gives every page without a live block back to the system.
//!
//! Three rules make it exact and cheap:
//!
//! * Only where something was freed since the last call is looked at: `free`
//!   leaves a bit for the span, and a flag for the arena.
//! * A page goes exactly when no live block has a byte in it. The bitmap of
//!   the span tells; whatever the neighbours do is of no interest.
//! * When nothing lives in a chunk any more, its records go with it.
//!
//! A page that the system refuses to take stays marked, so the next call
//! tries it again, and no block is ever the worse for it.

use crate::arena::{Arena, CHUNK_SIZE, CHUNK_SPANS, Chunk};
use crate::heap::Heap;
use crate::os;
use crate::span::{page_runs, pages_of};

impl Heap {
    /// Gives every page without a live block back to the system. Returns
    /// false if the system refused any; those are tried again next time.
    pub fn minimise(&mut self) -> bool {
        let mut all = true;
        for arena in self.arenas.iter_mut().flatten() {
            all &= arena.minimise();
        }
        all
    }
}

impl Arena {
    fn minimise(&mut self) -> bool {
        if !self.touched {
            return true;
        }
        let mut all = true;
        for index in 0..self.top {
            if self.chunk(index).touched != 0 {
                all &= self.minimise_chunk(index);
            }
        }
        self.touched = !all;
        all
    }

    fn minimise_chunk(&mut self, index: usize) -> bool {
        let chunk = self.chunk(index);
        if chunk.used == 0 {
            return self.release_chunk(index);
        }
        if chunk.huge_bytes != 0 {
            return self.release_after_huge(index, chunk.huge_bytes);
        }
        let (mut touched, mut all) = (chunk.touched, true);
        while touched != 0 {
            let bit = touched.trailing_zeros() as usize;
            touched &= touched - 1;
            if self.minimise_span(index * CHUNK_SPANS + bit) {
                self.chunk_mut(index).touched &= !(1 << bit);
            } else {
                all = false;
            }
        }
        all
    }

    /// Gives back those pages of a span in which nothing lives.
    fn minimise_span(&mut self, span: usize) -> bool {
        let record = self.span(span);
        let idle = record.resident & !record.live_pages(self.page);
        let mut all = true;
        for (first, count) in page_runs(idle) {
            if self.release(span, first * self.page, count * self.page) {
                self.span_mut(span).resident &= !pages_of(first, count, 1);
            } else {
                all = false;
            }
        }
        all
    }

    /// Gives back a chunk in which nothing lives, and its records with it.
    fn release_chunk(&mut self, index: usize) -> bool {
        if !self.release(index * CHUNK_SPANS, 0, CHUNK_SIZE) {
            return false;
        }
        // The pages are gone. The records must say so even if they stay, or
        // the next owner would write where nothing is committed.
        self.forget_resident_pages(index);
        if self.chunk(index).has_records {
            let (records, len) = self.own_records(index);
            // SAFETY: records of this chunk only, which read as fresh when they are zero.
            if len != 0 && !unsafe { os::release(records, len) } {
                return false;
            }
        }
        *self.chunk_mut(index) = Chunk::default();
        true
    }

    /// Gives back what lies behind the end of a huge block in its last chunk.
    fn release_after_huge(&mut self, index: usize, huge_bytes: usize) -> bool {
        let live = huge_bytes.next_multiple_of(self.page);
        let done = self.release(index * CHUNK_SPANS, live, CHUNK_SIZE - live);
        if done {
            self.chunk_mut(index).touched = 0;
        }
        done
    }

    /// Gives back pages from `offset` on in a span or in the chunk it begins.
    fn release(&mut self, span: usize, offset: usize, len: usize) -> bool {
        let base = self.address(span).wrapping_add(offset);
        // SAFETY: the callers pass whole pages inside the arena that hold no live block.
        len == 0 || unsafe { os::release(base, len) }
    }
}
