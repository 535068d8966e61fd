//! Measures the memory of another process from outside.

use crate::memory::{self, Memory};

/// A process whose memory is measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    #[cfg(not(windows))]
    pid: u32,
    #[cfg(windows)]
    handle: usize,
}

impl Subject {
    /// The process of a child.
    pub fn of(child: &std::process::Child) -> Subject {
        #[cfg(not(windows))]
        return Subject { pid: child.id() };
        #[cfg(windows)]
        return Subject {
            handle: std::os::windows::io::AsRawHandle::as_raw_handle(child) as usize,
        };
    }

    /// This process itself.
    #[cfg(not(windows))]
    pub fn this_process() -> Subject {
        Subject {
            pid: std::process::id(),
        }
    }

    /// Its memory now; `None` if the system does not report it.
    ///
    /// Read from `/proc/PID/smaps_rollup`, which counts page by page (`VmRSS` in
    /// `/proc/PID/status` is an estimate).
    #[cfg(target_os = "linux")]
    pub fn measure(&self) -> Option<Memory> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).ok()?;
        let figure = |name| memory::figure(&rollup, name).unwrap_or(0);
        let resident = match memory::figure(&rollup, "Pss_Shmem") {
            Some(shared) => {
                let huge = figure("Private_Hugetlb") + figure("Shared_Hugetlb");
                memory::figure(&rollup, "Anonymous")? + shared + huge
            }
            // Kernels before 5.4 report only the sum.
            None => memory::figure(&rollup, "Rss")?,
        };
        Some(Memory {
            resident: resident + figure("Swap"),
            lazily_freed: figure("LazyFree"),
        })
    }

    /// Its memory now; `None` if the system does not report it.
    #[cfg(windows)]
    pub fn measure(&self) -> Option<Memory> {
        memory::working_set(self.handle as _)
    }

    /// `None`: not implemented for this system.
    #[cfg(not(any(target_os = "linux", windows)))]
    pub fn measure(&self) -> Option<Memory> {
        let _ = self.pid;
        None
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// In bytes. Much more than other tests of this process hold at the same time.
    const LEN: usize = 256 << 20;

    // One test: two of them would disturb each other's figures.
    #[test]
    fn pages_count_from_the_first_write_until_they_are_unmapped() {
        let measured = || Subject::this_process().measure().expect("Linux reports it");
        let near = |a: u64, b: u64| a.abs_diff(b) < LEN as u64 / 4;
        let before = measured();
        let mut pages = memmap2::MmapMut::map_anon(LEN).unwrap();
        let reserved = measured();
        assert!(
            near(reserved.resident, before.resident),
            "{before:?} {reserved:?}"
        );
        pages.fill(1);
        let written = measured();
        assert!(
            near(written.resident, before.resident + LEN as u64),
            "{before:?} {written:?}"
        );
        // SAFETY: these bytes are not read again.
        let freed = unsafe { pages.unchecked_advise(memmap2::UncheckedAdvice::Free) };
        freed.expect("Linux has had it since 4.5");
        let lazily_freed = measured().lazily_freed;
        assert!(near(lazily_freed, LEN as u64), "{lazily_freed}");
        drop(pages);
        let gone = measured();
        assert!(near(gone.resident, before.resident), "{before:?} {gone:?}");
    }
}
