//! Unix.

use super::Child;
use crate::memory::Memory;
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd};

/// Duplicates of standard input and output; in their place come nothing
/// to read, and standard error to print to.
pub(crate) fn take_over_standard_streams() -> (File, File) {
    let input = std::io::stdin().as_fd().try_clone_to_owned();
    let output = std::io::stdout().as_fd().try_clone_to_owned();
    let nothing = OpenOptions::new().read(true).open("/dev/null");
    let nothing = nothing.expect("/dev/null can be opened");
    // SAFETY: replaces descriptors 0 and 1, which std does not own in a
    // way that would close them.
    unsafe {
        libc::dup2(nothing.as_raw_fd(), 0);
        libc::dup2(2, 1);
    }
    let message = "standard input and output are open";
    (
        File::from(input.expect(message)),
        File::from(output.expect(message)),
    )
}

/// Closes what this process was started with beside its three streams:
/// descriptors of whoever started the harness, which are no affair of a
/// candidate.
pub(crate) fn close_inherited() {
    const FIRST: libc::c_uint = 3;
    #[cfg(target_os = "linux")]
    // SAFETY: nothing in this process has a descriptor of its own yet.
    let done = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, 0) == 0 };
    #[cfg(not(target_os = "linux"))]
    let done = false;
    if !done {
        // SAFETY: as above; closing one that is not there does nothing.
        (FIRST as i32..1024).for_each(|descriptor| unsafe {
            libc::close(descriptor);
        });
    }
}

/// Keeps a crash from leaving a core file, and huge pages from blurring
/// what is resident: figures are to be exact to the page on every machine.
pub(crate) fn quiet_crashes() {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: settings of this process, for which failure changes nothing.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0);
        // A candidate that hangs must not outlive a harness that was killed.
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// Lets the address space of this process grow by so many bytes only.
pub(crate) fn limit_address_space(room: usize) -> Result<(), String> {
    let statm = std::fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages = statm
        .split(' ')
        .next()
        .and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or("the size of this process is not to be read")?;
    // SAFETY: sysconf reads a constant of the system.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let size = pages * page + room as u64;
    let limit = libc::rlimit {
        rlim_cur: size,
        rlim_max: size,
    };
    // SAFETY: a setting of this process.
    match unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().to_string()),
    }
}

/// Forks, has the child do something and end with its status, and waits
/// for it, but not for long.
pub fn in_a_fork(seconds: u32, act: impl FnOnce() -> i32) -> Result<Child, String> {
    // SAFETY: the child does nothing but what the case is about, and ends
    // without running anything of ours.
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(std::io::Error::last_os_error().to_string()),
        0 => {
            // SAFETY: a setting of the child: the signal ends it.
            unsafe {
                libc::signal(libc::SIGALRM, libc::SIG_DFL);
                libc::alarm(seconds);
            }
            let status = act();
            // SAFETY: ends the child.
            unsafe { libc::_exit(status) }
        }
        _ => {
            let mut status = 0;
            // SAFETY: a child of ours, and room for its status.
            while unsafe { libc::waitpid(child, &mut status, 0) } == -1 {
                let error = std::io::Error::last_os_error();
                if error.kind() != std::io::ErrorKind::Interrupted {
                    return Err(error.to_string());
                }
            }
            Ok(if libc::WIFEXITED(status) {
                Child::Exited(libc::WEXITSTATUS(status))
            } else if libc::WTERMSIG(status) == libc::SIGALRM {
                Child::Hung
            } else {
                Child::Killed(libc::WTERMSIG(status))
            })
        }
    }
}

/// The memory of this process as it sees it itself: none, since the parent's view
/// is exact.
pub(crate) fn own_memory() -> Option<Memory> {
    None
}

/// Reads memory of this process that may not be there. Whether all of it was.
pub fn read_memory(address: usize, into: &mut [u8]) -> bool {
    use std::os::unix::fs::FileExt;
    let Ok(memory) = File::open("/proc/self/mem") else {
        return false;
    };
    memory.read_exact_at(into, address as u64).is_ok()
}

/// Unix has no such heaps.
pub fn win32_heap_owns(_: isize, _: usize) -> Result<(bool, usize), String> {
    Err("this system has no Win32 heaps".into())
}

/// Signals are seen by the parent; there is nothing to report from here.
pub(crate) fn report_exceptions(_: &File, _: &str) {}

/// The host's `errno`.
pub(crate) fn errno_location() -> *mut i32 {
    // SAFETY: gives the address of a variable of this thread.
    #[cfg(target_os = "linux")]
    return unsafe { libc::__errno_location() };
    // SAFETY: as above.
    #[cfg(not(target_os = "linux"))]
    return unsafe { libc::__error() };
}

pub(crate) fn set_last_error(value: u32) {
    // SAFETY: this thread's own variable.
    unsafe { *errno_location() = value as i32 };
}

/// Ends the process at once, without exit handlers.
pub(crate) fn end_process() -> ! {
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) }
}
