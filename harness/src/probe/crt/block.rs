//! A block of the candidate, and the bytes in it.

use std::ffi::c_void;
use std::ptr;

/// A block of the candidate: its address and its requested size.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    address: *mut u8,
    size: usize,
}

// SAFETY: memory of the process. Any thread may use it, and a block has one owner at a time.
unsafe impl Send for Block {}

impl Block {
    /// A block at an address that was recorded, or that no routine returned.
    pub fn at(address: usize, size: usize) -> Block {
        Block {
            address: address as *mut u8,
            size,
        }
    }

    /// The null pointer, for routines that accept one.
    pub const fn null() -> Block {
        Block {
            address: ptr::null_mut(),
            size: 0,
        }
    }

    /// The block that a routine returned; `None` for null.
    pub(super) fn given(address: *mut c_void, size: usize) -> Option<Block> {
        (!address.is_null()).then_some(Block {
            address: address.cast(),
            size,
        })
    }

    pub(super) fn pointer(&self) -> *mut c_void {
        self.address.cast()
    }

    /// A second handle of the same block, for forbidden calls such as a second `free`.
    pub fn again(&self) -> Block {
        Block {
            address: self.address,
            size: self.size,
        }
    }

    /// The same block with another size.
    pub fn with_size(self, size: usize) -> Block {
        Block { size, ..self }
    }

    /// The address of its first byte.
    pub fn address(&self) -> usize {
        self.address as usize
    }

    /// The requested size in bytes.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Writes every byte. Each `seed` has another pattern.
    pub fn fill(&mut self, seed: u64) {
        // A slice must not be longer. A block of that size does not exist, and writing it
        // ends the process.
        let size = self.size.min(isize::MAX as usize);
        // SAFETY: the candidate promised this many bytes.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.address, size) };
        let word = pattern(seed);
        let (lines, rest) = bytes.as_chunks_mut::<LINE>();
        lines.fill(line(word));
        rest.copy_from_slice(&line(word)[..rest.len()]);
    }

    /// The number of bytes that differ from what [`Block::fill`] wrote.
    pub fn lost_bytes(&self, seed: u64) -> usize {
        self.lost_bytes_of(seed, self.size)
    }

    /// The number of bytes among the first `count` that differ from what [`Block::fill`]
    /// wrote. Bytes after the block's end do not count.
    pub fn lost_bytes_of(&self, seed: u64, count: usize) -> usize {
        differences(self.bytes(0, count), pattern(seed))
    }

    /// The number of bytes from index `start` on that differ from `value`.
    pub fn bytes_other_than(&self, value: u8, start: usize) -> usize {
        differences(self.bytes(start, self.size), [value; 8])
    }

    /// Writes one byte, also after the block's end, for forbidden writes.
    pub fn write_byte(&mut self, offset: usize, value: u8) {
        // SAFETY: memory of the candidate; the case provokes damage on purpose.
        unsafe { self.address.add(offset).write_volatile(value) };
    }

    /// Reads one byte.
    pub fn read_byte(&self, offset: usize) -> u8 {
        assert!(offset < self.size, "a byte of this block");
        // SAFETY: the candidate promised this many bytes.
        unsafe { self.address.add(offset).read_volatile() }
    }

    /// The bytes from index `start` to index `end`, cut at the block's end.
    fn bytes(&self, start: usize, end: usize) -> &[u8] {
        let end = end.min(self.size);
        let length = end.saturating_sub(start).min(isize::MAX as usize);
        if length == 0 {
            return &[];
        }
        // SAFETY: the candidate promised `size` bytes, and these are some of them.
        unsafe { std::slice::from_raw_parts(self.address.add(start), length) }
    }
}

/// Bytes that are compared at once. Most of them are as written.
pub(super) const LINE: usize = 64;

/// The word, repeated.
fn line(word: [u8; 8]) -> [u8; LINE] {
    std::array::from_fn(|index| word[index % 8])
}

/// The number of bytes that differ from the repeated word.
fn differences(bytes: &[u8], word: [u8; 8]) -> usize {
    let expected = line(word);
    let differ = |part: &[u8]| part.iter().zip(expected).filter(|(a, b)| *a != b).count();
    let (lines, rest) = bytes.as_chunks::<LINE>();
    let changed = lines.iter().filter(|line| **line != expected);
    differ(rest) + changed.map(|line| differ(line)).sum::<usize>()
}

/// Eight bytes, none of them zero, that differ from seed to seed.
fn pattern(seed: u64) -> [u8; 8] {
    let mixed = (seed.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed | 0x0101_0101_0101_0101).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_a_block_are_read_whatever_size_was_requested() {
        let bytes = [0u8; 8];
        let block = Block::at(bytes.as_ptr() as usize, usize::MAX - 30);
        assert_eq!(block.lost_bytes_of(7, 8), 8);
    }

    #[test]
    fn every_changed_byte_is_counted() {
        let mut bytes = [0u8; 157];
        let mut block = Block::at(bytes.as_mut_ptr() as usize, bytes.len());
        block.fill(7);
        assert_eq!(block.lost_bytes(7), 0);
        assert!(block.lost_bytes(8) > 0);
        for index in [0, 9, 70, 156] {
            block.write_byte(index, 0);
        }
        assert_eq!(block.lost_bytes(7), 4);
        assert_eq!(block.lost_bytes_of(7, 156), 3);
        assert_eq!(block.lost_bytes_of(7, 70), 2);
        assert_eq!(block.bytes_other_than(0, 9), 145);
        assert_eq!(block.read_byte(156), 0);
    }
}
