//! Runs of bits in a word. Spans in a group, pages in a span and lines of
//! bitmap in a page are all handed out by the same search.

/// Bits in a word.
pub(crate) const BITS: usize = 64;

/// `count` bits (0 to 64) from `first` on.
#[inline]
pub(crate) const fn run(first: usize, count: usize) -> u64 {
    match count {
        0 => 0,
        _ => (!0 >> (BITS - count)) << first,
    }
}

/// The lowest place where `count` bits (1 to 64) are set one after another.
pub(crate) fn find_run(bits: u64, count: usize) -> Option<usize> {
    let starts = starts_of_runs(bits, count);
    (starts != 0).then(|| starts.trailing_zeros() as usize)
}

/// The power of two that the longest run of set bits reaches: 3 if 8 to 15 are
/// set one after another, and nowhere 16. `None` if no bit is set.
pub(crate) fn log2_of_longest_run(bits: u64) -> Option<usize> {
    // In each round, bits from which on twice as many are set.
    let (mut starts, mut log2) = (bits, 0);
    while log2 < 6 && starts & (starts >> (1 << log2)) != 0 {
        starts &= starts >> (1 << log2);
        log2 += 1;
    }
    (bits != 0).then_some(log2)
}

/// The bits from which on `count` are set.
fn starts_of_runs(bits: u64, count: usize) -> u64 {
    let (mut starts, mut have) = (bits, 1);
    while have < count && starts != 0 {
        let step = have.min(count - have);
        starts &= starts >> step;
        have += step;
    }
    starts
}

/// The runs of set bits, from the lowest on: first bit and number of bits.
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

/// The numbers of the set bits, from the lowest on.
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
    fn the_longest_run_is_found(#[case] bits: u64, #[case] log2: Option<usize>) {
        assert_eq!(log2_of_longest_run(bits), log2);
    }

    #[test]
    fn runs_are_as_long_as_they_can_be() {
        let found: Vec<_> = runs(0b1110_0100_0000_1011).collect();
        assert_eq!(found, [(0, 2), (3, 1), (10, 1), (13, 3)]);
        assert_eq!(runs(!0).collect::<Vec<_>>(), [(0, 64)]);
        assert_eq!(ones(0b1001_0010).collect::<Vec<_>>(), [1, 4, 7]);
    }
}
