//! Size classes: the block sizes that small requests are rounded up to.

use crate::span::SPAN_SIZE;

/// Block sizes in bytes. Up to 128 in steps of 16, then four to a doubling,
/// then as many blocks to a span as fit. All are multiples of 16, which is
/// the alignment that `malloc` promises on 64-bit systems.
pub const SIZES: [u32; 38] = [
    16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1024,
    1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192, 9360, 10912, 13104,
    16384, 21840, 32768,
];

/// The largest request that is served from a size class, in bytes.
pub const LARGEST: usize = 32768;

/// How many classes there are.
pub const COUNT: usize = SIZES.len();

/// Requests up to [`LARGEST`] in steps of 16 bytes, each with its class.
static CLASS_OF: [u8; LARGEST / 16 + 1] = {
    let mut table = [0; LARGEST / 16 + 1];
    let (mut step, mut class) = (0, 0);
    while step < table.len() {
        if step * 16 > SIZES[class] as usize {
            class += 1;
        }
        table[step] = class as u8;
        step += 1;
    }
    table
};

/// The smallest class that holds `size` bytes; `size` is at most [`LARGEST`].
pub fn of(size: usize) -> usize {
    CLASS_OF[size.div_ceil(16)] as usize
}

/// How many blocks of a class fit in a span.
pub fn capacity(class: usize) -> usize {
    SPAN_SIZE / SIZES[class] as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 16)]
    #[case(1, 16)]
    #[case(16, 16)]
    #[case(17, 32)]
    #[case(128, 128)]
    #[case(129, 160)]
    #[case(8193, 9360)]
    #[case(32767, 32768)]
    #[case(32768, 32768)]
    fn a_request_gets_the_smallest_class_that_holds_it(#[case] size: usize, #[case] block: u32) {
        assert_eq!(SIZES[of(size)], block);
    }

    #[test]
    fn every_class_is_aligned_and_larger_than_the_one_before() {
        assert!(SIZES.iter().all(|size| size % 16 == 0));
        assert!(SIZES.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(SIZES[COUNT - 1] as usize, LARGEST);
    }
}
