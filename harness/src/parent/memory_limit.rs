//! Limits the memory that a probe may hold. A resource limit of the process would also
//! count memory that is reserved and never used, and sound heaps reserve gigabytes. So
//! the parent measures the resident memory and kills the probe if it is too much.

#[cfg(target_os = "linux")]
use crate::memory::{available_memory, figure};
use std::fmt;
use std::process::Child;

/// The smallest limit, in bytes. Every case fits into it; a probe that is killed for less
/// would be blamed for a small machine.
#[cfg(target_os = "linux")]
const LEAST: u64 = 512 << 20;

/// The memory limit of one probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemoryLimit {
    #[cfg(target_os = "linux")]
    pid: u32,
    /// In bytes.
    #[cfg(target_os = "linux")]
    limit: u64,
}

impl MemoryLimit {
    /// Limits the child to this many bytes or, without a figure, to three quarters of the
    /// machine's available memory. `None` if that is unknown.
    #[cfg(target_os = "linux")]
    pub(super) fn over(child: &Child, limit: Option<u64>) -> Option<MemoryLimit> {
        Some(MemoryLimit {
            pid: child.id(),
            limit: limit.or_else(|| Some((available_memory()? / 4 * 3).max(LEAST)))?,
        })
    }

    /// `None`: no other system reports the memory of a process so cheaply.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn over(_: &Child, _: Option<u64>) -> Option<MemoryLimit> {
        None
    }

    /// What the probe holds, in words, if that is more than the limit.
    #[cfg(target_os = "linux")]
    pub(super) fn finding(&self) -> Option<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let held = figure(&status, "VmRSS")?;
        (held > self.limit).then(|| {
            format!(
                "killed by the fence: it held {} MiB of memory, and the limit is {} MiB (--memory raises it)",
                held >> 20,
                self.limit >> 20
            )
        })
    }

    /// `None`: there is no limit to exceed.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn finding(&self) -> Option<String> {
        None
    }
}

impl fmt::Display for MemoryLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(target_os = "linux")]
        write!(f, "{} MiB of memory", self.limit >> 20)?;
        // On other systems no value of this type exists.
        #[cfg(not(target_os = "linux"))]
        f.write_str("any amount of memory")?;
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    /// A shell that has written a line and therefore holds memory.
    fn shell() -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", "echo; exec sleep 60"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a shell");
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut [0]).expect("a line");
        child
    }

    #[test]
    fn a_finding_names_the_memory_and_the_limit() {
        let mut child = shell();
        let finding = |limit| MemoryLimit::over(&child, Some(limit)).unwrap().finding();
        let found = finding(1).expect("it holds more than a byte");
        assert!(
            found.starts_with("killed by the fence: it held "),
            "{found}"
        );
        assert!(found.contains("the limit is 0 MiB"), "{found}");
        assert_eq!(finding(1 << 40), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn the_default_limit_is_three_quarters_of_available_memory() {
        let mut child = shell();
        let MemoryLimit { limit, .. } = MemoryLimit::over(&child, None).expect("Linux reports it");
        let available = available_memory().expect("Linux reports it");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(limit >= LEAST);
        // The available memory may have changed between the two calls.
        assert!(limit == LEAST || (available * 5 / 8..available * 7 / 8).contains(&limit));
        let watch = MemoryLimit {
            pid: 1,
            limit: 3 << 20,
        };
        assert_eq!(watch.to_string(), "3 MiB of memory");
    }
}
