//! Where a thread leaves blocks that belong to another shard.
//!
//! Each of them would take the other shard's lock, and its records away from
//! the processor that works on them. So they go in batches.

use core::ptr;

/// Blocks in a batch.
const ROOM: usize = 32;

/// Blocks that were freed and wait to go home. They count as live until then.
pub struct Outbox {
    blocks: [*mut u8; ROOM],
    count: usize,
}

impl Outbox {
    /// An empty one.
    pub const fn new() -> Outbox {
        Outbox {
            blocks: [ptr::null_mut(); ROOM],
            count: 0,
        }
    }

    /// Adds a block. If that was the last place, all are to be sent home.
    pub fn add(&mut self, block: *mut u8) -> Option<Outbox> {
        self.blocks[self.count] = block;
        self.count += 1;
        (self.count == ROOM).then(|| self.take())
    }

    /// Empties it.
    pub fn take(&mut self) -> Outbox {
        core::mem::replace(self, Outbox::new())
    }

    /// What is in it.
    pub fn blocks(&self) -> &[*mut u8] {
        &self.blocks[..self.count]
    }
}
