//! A walk over the whole heap, which looks for the blocks that a case allocated.

use heapmin_harness::probe::blocks::Blocks;
use heapmin_harness::probe::crt::{Block, Crt, HeapInfo};
use heapmin_harness::probe::{Probe, Stop};

pub(crate) const HEAP_EMPTY: i32 = -1;
pub(crate) const HEAP_OK: i32 = -2;
pub(crate) const HEAP_BAD_NODE: i32 = -4;
pub(crate) const HEAP_END: i32 = -5;
pub(crate) const HEAP_BAD_PTR: i32 = -6;
pub(crate) const USED_ENTRY: i32 = 1;
pub(crate) const FREE_ENTRY: i32 = 0;
/// A walk with more entries is taken for one without an end: no case leaves so
/// many entries in the heap.
pub(crate) const MOST_ENTRIES: i64 = 4_000_000;

pub(crate) const ENDED_WITH: &str = "_heapwalk ended with";
pub(crate) const ENTRIES: &str = "entries";
pub(crate) const LIVE: &str = "live blocks";
pub(crate) const FOUND_ONCE: &str = "found once";
pub(crate) const FOUND_TWICE: &str = "found more than once";
pub(crate) const TOO_SMALL: &str = "too small";
pub(crate) const FREED_IN_USE: &str = "freed blocks found in use";
pub(crate) const BAD_FLAGS: &str = "entries neither used nor free";
pub(crate) const OVERLAPPING: &str = "entries in use that overlap";
pub(crate) const ERRNO: &str = "errno after _heapwalk";

/// A block to look for.
struct Wanted {
    address: usize,
    size: usize,
    found: u32,
    is_live: bool,
}

/// The blocks that a walk must find in use, and those that it must not.
pub(crate) struct Search {
    wanted: Vec<Wanted>,
    /// Address and size of each entry in use, in the order of the walk.
    used: Vec<(usize, usize)>,
}

impl Search {
    /// A search in which the blocks of `more`, and those of `blocks` that
    /// `is_freed` does not select, must be in use, and the selected ones must
    /// not. It allocates its memory here, before the selected blocks are freed:
    /// the probe may live on the heap that it walks, and would reuse them.
    pub(crate) fn new(
        blocks: &Blocks,
        is_freed: impl Fn(usize) -> bool,
        more: &[&Block],
    ) -> Search {
        let in_table = blocks.live().map(|(index, block)| Wanted {
            is_live: !is_freed(index),
            ..Wanted::live(&block)
        });
        let more = more.iter().map(|block| Wanted::live(block));
        let mut wanted: Vec<Wanted> = in_table.chain(more).collect();
        wanted.sort_unstable_by_key(|block| block.address);
        // Room for the heap's other entries too.
        let used = Vec::with_capacity(wanted.len() + 100_000);
        Search { wanted, used }
    }

    /// A search for these live blocks that needs little memory: it does not look for
    /// entries that overlap.
    pub(crate) fn for_blocks(live: &[&Block]) -> Search {
        let mut wanted: Vec<Wanted> = live.iter().map(|block| Wanted::live(block)).collect();
        wanted.sort_unstable_by_key(|block| block.address);
        let used = Vec::new();
        Search { wanted, used }
    }

    /// Walks the heap from its start to its end.
    pub(crate) fn walk(&mut self, crt: &Crt) -> Result<Walked, Stop> {
        let mut info = HeapInfo::START;
        let mut walked = Walked::default();
        crt.set_errno(0);
        // From here to the end of the walk, the probe allocates nothing.
        walked.ended = loop {
            match crt.heapwalk(&mut info)? {
                HEAP_OK if walked.entries < MOST_ENTRIES => {}
                other => break other,
            }
            walked.entries += 1;
            match info.use_flag {
                USED_ENTRY => self.note(&info),
                FREE_ENTRY => {}
                _ => walked.bad_flags += 1,
            }
        };
        walked.errno = crt.errno();
        Ok(walked)
    }

    /// How many of the live blocks were found once.
    pub(crate) fn found_once(&self) -> i64 {
        let once = self.wanted.iter();
        once.filter(|block| block.is_live && block.found == 1)
            .count() as i64
    }

    fn note(&mut self, info: &HeapInfo) {
        let address = info.entry as usize;
        if self.used.len() < self.used.capacity() {
            self.used.push((address, info.size));
        }
        let found = self
            .wanted
            .binary_search_by_key(&address, |block| block.address);
        if let Ok(index) = found {
            let block = &mut self.wanted[index];
            block.found += 1;
            if block.is_live && info.size < block.size {
                // `report` counts the blocks with this size as too small.
                block.size = usize::MAX;
            }
        }
    }

    /// Records what the walk found.
    pub(crate) fn report(mut self, probe: &mut Probe, walked: &Walked) -> Result<(), Stop> {
        self.used.sort_unstable();
        let overlapping = self.used.windows(2);
        let overlapping = overlapping.filter(|pair| pair[0].0 + pair[0].1 > pair[1].0);
        let count = |condition: &dyn Fn(&Wanted) -> bool| {
            self.wanted.iter().filter(|block| condition(block)).count() as i64
        };
        probe.fact(ENDED_WITH, walked.ended.into())?;
        probe.fact(ERRNO, walked.errno.unwrap_or(0).into())?;
        probe.fact(ENTRIES, walked.entries)?;
        probe.fact(LIVE, count(&|block| block.is_live))?;
        probe.fact(
            FOUND_ONCE,
            count(&|block| block.is_live && block.found == 1),
        )?;
        probe.fact(
            FOUND_TWICE,
            count(&|block| block.is_live && block.found > 1),
        )?;
        probe.fact(TOO_SMALL, count(&|block| block.size == usize::MAX))?;
        probe.fact(
            FREED_IN_USE,
            count(&|block| !block.is_live && block.found > 0),
        )?;
        probe.fact(BAD_FLAGS, walked.bad_flags)?;
        probe.fact(OVERLAPPING, overlapping.count() as i64)
    }
}

impl Wanted {
    fn live(block: &Block) -> Wanted {
        Wanted {
            address: block.address(),
            size: block.size(),
            found: 0,
            is_live: true,
        }
    }
}

/// The result of a walk.
#[derive(Default)]
pub(crate) struct Walked {
    /// The status that ended it.
    pub ended: i32,
    /// Number of entries before that.
    pub entries: i64,
    /// Number of entries that are neither `_USEDENTRY` nor `_FREEENTRY`.
    pub bad_flags: i64,
    /// `errno` after the walk; it was 0 before.
    pub errno: Option<i32>,
}
