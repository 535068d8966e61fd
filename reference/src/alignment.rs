//! What may be asked of a block's address.
//!
//! An aligned block is an ordinary one with room to move in: it begins at the
//! first address of its place that is as asked. No header is written, for the
//! records tell from any address which block it lies in.

/// `(address + offset)` is a multiple of `alignment`.
#[derive(Clone, Copy, Debug)]
pub struct Alignment {
    alignment: usize,
    offset: usize,
}

impl Alignment {
    /// What every block has without asking.
    pub(crate) const NATURAL: Alignment = Alignment {
        alignment: 16,
        offset: 0,
    };

    /// `None` if `alignment` is not a power of two. One smaller than a
    /// pointer is rounded up to it.
    pub fn new(alignment: usize, offset: usize) -> Option<Alignment> {
        alignment.is_power_of_two().then_some(Alignment {
            alignment: alignment.max(size_of::<usize>()),
            offset,
        })
    }

    /// Bytes from an address to the next one that is as asked.
    pub(crate) fn gap(self, address: *const u8) -> usize {
        let wanted = (address as usize).wrapping_add(self.offset);
        wanted.wrapping_neg() & (self.alignment - 1)
    }

    /// The widest gap behind an address that is a multiple of 16, as the
    /// beginning of every place for a block is.
    pub(crate) fn room(self) -> usize {
        let unevenness = self.offset.wrapping_neg() & (self.alignment - 1) & 15;
        self.alignment.saturating_sub(16) + unevenness
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn no_gap_is_wider_than_the_room(
        #[values(1, 8, 16, 32, 4096)] alignment: usize,
        #[values(0, 1, 5, 8, 16, 40, 5000)] offset: usize,
    ) {
        let asked = Alignment::new(alignment, offset).unwrap();
        let gaps = (0..8192).step_by(16).map(|address| {
            let gap = asked.gap(address as *const u8);
            assert_eq!((address + gap + offset) % alignment.max(8), 0);
            gap
        });
        assert_eq!(gaps.max(), Some(asked.room()));
    }

    #[rstest]
    fn only_powers_of_two_will_do(#[values(0, 3, 24, usize::MAX)] alignment: usize) {
        assert!(Alignment::new(alignment, 0).is_none());
    }
}
