//! The history of the memory that was in blocks, in units of 16 bytes and in pages.

use crate::wire::coverage::{Value, Values};
use std::collections::HashMap;

const UNIT: usize = 16;
const PAGE: usize = 4096;
/// The part of the address space that one entry of the index covers.
const REGION: usize = 1 << 20;
/// Memory in more regions has no history.
const REGIONS: usize = 2048;
/// How much of a block is followed, in bytes: its start.
const FOLLOWED: usize = 128 << 20;

/// A block wrote the unit and was freed, moved or cut off.
const TOUCHED: u16 = 1 << 15;
/// The last block there left other bytes than 0.
const DIRTY: u16 = 1 << 14;
/// The greatest number of releases that a unit can note; the other bits are this number.
pub(super) const MOST_RELEASES: u16 = DIRTY - 1;

/// The history of all memory that was in blocks.
pub(super) struct Memory {
    /// Where the notes of a region are.
    index: HashMap<usize, usize>,
    /// For each unit its state, with the number of releases before it was given up.
    units: Vec<u16>,
    /// For each page the threads that had a block there, as bits.
    pages: Vec<u32>,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory {
            index: HashMap::with_capacity(REGIONS),
            // Zeros, which the system provides when they are first written.
            units: vec![0; REGIONS * (REGION / UNIT)],
            pages: vec![0; REGIONS * (REGION / PAGE)],
        }
    }

    /// The history of memory for a block that `thread` gets there.
    pub(super) fn history(
        &mut self,
        address: usize,
        size: usize,
        releases: u16,
        thread: u32,
    ) -> Values {
        let (mut is_touched, mut is_used, mut was_released) = (false, false, false);
        let mut threads = 0;
        self.each(address, size, |units, pages| {
            for unit in units {
                is_touched |= *unit != 0;
                if *unit & DIRTY != 0 {
                    let is_older = *unit & MOST_RELEASES != releases;
                    was_released |= is_older;
                    is_used |= !is_older;
                }
            }
            threads |= pages.iter().fold(0, |all, page| all | *page);
        });
        let mut values = Values::default();
        let mut note = |condition: bool, value| {
            if condition {
                values = values.with(Values::of(value));
            }
        };
        note(!is_touched && size > 0, Value::Fresh);
        note(is_used, Value::Used);
        note(was_released, Value::Released);
        note(threads & !bit(thread) != 0, Value::OtherThread);
        values
    }

    /// Notes that a block of this thread is there.
    pub(super) fn occupy(&mut self, address: usize, size: usize, thread: u32) {
        self.each(address, size, |_, pages| {
            pages.iter_mut().for_each(|page| *page |= bit(thread));
        });
    }

    /// Notes that the memory is in no block any more.
    pub(super) fn give_up(&mut self, address: usize, size: usize, is_dirty: bool, releases: u16) {
        self.each(address, size, |units, _| match is_dirty {
            true => units.fill(TOUCHED | DIRTY | releases),
            false => units.iter_mut().for_each(|unit| *unit &= !DIRTY),
        });
    }

    /// Calls `act` with the units and the pages of each region that the block has a part in.
    fn each(&mut self, address: usize, size: usize, mut act: impl FnMut(&mut [u16], &mut [u32])) {
        let end = address + size.min(FOLLOWED);
        let mut start = address;
        while start < end {
            let region = start / REGION;
            let stop = end.min((region + 1) * REGION);
            let next = self.index.len();
            let place = *self.index.entry(region).or_insert(next);
            if place >= REGIONS {
                self.index.remove(&region);
                return;
            }
            let (from, to) = (start - region * REGION, stop - region * REGION);
            let part = |of: usize| {
                let first = place * (REGION / of);
                first + from / of..first + to.div_ceil(of)
            };
            act(&mut self.units[part(UNIT)], &mut self.pages[part(PAGE)]);
            start = stop;
        }
    }
}

fn bit(thread: u32) -> u32 {
    1 << (thread % 32)
}

/// Whether one of the first bytes of a live block is not 0.
pub(super) fn is_dirty(address: usize, size: usize) -> bool {
    /// More bytes would cost time: a block is filled as a whole.
    const READ: usize = 256;
    if size == 0 {
        return false;
    }
    // SAFETY: the bytes belong to a live block of this size.
    let bytes = unsafe { std::slice::from_raw_parts(address as *const u8, size.min(READ)) };
    bytes.iter().any(|byte| *byte != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_remembers_what_was_there() {
        let mut memory = Memory::new();
        let address = 3 * REGION - 4 * PAGE;
        let size = 8 * PAGE;
        assert_eq!(memory.history(address, size, 0, 0), [Value::Fresh].into());
        memory.occupy(address, size, 0);
        memory.give_up(address, size, true, 0);
        assert_eq!(memory.history(address, size, 0, 0), [Value::Used].into());
        let later = [Value::Released, Value::OtherThread].into();
        assert_eq!(memory.history(address, size, 1, 5), later);
        memory.give_up(address, size, false, 1);
        assert_eq!(memory.history(address, size, 1, 0), Values::default());
        assert_eq!(
            memory.history(address + size, 100, 1, 0),
            [Value::Fresh].into()
        );
    }
}
