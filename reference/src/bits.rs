//! Runs of set bits in a word. One search serves spans in a group, pages in a
//! span, and lines of bitmap in a page.

/// Number of bits in a word.
pub(crate) const BITS: usize = 64;

/// A word in which `count` bits (0 to 64) are set, from bit `first` upwards.
#[inline]
pub(crate) const fn run(first: usize, count: usize) -> u64 {
    match count {
        0 => 0,
        _ => (!0 >> (BITS - count)) << first,
    }
}

/// The lowest bit from which `count` bits (1 to 64) in a row are set.
pub(crate) fn find_run(bits: u64, count: usize) -> Option<usize> {
    let starts = starts_of_runs(bits, count);
    (starts != 0).then(|| starts.trailing_zeros() as usize)
}

/// The logarithm to base 2, rounded down, of the length of the longest run of
/// set bits: 3 for a run of 8 to 15. `None` if no bit is set.
pub(crate) fn log2_of_longest_run(bits: u64) -> Option<usize> {
    // A bit of `starts` is set if 2^log2 bits are set from there upwards.
    let (mut starts, mut log2) = (bits, 0);
    while log2 < 6 && starts & (starts >> (1 << log2)) != 0 {
        starts &= starts >> (1 << log2);
        log2 += 1;
    }
    (bits != 0).then_some(log2)
}

/// The bits from which `count` bits in a row are set.
fn starts_of_runs(bits: u64, count: usize) -> u64 {
    let (mut starts, mut have) = (bits, 1);
    while have < count && starts != 0 {
        let step = have.min(count - have);
        starts &= starts >> step;
        have += step;
    }
    starts
}

/// The runs of set bits, lowest first: first bit and number of bits.
pub(crate) fn runs(mut bits: u64) -> impl Iterator<Item = (usize, usize)> {
    core::iter::from_fn(move || {
        if bits == 0 {
            return None;
        }
        let first = bits.trailing_zeros() as usize;
        let count = (bits >> first).trailing_ones() as usize;
        bits &= !run(first, count);
        Some((first, count))
    })
}

/// The numbers of the set bits, lowest first.
pub(crate) fn ones(mut bits: u64) -> impl Iterator<Item = usize> {
    core::iter::from_fn(move || {
        let bit = (bits != 0).then(|| bits.trailing_zeros() as usize);
        bits &= bits.wrapping_sub(1);
        bit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(!0, 64, Some(0))]
    #[case(!1, 64, None)]
    #[case(!1, 63, Some(1))]
    #[case(0b1011_0111, 3, Some(0))]
    #[case(0b1011_0110, 3, None)]
    #[case(0b1_1110_0110, 3, Some(5))]
    #[case(0, 1, None)]
    fn a_run_is_found_at_the_lowest_place(
        #[case] bits: u64,
        #[case] count: usize,
        #[case] place: Option<usize>,
    ) {
        assert_eq!(find_run(bits, count), place);
    }

    #[rstest]
    #[case(0, None)]
    #[case(1 << 63, Some(0))]
    #[case(0b1011_0111, Some(1))]
    #[case(0b1111_0111, Some(2))]
    #[case(!0 >> 1, Some(5))]
    #[case(!0, Some(6))]
    fn the_log2_of_the_longest_run_is_found(#[case] bits: u64, #[case] log2: Option<usize>) {
        assert_eq!(log2_of_longest_run(bits), log2);
    }

    #[test]
    fn runs_and_ones_are_found_lowest_first() {
        let found: Vec<_> = runs(0b1110_0100_0000_1011).collect();
        assert_eq!(found, [(0, 2), (3, 1), (10, 1), (13, 3)]);
        assert_eq!(runs(!0).collect::<Vec<_>>(), [(0, 64)]);
        assert_eq!(ones(0b1001_0010).collect::<Vec<_>>(), [1, 4, 7]);
    }
}
