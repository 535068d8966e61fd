//! Memory of a process and of this machine, as the system reports it. Parent and probe
//! both use it.

use serde::{Deserialize, Serialize};

/// The memory of a process at one moment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Windows: the working set. Linux: the resident set without pages of files, plus
    /// swapped pages, which the process has not released either. Pages of files are no
    /// heap memory: code that runs for the first time brings up to 64 KiB of them in.
    pub resident: u64,
    /// The part of `resident` that the process has released but the system has not yet
    /// taken (`MADV_FREE` on Linux).
    pub lazily_freed: u64,
}

/// The memory that processes can still get, in bytes; `None` if the system does not
/// report it.
#[cfg(unix)]
pub fn available_memory() -> Option<u64> {
    figure(
        &std::fs::read_to_string("/proc/meminfo").ok()?,
        "MemAvailable",
    )
}

/// A figure of a file in `/proc`, in bytes. Such files have a line `NAME: N kB` for each
/// figure; `None` without that line.
#[cfg(unix)]
pub(crate) fn figure(text: &str, name: &str) -> Option<u64> {
    let figures = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = figures.into_iter().find(|(known, _)| *known == name)?;
    let kib: u64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

/// The memory that processes can still get, in bytes; `None` if the system does not
/// report it.
#[cfg(windows)]
pub fn available_memory() -> Option<u64> {
    use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};
    let mut status = MEMORYSTATUSEX {
        dwLength: size_of::<MEMORYSTATUSEX>() as u32,
        // SAFETY: plain data, for which zeros are a value.
        ..unsafe { std::mem::zeroed() }
    };
    // SAFETY: the record has the length in its first field.
    let known = unsafe { GlobalMemoryStatusEx(&mut status) } != 0;
    known.then_some(status.ullAvailPhys.min(status.ullAvailPageFile))
}

/// The working set of a process; `None` if the system does not report it.
#[cfg(windows)]
pub(crate) fn working_set(process: windows_sys::Win32::Foundation::HANDLE) -> Option<Memory> {
    use windows_sys::Win32::System::ProcessStatus::{
        K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS,
    };
    // SAFETY: plain data, for which zeros are a value.
    let mut counters: PROCESS_MEMORY_COUNTERS = unsafe { std::mem::zeroed() };
    counters.cb = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    // SAFETY: a process handle, and a structure of the given size.
    let known = unsafe { K32GetProcessMemoryInfo(process, &mut counters, counters.cb) };
    (known != 0).then_some(Memory {
        resident: counters.WorkingSetSize as u64,
        lazily_freed: 0,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::first("Rss", Some(2048))]
    #[case::whole_names_only("Pss", None)]
    #[case::last("Pss_Shmem", Some(0))]
    #[case::no_number("Name", None)]
    #[case::too_large("Huge", None)]
    fn a_figure_is_read_in_bytes(#[case] name: &str, #[case] bytes: Option<u64>) {
        let text = "5580-5590 ---p 0000 00:00 0   [rollup]\nRss:        2 kB\nName: a kB\n\
                    Huge: 18446744073709551615 kB\nPss_Shmem:  0 kB\n";
        assert_eq!(figure(text, name), bytes);
    }
}
