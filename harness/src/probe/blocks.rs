//! The blocks of a workload: filled, checked and freed through a table. The table's pages
//! are resident before memory is measured.

use super::Stop;
use super::crt::{Block, Crt};
use memmap2::MmapMut;

/// A table of blocks. Block number `i` has the pattern of seed `i`.
pub struct Blocks {
    /// The address and size of each block, as numbers; the address 0 means no block. The
    /// table has its own mapping, since the candidate may be the allocator that the probe
    /// itself uses.
    table: MmapMut,
    count: usize,
}

const WORD: usize = size_of::<usize>();
const ENTRY: usize = 2 * WORD;

impl Blocks {
    /// A table with room for `count` blocks.
    ///
    /// # Errors
    /// [`Stop::Failed`] if the system has no memory for the table.
    pub fn with_room_for(count: usize) -> Result<Blocks, Stop> {
        let mut table = MmapMut::map_anon((count * ENTRY).max(1))
            .map_err(|error| Stop::Failed(format!("no memory for the table of blocks: {error}")))?;
        // Makes every page resident now, before memory is measured.
        table.fill(0);
        Ok(Blocks { table, count })
    }

    /// The number of blocks that the table has room for.
    pub fn room(&self) -> usize {
        self.count
    }

    fn words(&self, index: usize) -> (usize, usize) {
        let entry = &self.table[index * ENTRY..(index + 1) * ENTRY];
        let word = |bytes: &[u8]| usize::from_ne_bytes(bytes.try_into().expect("a word"));
        (word(&entry[..WORD]), word(&entry[WORD..]))
    }

    fn set(&mut self, index: usize, address: usize, size: usize) {
        let entry = &mut self.table[index * ENTRY..(index + 1) * ENTRY];
        entry[..WORD].copy_from_slice(&address.to_ne_bytes());
        entry[WORD..].copy_from_slice(&size.to_ne_bytes());
    }

    fn block(&self, index: usize) -> Option<Block> {
        let (address, size) = self.words(index);
        (address != 0).then(|| Block::at(address, size))
    }

    /// Allocates and fills every block that is not live. `size_of` returns a block's size
    /// in bytes.
    ///
    /// # Errors
    /// [`Stop::OutOfMemory`] if `malloc` returns null, [`Stop::Missing`] if the library does not have it.
    pub fn fill(&mut self, crt: &Crt, size_of: impl Fn(usize) -> usize) -> Result<(), Stop> {
        self.fill_all(crt, &size_of)
    }

    // Not generic, so that the loop is compiled in this package, which is always optimised.
    fn fill_all(&mut self, crt: &Crt, size_of: &dyn Fn(usize) -> usize) -> Result<(), Stop> {
        for index in 0..self.count {
            if self.words(index).0 == 0 {
                let mut block = crt.need(size_of(index))?;
                block.fill(index as u64);
                self.set(index, block.address(), block.size());
            }
        }
        Ok(())
    }

    /// Frees the live blocks for whose number `gone` is true.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have `free`.
    pub fn free_where(&mut self, crt: &Crt, gone: impl Fn(usize) -> bool) -> Result<(), Stop> {
        self.free_those(crt, &gone)
    }

    fn free_those(&mut self, crt: &Crt, gone: &dyn Fn(usize) -> bool) -> Result<(), Stop> {
        for index in 0..self.count {
            if gone(index)
                && let Some(block) = self.block(index)
            {
                crt.free(block)?;
                self.set(index, 0, 0);
            }
        }
        Ok(())
    }

    /// Frees every block.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have `free`.
    pub fn free_all(&mut self, crt: &Crt) -> Result<(), Stop> {
        self.free_where(crt, |_| true)
    }

    /// Frees block number `index` if it is live, else allocates and fills it. Returns the
    /// number of bytes in the freed block that had changed.
    ///
    /// # Errors
    /// As [`Blocks::fill`] and [`Blocks::free_where`].
    pub fn toggle(&mut self, crt: &Crt, index: usize, size: usize) -> Result<i64, Stop> {
        let Some(block) = self.block(index) else {
            let mut block = crt.need(size)?;
            block.fill(index as u64);
            self.set(index, block.address(), block.size());
            return Ok(0);
        };
        let lost = block.lost_bytes(index as u64) as i64;
        crt.free(block)?;
        self.set(index, 0, 0);
        Ok(lost)
    }

    /// The live blocks with their numbers.
    pub fn live(&self) -> impl Iterator<Item = (usize, Block)> {
        (0..self.count).filter_map(|index| Some((index, self.block(index)?)))
    }

    /// The number of bytes in live blocks that have changed.
    pub fn lost_bytes(&self) -> i64 {
        let lost = self
            .live()
            .map(|(index, block)| block.lost_bytes(index as u64));
        lost.sum::<usize>() as i64
    }

    /// The sum of the requested sizes of live blocks, in bytes.
    pub fn live_bytes(&self) -> i64 {
        self.live().map(|(_, block)| block.size()).sum::<usize>() as i64
    }

    /// The size of all pages that hold a live block, in bytes. These pages must stay
    /// resident. The computation allocates memory, so measure first.
    pub fn live_page_bytes(&self) -> i64 {
        let page = page_size();
        let mut pages: Vec<usize> = self
            .live()
            .filter(|(_, block)| block.size() > 0)
            .flat_map(|(_, block)| {
                let last = block.address() + block.size() - 1;
                block.address() / page..=last / page
            })
            .collect();
        pages.sort_unstable();
        pages.dedup();
        (pages.len() * page) as i64
    }
}

fn page_size() -> usize {
    #[cfg(unix)]
    // SAFETY: sysconf reads a constant of the system.
    return usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    // This program is built only for processors on which Windows has pages of 4 KiB.
    #[cfg(windows)]
    4096
}
