//! Memory of this machine and of a process, as the system reports it to both
//! sides.

use serde::{Deserialize, Serialize};

/// Memory of a process at one moment, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Linux: the resident set without pages of files, and what was swapped
    /// out, which nobody has given back either. Code that runs for the first
    /// time brings pages of its file in, up to 64 KiB at a time; that is no
    /// heap memory. Windows: the working set.
    pub resident: u64,
    /// The part of it that the system may take when it needs memory
    /// (`MADV_FREE` on Linux), but has not taken yet.
    pub lazily_freed: u64,
}

/// Memory that a process may still take, in bytes; `None` where the system
/// does not say.
#[cfg(unix)]
pub fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kib = line.split_whitespace().nth(1)?.parse::<u64>().ok()?;
    Some(kib * 1024)
}

/// Memory that a process may still take, in bytes; `None` where the system
/// does not say.
#[cfg(windows)]
pub fn available_memory() -> Option<u64> {
    use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};
    let mut status = MEMORYSTATUSEX {
        dwLength: size_of::<MEMORYSTATUSEX>() as u32,
        // SAFETY: plain data, for which zeros are a value.
        ..unsafe { std::mem::zeroed() }
    };
    // SAFETY: a record of the length it says.
    let known = unsafe { GlobalMemoryStatusEx(&mut status) } != 0;
    known.then_some(status.ullAvailPhys.min(status.ullAvailPageFile))
}

/// The working set of a process.
#[cfg(windows)]
pub(crate) fn working_set(process: windows_sys::Win32::Foundation::HANDLE) -> Option<Memory> {
    use windows_sys::Win32::System::ProcessStatus::{
        K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS,
    };
    // SAFETY: plain data, for which zeros are a value.
    let mut counters: PROCESS_MEMORY_COUNTERS = unsafe { std::mem::zeroed() };
    counters.cb = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    // SAFETY: a process handle, and a structure of the size it says.
    let told = unsafe { K32GetProcessMemoryInfo(process, &mut counters, counters.cb) };
    (told != 0).then_some(Memory {
        resident: counters.WorkingSetSize as u64,
        lazily_freed: 0,
    })
}
