//! Measures the memory of another process from outside.

use crate::memory::{self, Memory};
#[cfg(target_os = "linux")]
use crate::wire::job::MARK_VARIABLE;

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

    /// The process of a probe that Wine or a command started: the one with this number, if
    /// this process or one below it started it; for 0, the process of the program that has
    /// the mark in its environment. Else this process.
    #[cfg(target_os = "linux")]
    pub fn of_probe(self, number: u32, program: &std::path::Path, mark: &str) -> Subject {
        let descends = |pid: &u32| {
            let mut pids = std::iter::successors(Some(*pid), |pid| parent(*pid));
            pids.any(|pid| pid == self.pid)
        };
        // Wine sets the command line. A program for 64 bits that Wine for 32 bits starts is no
        // child; the process that starts it has another name.
        let is_named = |pid: u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let first = line.split(|byte| *byte == 0).next().unwrap_or_default();
            let first = first.strip_suffix(b" probe").unwrap_or(first);
            let name = program.file_name().unwrap_or_default();
            first.ends_with(name.as_encoded_bytes())
        };
        let is_marked = |pid: u32| {
            let variables = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let mark = format!("{MARK_VARIABLE}={mark}");
            variables
                .split(|byte| *byte == 0)
                .any(|it| it == mark.as_bytes())
        };
        let marked = || {
            let processes = std::fs::read_dir("/proc").ok()?.flatten();
            let mut pids = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
            pids.find(|pid| is_named(*pid) && is_marked(*pid))
        };
        let pid = match number {
            0 if is_named(self.pid) => None,
            0 => marked(),
            number => Some(number).filter(descends),
        };
        pid.map_or(self, |pid| Subject { pid })
    }

    /// Kills the process, if it is not this child, which the parent kills itself.
    #[cfg(target_os = "linux")]
    pub fn end_unless(self, child: Subject) {
        let pid = i32::try_from(self.pid).ok();
        let pid = pid.and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid.filter(|_| self.pid != child.pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }

    /// Does nothing: the process is the child.
    #[cfg(not(target_os = "linux"))]
    pub fn end_unless(self, _: Subject) {}

    /// This process: only Linux reports the memory of processes by their numbers.
    #[cfg(not(target_os = "linux"))]
    pub fn of_probe(self, _: u32, _: &std::path::Path, _: &str) -> Subject {
        self
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

/// The number of the process that started this one.
#[cfg(target_os = "linux")]
fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
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
