//! One run of a program, with the time and the memory that it took.

use crate::parent::exit_status::signal_name;
use crate::parent::interruption;
use crate::parent::launch::end_with_this_process;
use crate::parent::memory::Subject;
use crate::parent::watch::{TICK, read_tail};
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, setsid, waitid,
};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The figures of a run that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The time from the start to the end of the program, without the time that it was
    /// stopped.
    pub time: Duration,
    /// The greatest resident memory of one process, in bytes, with pages of files: of the
    /// program, or of a child process for which it waited.
    pub most_resident: u64,
    /// The resident memory of the program when it last stopped itself, in bytes, without
    /// pages of files. `None` if it never stopped itself.
    pub at_stop: Option<u64>,
}

/// Why a run has no figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The user interrupted this process.
    Interrupted,
    /// The program did not succeed.
    Failed {
        /// What happened, in words.
        what: String,
        /// The last that it wrote to standard error.
        printed: String,
    },
}

/// A change of the state of a process, and when it was seen.
enum Change {
    Stopped(Instant),
    Ended(Instant),
}

/// Runs a command to its end and ends all processes of its session that are left.
/// Standard error must be a pipe.
pub(super) fn run(command: &mut Command, timeout: Duration) -> Result<Run, Failure> {
    let failed = |what| Failure::Failed {
        what,
        printed: String::new(),
    };
    // The steps before `exec` also make the child a copy of this process. Without them it
    // would borrow this process's memory until `exec`, and the system would count that as
    // the child's own. The copy has no pages of files.
    end_with_this_process(command);
    // A session has its own group, and no terminal that could stop its processes.
    let own_session = || setsid().map(drop).map_err(Into::into);
    // SAFETY: `own_session` makes one system call, which allocates nothing and takes no lock.
    unsafe { command.pre_exec(own_session) };
    let start = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| failed(format!("it cannot be started: {error}")))?;
    let stderr = read_tail(child.stderr.take().expect("stderr is a pipe"));
    let (subject, pid) = (Subject::of(&child), Pid::from_child(&child));
    let changes = changes(pid);
    let (mut stopped, mut at_stop) = (Duration::ZERO, None);
    let ended = loop {
        if interruption::is_wanted() {
            break Err(Failure::Interrupted);
        }
        let left = timeout.saturating_sub(start.elapsed());
        if left.is_zero() {
            let seconds = timeout.as_secs();
            break Err(failed(format!("it did not end within {seconds} s")));
        }
        match changes.recv_timeout(left.min(TICK)) {
            Ok(Change::Stopped(since)) => {
                at_stop = subject.measure().map(|memory| memory.resident);
                // It fails if the process has just been killed, which the next change shows.
                let _ = kill_process(pid, Signal::CONT);
                stopped += since.elapsed();
            }
            Ok(Change::Ended(at)) => break Ok(at),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                break Err(failed("the system does not report its state".into()));
            }
        }
    };
    // Before the process is reaped: after that, its number may be that of another group.
    let _ = kill_process_group(pid, Signal::KILL);
    // The thread that waits must not see the number again, either.
    while !matches!(changes.recv(), Ok(Change::Ended(_)) | Err(_)) {}
    let reaped = reap(pid);
    let ended = ended?;
    let (status, most_resident) =
        reaped.map_err(|error| failed(format!("no exit status: {error}")))?;
    match problem(status) {
        None => Ok(Run {
            time: (ended - start).saturating_sub(stopped),
            most_resident,
            at_stop,
        }),
        Some(what) => Err(Failure::Failed {
            what,
            printed: stderr.recv_timeout(TICK * 4).unwrap_or_default(),
        }),
    }
}

/// Reports each stop of a child and its end. Does not reap it.
fn changes(pid: Pid) -> Receiver<Change> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let look = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        loop {
            let seen = waitid(WaitId::Pid(pid), look);
            let now = Instant::now();
            match seen {
                Ok(Some(status)) if status.stopped() => {
                    // Without NOWAIT: the same stop is not seen again.
                    let take = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
                    let _ = waitid(WaitId::Pid(pid), take);
                    let _ = sender.send(Change::Stopped(now));
                }
                Ok(_) => {
                    let _ = sender.send(Change::Ended(now));
                    return;
                }
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    });
    receiver
}

/// Waits for a child; returns its exit status, and the greatest resident memory of one
/// process in bytes, among the child and the processes for which it waited.
fn reap(pid: Pid) -> std::io::Result<(ExitStatus, u64)> {
    let mut status = 0;
    // SAFETY: plain data, for which zeros are a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to places of the right type.
    let reaped = unsafe { libc::wait4(pid.as_raw_nonzero().get(), &mut status, 0, &mut usage) };
    match reaped {
        -1 => Err(std::io::Error::last_os_error()),
        // Linux reports KiB.
        _ => Ok((ExitStatus::from_raw(status), usage.ru_maxrss as u64 * 1024)),
    }
}

fn problem(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("it exited with status {code}")),
        (None, Some(signal)) => Some(format!("it was killed by {}", signal_name(signal))),
        (None, None) => Some(format!("it ended: {status}")),
    }
}
