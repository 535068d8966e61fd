//! Size classes: the block sizes that small requests are rounded up to.
//!
//! Up to 2 KiB they go in steps of 16 bytes, so that next to nothing is lost
//! to rounding, and so that the last page of a block always holds a byte that
//! was asked for. Then there are eight to a doubling.

use crate::span::SPAN_SIZE;

/// The largest request that is served from a size class, in bytes.
pub(crate) const LARGEST: usize = 8192;

/// How many classes there are.
pub(crate) const COUNT: usize = 128 + 8 + 8;

/// What the heap reckons with for a class.
#[derive(Clone, Copy)]
pub(crate) struct Class {
    /// 2^32 divided by the size, rounded up.
    inverse: u32,
    /// Bytes in a block: a multiple of 16, which is the alignment that `malloc`
    /// promises on 64-bit systems.
    pub size: u16,
    /// Blocks in a span.
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
            _ => before + 512,
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

/// Requests up to [`LARGEST`] in steps of 16 bytes, each with its class.
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
    /// The slot that begins at an offset into a span. A division, made from a
    /// multiplication; exact since the offset times the size is below 2^32.
    #[inline]
    pub(crate) fn slot_at(self, offset: usize) -> Option<usize> {
        let slot = self.slot_of(offset);
        (slot * self.size as usize == offset && slot < self.capacity as usize).then_some(slot)
    }

    /// The slot in which an offset lies, or would lie if there were more of them.
    #[inline]
    pub(crate) fn slot_of(self, offset: usize) -> usize {
        ((offset as u64 * u64::from(self.inverse)) >> 32) as usize
    }
}

/// A class by its number.
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

const _: () = assert!(SPAN_SIZE * LARGEST < 1 << 32);

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
        assert_eq!(
            class.slot_at(48 * 5461),
            None,
            "it would end behind the span"
        );
        assert_eq!(class.slot_at(16), None);
    }

    #[test]
    fn the_division_is_exact() {
        for class in CLASSES {
            for offset in (0..=SPAN_SIZE).step_by(16) {
                for offset in [offset, offset + 15] {
                    assert_eq!(class.slot_of(offset), offset / class.size as usize);
                }
            }
        }
    }
}
