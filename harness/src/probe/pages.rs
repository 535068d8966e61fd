//! Pages that blocks lie in, and what it costs to give such pages back without
//! any allocator around it.

use memmap2::MmapMut;
#[cfg(target_os = "linux")]
use memmap2::{Advice, UncheckedAdvice};
use std::time::{Duration, Instant};

/// Bytes in a page, as all figures reckon.
pub const PAGE: usize = 4096;

/// The numbers of the pages that blocks lie in, each once, from the lowest on.
/// A block is its address and its bytes.
pub fn of(blocks: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let pages =
        blocks.flat_map(|(address, size)| address / PAGE..=(address + size.max(1) - 1) / PAGE);
    let mut pages: Vec<usize> = pages.collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}

/// How long the system takes to be given the pages in `all` that are not in
/// `live`, both sorted, in as few calls as their order allows. They are others
/// in the same order, all of them written before. `None` where the system has no such call.
pub fn time_to_release(all: &[usize], live: &[usize]) -> Option<Duration> {
    #[cfg(not(target_os = "linux"))]
    return None;
    #[cfg(target_os = "linux")]
    {
        let mut live = live.iter().copied().peekable();
        // Runs of neighbouring pages, each by its place among `all`.
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let mut before = None;
        for (place, &page) in all.iter().enumerate() {
            while live.next_if(|&live| live < page).is_some() {}
            if live.peek() == Some(&page) {
                before = None;
                continue;
            }
            match runs.last_mut() {
                Some((_, count)) if before == Some(page.wrapping_sub(1)) => *count += 1,
                _ => runs.push((place, 1)),
            }
            before = Some(page);
        }
        let mut pages = MmapMut::map_anon((all.len() * PAGE).max(1)).ok()?;
        pages.advise(Advice::NoHugePage).ok();
        for page in pages.chunks_mut(PAGE) {
            page[0] = 1;
        }
        let start = Instant::now();
        for (first, count) in runs {
            // SAFETY: nobody has a reference to these pages, and zeros are bytes too.
            let done = unsafe {
                pages.unchecked_advise_range(UncheckedAdvice::DontNeed, first * PAGE, count * PAGE)
            };
            done.ok()?;
        }
        Some(start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_counted_once() {
        let blocks = [(8192, 1), (4096, 4096), (4000, 200), (8191, 2), (50_000, 0)];
        assert_eq!(of(blocks.into_iter()), [0, 1, 2, 12]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn more_pages_take_longer() {
        let all: Vec<usize> = (0..4096).collect();
        let live: Vec<usize> = (0..4096).step_by(2).collect();
        let nothing = time_to_release(&all, &all).unwrap();
        let half = time_to_release(&all, &live).unwrap();
        assert!(half > nothing);
    }
}
