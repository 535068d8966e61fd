//! The alignment that a caller requests for a block.
//!
//! An aligned block lies inside an ordinary block that has `room` for it: it
//! begins at the first address there that satisfies the alignment. It needs no
//! header, because the records give the block that contains any address.

/// A rule for the address of a block: `address + offset` is a multiple of
/// `alignment`.
#[derive(Clone, Copy, Debug)]
pub struct Alignment {
    alignment: usize,
    offset: usize,
}

impl Alignment {
    /// The alignment of every block: a multiple of 16.
    pub(crate) const NATURAL: Alignment = Alignment {
        alignment: 16,
        offset: 0,
    };

    /// Returns `None` if `alignment` is not a power of two. An alignment smaller
    /// than a pointer is rounded up to the size of a pointer.
    pub fn new(alignment: usize, offset: usize) -> Option<Alignment> {
        alignment.is_power_of_two().then_some(Alignment {
            alignment: alignment.max(size_of::<usize>()),
            offset,
        })
    }

    /// The rule for the address that is `distance` bytes before.
    pub(crate) fn before(self, distance: usize) -> Alignment {
        Alignment {
            offset: self.offset.wrapping_add(distance),
            ..self
        }
    }

    /// Bytes from an address to the next address that satisfies the rule.
    pub(crate) fn gap(self, address: *const u8) -> usize {
        let wanted = (address as usize).wrapping_add(self.offset);
        wanted.wrapping_neg() & (self.alignment - 1)
    }

    /// The largest gap, in bytes, from an address that is a multiple of 16.
    /// Every ordinary block begins at such an address.
    pub(crate) fn room(self) -> usize {
        let misalignment = self.offset.wrapping_neg() & (self.alignment - 1) & 15;
        self.alignment.saturating_sub(16) + misalignment
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn the_room_is_the_largest_gap(
        #[values(1, 8, 16, 32, 4096)] alignment: usize,
        #[values(0, 1, 5, 8, 16, 40, 5000)] offset: usize,
    ) {
        let asked = Alignment::new(alignment, offset).unwrap();
        let gaps = (0..8192).step_by(16).map(|address| {
            let gap = asked.gap(address as *const u8);
            assert_eq!(
                (address + gap + offset) % alignment.max(size_of::<usize>()),
                0
            );
            gap
        });
        assert_eq!(gaps.max(), Some(asked.room()));
    }

    #[rstest]
    fn an_alignment_must_be_a_power_of_two(#[values(0, 3, 24, usize::MAX)] alignment: usize) {
        assert!(Alignment::new(alignment, 0).is_none());
    }
}
