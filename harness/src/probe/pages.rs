//! The pages that blocks occupy, and the time that the system takes to release such pages
//! without an allocator.

use std::time::Duration;

/// The size of a page in bytes, for all figures.
pub const PAGE: usize = 4096;

/// The numbers of the pages that blocks occupy, sorted, without duplicates. A block is
/// given as its address and its size in bytes.
pub fn of(blocks: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let pages =
        blocks.flat_map(|(address, size)| address / PAGE..=(address + size.max(1) - 1) / PAGE);
    let mut pages: Vec<usize> = pages.collect();
    pages.sort_unstable();
    pages.dedup();
    pages
}

/// The time that the system takes to release the pages in `all` that are not in `live`,
/// both sorted, with one call for each run of neighbours. It is measured on new pages in
/// the same order, each of them written. `None` if the system has no such call.
#[cfg(target_os = "linux")]
pub fn time_to_release(all: &[usize], live: &[usize]) -> Option<Duration> {
    use memmap2::{Advice, MmapMut, UncheckedAdvice};
    let mut pages = MmapMut::map_anon((all.len() * PAGE).max(1)).ok()?;
    pages.advise(Advice::NoHugePage).ok();
    for page in pages.chunks_mut(PAGE) {
        page[0] = 1;
    }
    let runs = runs(all, live);
    let start = std::time::Instant::now();
    for (first, count) in runs {
        let (offset, len) = (first * PAGE, count * PAGE);
        // SAFETY: no reference to these pages exists, and zeros are valid bytes.
        unsafe { pages.unchecked_advise_range(UncheckedAdvice::DontNeed, offset, len) }.ok()?;
    }
    Some(start.elapsed())
}

/// `None`: implemented for Linux only.
#[cfg(not(target_os = "linux"))]
pub fn time_to_release(_all: &[usize], _live: &[usize]) -> Option<Duration> {
    None
}

/// The runs of neighbouring pages in `all` that are not in `live`: the index in `all` of
/// each run's first page, and the number of pages.
#[cfg(any(target_os = "linux", test))]
fn runs(all: &[usize], live: &[usize]) -> Vec<(usize, usize)> {
    let mut live = live.iter().copied().peekable();
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
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_counted_once() {
        let blocks = [(8192, 1), (4096, 4096), (4000, 200), (8191, 2), (50_000, 0)];
        assert_eq!(of(blocks.into_iter()), [0, 1, 2, 12]);
    }

    #[test]
    fn neighbouring_pages_form_one_run() {
        let all = [3, 4, 5, 6, 10, 11, 20];
        assert_eq!(runs(&all, &[5, 20]), [(0, 2), (3, 1), (4, 2)]);
        assert_eq!(runs(&all, &[]), [(0, 4), (4, 2), (6, 1)]);
        assert_eq!(runs(&all, &all), []);
    }
}
