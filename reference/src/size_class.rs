//! Size classes: the block sizes to which the heap rounds small requests up.
//!
//! Up to 2 KiB the sizes are multiples of 16 bytes. So rounding wastes little,
//! and the last page of a block always holds a byte that the caller requested.
//! From there to
//! 8 KiB, each doubling has eight sizes. Above, the blocks are whole pages.

use crate::layout::{PAGE_SIZE, SPAN_SIZE};

/// The largest request that a size class serves, in bytes.
pub(crate) const LARGEST: usize = 32 << 10;

/// Number of classes.
pub(crate) const COUNT: usize = 128 + 8 + 8 + 6;

/// The numbers of a class that the heap computes with.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    /// 2^32 divided by the size, rounded up.
    inverse: u32,
    /// Bytes in a block: a multiple of 16, the alignment that `malloc` promises
    /// on 64-bit systems.
    pub size: u16,
    /// Number of blocks in a span.
    pub capacity: u16,
}

static CLASSES: [Class; COUNT] = {
    let mut classes = [const { of_size(16) }; COUNT];
    let mut class = 1;
    while class < COUNT {
        let before = classes[class - 1].size;
        classes[class] = of_size(match before {
            0..2048 => before + 16,
            2048..4096 => before + 256,
            4096..8192 => before + 512,
            _ => before + PAGE_SIZE as u16,
        });
        class += 1;
    }
    classes
};

const fn of_size(size: u16) -> Class {
    Class {
        inverse: (1u64 << 32).div_ceil(size as u64) as u32,
        size,
        capacity: (SPAN_SIZE / size as usize) as u16,
    }
}

/// The class of each request up to [`LARGEST`], in steps of 16 bytes.
static CLASS_OF: [u8; LARGEST / 16 + 1] = {
    let mut table = [0; LARGEST / 16 + 1];
    let (mut step, mut class) = (0, 0);
    while step < table.len() {
        if step * 16 > CLASSES[class].size as usize {
            class += 1;
        }
        table[step] = class as u8;
        step += 1;
    }
    table
};

impl Class {
    /// The slot that begins at an offset into a span, in bytes. It may be past the last
    /// slot.
    #[inline(always)]
    pub(crate) fn slot_at(self, offset: usize) -> Option<usize> {
        let slot = self.slot_of(offset);
        (slot * self.size as usize == offset).then_some(slot)
    }

    /// The slot that contains an offset; it may be past the last slot. This
    /// divides by a multiplication with the inverse; the assertion below says when that
    /// is exact.
    #[inline]
    pub(crate) fn slot_of(self, offset: usize) -> usize {
        ((offset as u64 * u64::from(self.inverse)) >> 32) as usize
    }
}

/// The class with this number.
#[inline]
pub(crate) fn get(class: usize) -> Option<Class> {
    CLASSES.get(class).copied()
}

/// The smallest class that holds `size` bytes; `size` is at most [`LARGEST`].
#[inline]
pub(crate) fn of(size: usize) -> usize {
    CLASS_OF[size.div_ceil(16)] as usize
}

/// Bytes in a block of a class.
#[inline]
pub(crate) fn size(class: usize) -> usize {
    CLASSES[class].size as usize
}

// The inverse is too large by less than 1 in 2^32 / error. For an offset below that, no
// quotient is rounded up.
const _: () = {
    let mut class = 0;
    while class < COUNT {
        let Class { inverse, size, .. } = CLASSES[class];
        let error = inverse as u64 * size as u64 - (1 << 32);
        assert!((SPAN_SIZE as u64 - 1) * error < 1 << 32);
        class += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 16)]
    #[case(1, 16)]
    #[case(16, 16)]
    #[case(17, 32)]
    #[case(129, 144)]
    #[case(2048, 2048)]
    #[case(2049, 2304)]
    #[case(4097, 4608)]
    #[case(8191, 8192)]
    #[case(8192, 8192)]
    #[case(8193, 12_288)]
    #[case(32_768, 32_768)]
    fn a_request_gets_the_smallest_class_that_holds_it(
        #[case] request: usize,
        #[case] block: usize,
    ) {
        assert_eq!(size(of(request)), block);
    }

    #[test]
    fn every_class_is_aligned_and_larger_than_the_one_before() {
        assert!(CLASSES.iter().all(|class| class.size % 16 == 0));
        assert!(CLASSES.windows(2).all(|pair| pair[0].size < pair[1].size));
        assert_eq!(size(COUNT - 1), LARGEST);
    }

    #[test]
    fn a_slot_begins_at_its_offset_only() {
        let class = get(2).unwrap();
        assert_eq!(class.slot_at(48 * 5460), Some(5460));
        assert_eq!(class.slot_at(16), None);
    }

    #[test]
    fn the_division_is_exact() {
        for class in CLASSES {
            for offset in (0..SPAN_SIZE).step_by(16) {
                for offset in [offset, offset + 15] {
                    assert_eq!(class.slot_of(offset), offset / class.size as usize);
                }
            }
        }
    }
}
