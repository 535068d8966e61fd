//! How much memory a probe may hold. A limit of the process would count what
//! it reserves and never uses, which sound heaps do by the gigabyte; so what
//! it really holds is watched from outside, and the probe killed.

#[cfg(target_os = "linux")]
use crate::probe::available_memory;
use std::fmt;
use std::process::Child;

/// What every case finds room in, in bytes. A probe that is killed for less
/// would be blamed for the machine.
pub const LEAST: u64 = 512 << 20;

/// A probe whose memory is watched.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    #[cfg(target_os = "linux")]
    pid: i32,
    /// In bytes.
    #[cfg(target_os = "linux")]
    limit: u64,
}

impl Watch {
    /// Lets the child have so many bytes, or three quarters of what the machine
    /// has left; `None` where that is not known.
    #[cfg(target_os = "linux")]
    pub fn over(child: &Child, limit: Option<u64>) -> Option<Watch> {
        Some(Watch {
            pid: child.id().try_into().ok()?,
            limit: limit.or_else(|| Some((available_memory()? / 4 * 3).max(LEAST)))?,
        })
    }

    /// No other system tells what a process holds as cheaply.
    #[cfg(not(target_os = "linux"))]
    pub fn over(_: &Child, _: Option<u64>) -> Option<Watch> {
        None
    }

    /// What is wrong, if it holds more than it may.
    #[cfg(target_os = "linux")]
    pub fn finding(&self) -> Option<String> {
        let process = procfs::process::Process::new(self.pid).ok()?;
        let held = process.statm().ok()?.resident * procfs::page_size();
        (held > self.limit).then(|| {
            format!(
                "it held {} MiB of memory, the fence lets it have {} MiB, and it was killed",
                held >> 20,
                self.limit >> 20
            )
        })
    }

    /// As above: there is no watch.
    #[cfg(not(target_os = "linux"))]
    pub fn finding(&self) -> Option<String> {
        None
    }
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(target_os = "linux")]
        write!(f, "{} MiB of memory", self.limit >> 20)?;
        // Elsewhere there is none of these.
        #[cfg(not(target_os = "linux"))]
        f.write_str("any amount of memory")?;
        Ok(())
    }
}
