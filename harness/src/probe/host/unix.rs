//! The routines for Unix.

use super::Child;
use crate::memory::Memory;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::time::Duration;

/// Duplicates of standard input and output. Afterwards standard input is empty, and
/// standard output is standard error.
pub(crate) fn take_over_standard_streams() -> (File, File) {
    let input = std::io::stdin().as_fd().try_clone_to_owned();
    let output = std::io::stdout().as_fd().try_clone_to_owned();
    let nothing = OpenOptions::new().read(true).open("/dev/null");
    let nothing = nothing.expect("/dev/null can be opened");
    // SAFETY: replaces descriptors 0 and 1, which no owner in std closes.
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

/// Closes all descriptors but the three standard streams. The program that started the
/// harness may have left others open, which a candidate must not use.
pub(crate) fn close_inherited() {
    const FIRST: libc::c_uint = 3;
    #[cfg(target_os = "linux")]
    // SAFETY: nothing in this process owns another descriptor yet.
    let done = unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, 0) == 0 };
    #[cfg(not(target_os = "linux"))]
    let done = false;
    if !done {
        // SAFETY: as above; closing one that is not open does nothing.
        (FIRST as i32..1024).for_each(|descriptor| unsafe {
            libc::close(descriptor);
        });
    }
}

/// Prevents huge pages: figures of resident memory must be exact to the page on every
/// machine. Gives signals the actions that they have in a C program; Rust's runtime sets
/// others.
pub(crate) fn prepare_process() {
    // SAFETY: settings of this process; a failure changes nothing.
    unsafe {
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGPIPE] {
            libc::signal(signal, libc::SIG_DFL);
        }
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0);
    }
}

/// Prevents core files, and lets the system kill this process when its parent ends.
pub(crate) fn leave_no_trace() {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: settings of this process; a failure changes nothing.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        // A candidate that hangs must not outlive its parent.
        #[cfg(target_os = "linux")]
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
    }
}

/// Raises the signal of a breakpoint. On x86 the debugger finds the address of `routine`,
/// which is called next, in the register `rax` or `eax`.
#[inline(never)]
pub(crate) fn breakpoint(routine: *const std::ffi::c_void) {
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
    // SAFETY: an instruction that changes no memory and no register.
    unsafe {
        std::arch::asm!("int3", in("ax") routine)
    };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
    {
        let _ = routine;
        // SAFETY: raises a signal, which the debugger takes.
        unsafe { libc::raise(libc::SIGTRAP) };
    }
}

/// Limits the address space of this process to its current size plus `room` bytes.
pub(crate) fn limit_address_space(room: usize) -> Result<(), String> {
    // The candidate may take all of the room. So the program's own allocator gets memory
    // now, for what the case itself needs: glibc keeps up to 128 KiB of what is freed.
    drop(std::hint::black_box(Vec::<u8>::with_capacity(120 << 10)));
    let statm = std::fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
    let pages = statm
        .split(' ')
        .next()
        .and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or("the size of this process cannot be read")?;
    // SAFETY: sysconf reads a constant of the system.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let size = pages * page + room as u64;
    let limit = Rlimit {
        current: Some(size),
        maximum: Some(size),
    };
    setrlimit(Resource::As, limit).map_err(|error| error.to_string())
}

/// Forks. The child runs `act` and exits with its result. Waits for the child, which is
/// killed after `seconds`.
///
/// # Errors
/// The reason, if the system has no fork or cannot make another process.
pub fn in_a_fork(seconds: u32, act: impl FnOnce() -> i32) -> Result<Child, String> {
    in_a_fork_within(Duration::from_secs(seconds.into()), act)
}

/// Forks as [`in_a_fork`] does. The child is killed after `limit`.
///
/// # Errors
/// The reason, if the system has no fork or cannot make another process.
pub fn in_a_fork_within(limit: Duration, act: impl FnOnce() -> i32) -> Result<Child, String> {
    let timer = libc::itimerval {
        it_interval: libc::timeval {
            tv_sec: 0,
            tv_usec: 0,
        },
        it_value: libc::timeval {
            tv_sec: limit.as_secs() as libc::time_t,
            tv_usec: limit.subsec_micros() as libc::suseconds_t,
        },
    };
    // SAFETY: the child runs only `act`, which is the subject of the case, and exits
    // without exit handlers.
    let child = unsafe { libc::fork() };
    match child {
        -1 => Err(std::io::Error::last_os_error().to_string()),
        0 => {
            // SAFETY: settings of the child: the signal kills it.
            unsafe {
                libc::signal(libc::SIGALRM, libc::SIG_DFL);
                libc::setitimer(libc::ITIMER_REAL, &timer, ptr::null_mut());
            }
            let status = act();
            // SAFETY: ends the child.
            unsafe { libc::_exit(status) }
        }
        _ => {
            let mut status = 0;
            // SAFETY: a child of this process, and room for its status.
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

/// The memory of this process, measured from inside: `None`, since the parent's figure is
/// exact.
pub(crate) fn own_memory() -> Option<Memory> {
    None
}

/// Reads memory of this process that may be unmapped. Returns whether all of it was read.
pub fn read_memory(address: usize, into: &mut [u8]) -> bool {
    use std::os::unix::fs::FileExt;
    let Ok(memory) = File::open("/proc/self/mem") else {
        return false;
    };
    memory.read_exact_at(into, address as u64).is_ok()
}

/// An error: Unix has no Win32 heaps.
///
/// # Errors
/// The reason, if the system has no Win32 heaps or does not name them.
pub fn win32_heaps() -> Result<Vec<isize>, String> {
    Err("this system has no Win32 heaps".into())
}

/// An error: Unix has no Win32 heaps.
///
/// # Errors
/// The reason, if the system has no Win32 heaps or does not name them.
pub fn win32_heap_owns(_: isize, _: usize) -> Result<(bool, usize), String> {
    Err("this system has no Win32 heaps".into())
}

/// Does nothing: the parent sees signals.
pub(crate) fn report_exceptions(_: &File, _: &str) {}

/// The address of this thread's `errno` in the host's C library.
pub(crate) fn errno_location() -> *mut i32 {
    // SAFETY: returns the address of a variable of this thread.
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
