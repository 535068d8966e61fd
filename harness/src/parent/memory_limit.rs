//! How much memory a probe may hold. A limit of the process would count what
//! it reserves and never uses, which sound heaps do by the gigabyte; so what
//! it really holds is watched from outside, and the probe killed.

#[cfg(target_os = "linux")]
use crate::memory::available_memory;
use std::fmt;
use std::process::Child;

/// What every case finds room in, in bytes. A probe that is killed for less
/// would be blamed for the machine.
#[cfg(target_os = "linux")]
const LEAST: u64 = 512 << 20;

/// A probe whose memory is watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
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
    pub(super) fn over(child: &Child, limit: Option<u64>) -> Option<Watch> {
        Some(Watch {
            pid: child.id().try_into().ok()?,
            limit: limit.or_else(|| Some((available_memory()? / 4 * 3).max(LEAST)))?,
        })
    }

    /// No other system tells what a process holds as cheaply.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn over(_: &Child, _: Option<u64>) -> Option<Watch> {
        None
    }

    /// What is wrong, if it holds more than it may.
    #[cfg(target_os = "linux")]
    pub(super) fn finding(&self) -> Option<String> {
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
    pub(super) fn finding(&self) -> Option<String> {
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::Read;
    use std::process::{Command, Stdio};

    /// A shell that has said something, so that it holds memory for sure.
    fn shell() -> Child {
        let mut command = Command::new("sh");
        command.args(["-c", "echo; exec sleep 60"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("a shell");
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut [0]).expect("a line");
        child
    }

    #[test]
    fn who_holds_too_much_is_told_with_both_figures() {
        let mut child = shell();
        let finding = |limit| Watch::over(&child, Some(limit)).unwrap().finding();
        let told = finding(1).expect("it holds more than a byte");
        assert!(told.starts_with("it held "), "{told}");
        assert!(told.contains("the fence lets it have 0 MiB"), "{told}");
        assert_eq!(finding(1 << 40), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn without_a_figure_most_of_what_is_left_may_be_held() {
        let mut child = shell();
        let Watch { limit, .. } = Watch::over(&child, None).expect("Linux tells");
        let left = available_memory().expect("Linux tells");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(limit >= LEAST);
        // What is left changes meanwhile; its share is far from all and from half.
        assert!(limit == LEAST || (left * 5 / 8..left * 7 / 8).contains(&limit));
        let watch = Watch {
            pid: 1,
            limit: 3 << 20,
        };
        assert_eq!(watch.to_string(), "3 MiB of memory");
    }
}
