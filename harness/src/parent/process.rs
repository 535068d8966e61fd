//! The process of a probe, with the processes that it started.

use std::process::{Child, ExitStatus};

/// A child process, which may lead its own process group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    owns_group: bool,
    status: Option<ExitStatus>,
}

impl Process {
    /// Wraps a child. If the child owns its group, the whole group ends with it.
    pub(super) fn new(child: Child, owns_group: bool) -> Process {
        Process {
            child,
            owns_group,
            status: None,
        }
    }

    /// The exit status, or `None` while the process runs.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() && self.is_gone() {
            self.end();
        }
        self.status
    }

    /// Kills the process if it still runs. The group is killed before the process is
    /// reaped: after that, the system may give its number to another process.
    pub(super) fn end(&mut self) {
        if self.status.is_some() {
            return;
        }
        #[cfg(unix)]
        if self.owns_group {
            let group = rustix::process::Pid::from_child(&self.child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        #[cfg(not(unix))]
        let _ = self.owns_group;
        let _ = self.child.kill();
        self.status = self.child.wait().ok();
    }

    /// Whether the process has ended. Does not reap it.
    #[cfg(unix)]
    fn is_gone(&mut self) -> bool {
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let seen = waitid(WaitId::Pid(Pid::from_child(&self.child)), look);
        !matches!(seen, Ok(None))
    }

    /// Whether the process has ended. Reaping does no harm here: there is no group to kill.
    #[cfg(not(unix))]
    fn is_gone(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::thread;
    use std::time::{Duration, Instant};

    /// A shell that leads a group, starts a child, writes the child's number and then
    /// runs this command.
    fn shell(then: &str) -> (Child, String) {
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("sleep 600 & echo $!; {then}")])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut number = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        (child, number.trim().to_owned())
    }

    /// Whether a process ends soon. It may stay a zombie, since no parent reaps it.
    fn ends(number: &str) -> bool {
        let stat = Path::new("/proc").join(number).join("stat");
        let lives = || {
            let stat = std::fs::read_to_string(&stat).unwrap_or_default();
            !(stat.is_empty() || stat.contains(") Z "))
        };
        let start = Instant::now();
        while lives() && start.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(10));
        }
        !lives()
    }

    #[test]
    fn children_that_outlive_a_process_are_killed() {
        let (child, grandchild) = shell("exit 7");
        let mut process = Process::new(child, true);
        let status = loop {
            match process.exited() {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(10)),
            }
        };
        assert_eq!(status.code(), Some(7));
        assert!(ends(&grandchild));
        assert_eq!(process.exited(), Some(status));
    }

    #[test]
    fn ending_a_process_ends_its_children() {
        let (child, grandchild) = shell("wait");
        let mut process = Process::new(child, true);
        assert_eq!(process.exited(), None);
        process.end();
        let status = process.exited().expect("it was ended");
        assert_eq!(status.code(), None);
        assert!(ends(&grandchild));
    }

    #[test]
    fn children_survive_a_process_that_owns_no_group() {
        let (child, grandchild) = shell("exit 0");
        let mut process = Process::new(child, false);
        while process.exited().is_none() {
            thread::sleep(Duration::from_millis(10));
        }
        let stat = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap();
        // It sleeps or is about to; it is no zombie.
        assert!(!stat.contains(") Z "), "{stat}");
        Command::new("kill").arg(&grandchild).status().unwrap();
    }
}
