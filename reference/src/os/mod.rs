//! The operating system calls of the heap, and all that differs between systems.

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

/// The whole pages of the system in `len` bytes from an address on: bytes from the address
/// to the first, and their size.
pub(crate) fn whole_pages_of(base: *const u8, len: usize) -> (usize, usize) {
    let page = page_size();
    let start = (base as usize).wrapping_neg() % page;
    (start, len.saturating_sub(start) / page * page)
}
