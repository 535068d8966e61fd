//! The operating system calls of the heap, and all that differs between systems.

use crate::bits::run;
use crate::layout::{PAGE_SIZE, PageMask, SPAN_PAGES};
use core::ops::BitOr;

#[cfg_attr(
    all(
        target_os = "linux",
        target_env = "gnu",
        target_arch = "x86_64",
        not(schedules)
    ),
    path = "thread_number/by_descriptor.rs"
)]
#[cfg_attr(
    not(all(
        target_os = "linux",
        target_env = "gnu",
        target_arch = "x86_64",
        not(schedules)
    )),
    path = "thread_number/by_std.rs"
)]
pub(crate) mod thread_number;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::*;

/// Bytes in a page of the system, which may be larger than [`PAGE_SIZE`].
pub(crate) fn page_size() -> usize {
    #[cfg(test)]
    if let pretended @ 1.. = PRETENDED_PAGE.get() {
        return pretended;
    }
    system_page_size()
}

#[cfg(test)]
std::thread_local! {
    /// Bytes in a page that a test pretends the system to have; 0 for what it has.
    pub(crate) static PRETENDED_PAGE: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

/// The pages of a span to give back to the system: its own pages, which may be larger, in
/// which some page is resident and none is live.
pub(crate) fn idle_pages(resident: PageMask, live: PageMask) -> PageMask {
    let count = page_size() / PAGE_SIZE;
    if count == 1 {
        return resident & !live;
    }
    let whole = (0..SPAN_PAGES)
        .step_by(count)
        .map(|first| run(first, count));
    whole
        .filter(|pages| resident & pages != 0 && live & pages == 0)
        .fold(0, PageMask::bitor)
}

/// The whole pages of the system in `len` bytes from an address on: bytes from the address
/// to the first, and their size.
pub(crate) fn whole_pages_of(base: *const u8, len: usize) -> (usize, usize) {
    let page = page_size();
    let start = (base as usize).wrapping_neg() % page;
    (start, len.saturating_sub(start) / page * page)
}
