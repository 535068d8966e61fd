//! Workloads: which blocks they allocate, and which of them they keep.

/// A workload that fills memory with blocks, frees most of them and calls
/// `_heapmin`.
#[derive(Debug)]
pub struct Workload {
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The smallest and the largest block, in bytes.
    pub sizes: (usize, usize),
    /// Which blocks are kept.
    pub kept: Kept,
}

/// Which blocks are live when `_heapmin` is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// No block.
    None,
    /// Every n-th block.
    Every(usize),
    /// A random one of n blocks, on average.
    OneOf(usize),
}

/// The fills.
pub static FILLS: [Workload; 5] = [
    Workload {
        name: "small",
        summary: "blocks of 64 bytes, all freed",
        sizes: (64, 64),
        kept: Kept::None,
    },
    Workload {
        name: "mixed",
        summary: "blocks of 16 to 2048 bytes, nine tenths freed",
        sizes: (16, 2048),
        kept: Kept::OneOf(10),
    },
    Workload {
        name: "kilobyte",
        summary: "blocks of 1 KiB, every 16th kept",
        sizes: (1024, 1024),
        kept: Kept::Every(16),
    },
    Workload {
        name: "medium",
        summary: "blocks of 16 to 116 KiB, every third kept",
        sizes: (16 << 10, 116 << 10),
        kept: Kept::Every(3),
    },
    Workload {
        name: "tiny",
        summary: "blocks of 32 bytes, every 1024th kept",
        sizes: (32, 32),
        kept: Kept::Every(1024),
    },
];

impl Workload {
    /// The sizes of its blocks, in bytes; their sum is `total` or a little more.
    pub fn block_sizes(&self, total: usize) -> Vec<u32> {
        let (smallest, largest) = self.sizes;
        let mut random = Random::new(1);
        let (mut sizes, mut sum) = (Vec::with_capacity(total / smallest), 0);
        while sum < total {
            let size = smallest + random.below(largest - smallest + 1);
            sizes.push(size as u32);
            sum += size;
        }
        sizes
    }

    /// For each of `count` blocks, whether it is kept.
    pub fn keeps(&self, count: usize) -> Vec<bool> {
        let mut random = Random::new(2);
        let keeps = |index: usize| match self.kept {
            Kept::None => false,
            Kept::Every(n) => index % n == 0,
            Kept::OneOf(n) => random.below(n) == 0,
        };
        (0..count).map(keeps).collect()
    }
}

/// A pseudo-random sequence that is the same in every run (xorshift).
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number below `limit`.
    #[inline]
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 16) % limit as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_reach_the_total_and_stay_in_their_range() {
        for workload in &FILLS {
            let sizes = workload.block_sizes(1 << 20);
            let (sum, largest) = (sizes.iter().sum::<u32>() as usize, workload.sizes.1);
            assert!(
                (1 << 20..(1 << 20) + largest).contains(&sum),
                "{}",
                workload.name
            );
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(*least as usize >= workload.sizes.0 && *most as usize <= largest);
        }
    }

    #[test]
    fn one_of_ten_keeps_about_a_tenth_and_every_nth_keeps_exactly_that() {
        let kept = FILLS[1]
            .keeps(100_000)
            .into_iter()
            .filter(|&kept| kept)
            .count();
        assert!((9_000..11_000).contains(&kept), "{kept}");
        assert_eq!(
            FILLS[4]
                .keeps(4096)
                .into_iter()
                .filter(|&kept| kept)
                .count(),
            4
        );
    }
}
