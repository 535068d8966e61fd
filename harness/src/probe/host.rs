//! What the probe asks of its own system: streams, last error, crashes, the end.

#[cfg(unix)]
pub use unix::*;
#[cfg(windows)]
pub use windows::*;

/// What became of a child process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    /// It ended with this status.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
    /// It did not end in time, and was killed.
    Hung,
}

#[cfg(unix)]
mod unix {
    use super::Child;
    use crate::probe::pipe::Pipe;
    use std::fs::{File, OpenOptions};
    use std::os::fd::{AsFd, AsRawFd};

    /// Duplicates of standard input and output; in their place come nothing
    /// to read, and standard error to print to.
    pub fn take_over_standard_streams() -> (File, File) {
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
    pub fn close_inherited() {
        const FIRST: libc::c_uint = 3;
        #[cfg(target_os = "linux")]
        // SAFETY: nothing in this process has a descriptor of its own yet.
        let done =
            unsafe { libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, 0) == 0 };
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
    pub fn quiet_crashes() {
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
    pub fn limit_address_space(room: usize) -> Result<(), String> {
        let statm =
            std::fs::read_to_string("/proc/self/statm").map_err(|error| error.to_string())?;
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

    /// Memory that a process may still take, in bytes; `None` where the system
    /// does not say.
    pub fn available_memory() -> Option<u64> {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text
            .lines()
            .find(|line| line.starts_with("MemAvailable:"))?;
        let kib = line.split_whitespace().nth(1)?.parse::<u64>().ok()?;
        Some(kib * 1024)
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
    pub fn report_exceptions(_: &Pipe, _: &str) {}

    /// The host's `errno`.
    pub fn errno_location() -> *mut i32 {
        // SAFETY: gives the address of a variable of this thread.
        #[cfg(target_os = "linux")]
        return unsafe { libc::__errno_location() };
        // SAFETY: as above.
        #[cfg(not(target_os = "linux"))]
        return unsafe { libc::__error() };
    }

    pub fn set_last_error(value: u32) {
        // SAFETY: this thread's own variable.
        unsafe { *errno_location() = value as i32 };
    }

    /// Ends the process at once, without exit handlers.
    pub fn end_process() -> ! {
        // SAFETY: ends the process.
        unsafe { libc::_exit(0) }
    }
}

#[cfg(windows)]
mod windows {
    use super::Child;
    use crate::probe::pipe::Pipe;
    use std::fs::{File, OpenOptions};
    use std::os::windows::io::{AsHandle, AsRawHandle, IntoRawHandle};
    use std::sync::OnceLock;
    use windows_sys::Win32::Foundation::{HANDLE, SetLastError};
    use windows_sys::Win32::Storage::FileSystem::WriteFile;
    use windows_sys::Win32::System::Console::{
        GetStdHandle, STD_ERROR_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle,
    };
    use windows_sys::Win32::System::Diagnostics::Debug::{
        EXCEPTION_POINTERS, ReadProcessMemory, SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX,
        SetErrorMode, SetUnhandledExceptionFilter,
    };
    use windows_sys::Win32::System::Memory::{HeapSize, HeapValidate};
    use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};
    use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

    /// Duplicates of standard input and output; in their place come nothing
    /// to read, and standard error to print to.
    pub fn take_over_standard_streams() -> (File, File) {
        let input = std::io::stdin().as_handle().try_clone_to_owned();
        let output = std::io::stdout().as_handle().try_clone_to_owned();
        let nothing = OpenOptions::new()
            .read(true)
            .open("NUL")
            .expect("NUL can be opened");
        // SAFETY: valid handles; the one to NUL is given away and stays open.
        unsafe {
            SetStdHandle(STD_INPUT_HANDLE, nothing.into_raw_handle() as _);
            SetStdHandle(STD_OUTPUT_HANDLE, GetStdHandle(STD_ERROR_HANDLE));
        }
        let message = "standard input and output are open";
        (
            File::from(input.expect(message)),
            File::from(output.expect(message)),
        )
    }

    /// A process gets only those handles here that it is meant to have.
    pub fn close_inherited() {}

    /// Keeps a crash from opening a window or starting a debugger.
    pub fn quiet_crashes() {
        // SAFETY: a setting of this process.
        unsafe { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX) };
    }

    /// A process of its own has no such limit on Windows.
    pub fn limit_address_space(_: usize) -> Result<(), String> {
        Err("Windows has no limit for the address space of one process".into())
    }

    /// Memory that a process may still take, in bytes; `None` where the system
    /// does not say.
    pub fn available_memory() -> Option<u64> {
        let mut status = MEMORYSTATUSEX {
            dwLength: size_of::<MEMORYSTATUSEX>() as u32,
            // SAFETY: plain data, for which zeros are a value.
            ..unsafe { std::mem::zeroed() }
        };
        // SAFETY: a record of the length it says.
        let known = unsafe { GlobalMemoryStatusEx(&mut status) } != 0;
        known.then_some(status.ullAvailPhys.min(status.ullAvailPageFile))
    }

    /// Reads memory of this process that may not be there. Whether all of it was.
    pub fn read_memory(address: usize, into: &mut [u8]) -> bool {
        let mut read = 0;
        // SAFETY: a buffer of the length it says; what cannot be read is an error.
        let done = unsafe {
            ReadProcessMemory(
                GetCurrentProcess(),
                address as *const std::ffi::c_void,
                into.as_mut_ptr().cast(),
                into.len(),
                &mut read,
            )
        };
        done != 0 && read == into.len()
    }

    /// Windows has no fork.
    pub fn in_a_fork(_: u32, _: impl FnOnce() -> i32) -> Result<Child, String> {
        Err("this system has no fork".into())
    }

    /// Whether a Win32 heap finds a block to be a sound one of its own, and
    /// how large it finds it.
    pub fn win32_heap_owns(heap: isize, address: usize) -> Result<(bool, usize), String> {
        let (heap, address) = (heap as HANDLE, address as *const std::ffi::c_void);
        // SAFETY: routines that look at a heap; a wrong handle ends this
        // process, which is the probe's to risk.
        unsafe {
            let owned = HeapValidate(heap, 0, address) != 0;
            Ok((owned, if owned { HeapSize(heap, 0, address) } else { 0 }))
        }
    }

    /// The pipe as a number, and the line for an exception up to its code.
    static LAST_WORDS: OnceLock<(usize, String)> = OnceLock::new();

    /// Reports an exception that nobody handles, with its code, and ends the process.
    pub fn report_exceptions(pipe: &Pipe, token: &str) {
        let handle = pipe.output().as_raw_handle() as usize;
        // What `encode` makes of `Event::Exception`, without its number.
        let line = format!("\n{token} {{\"exception\":");
        if LAST_WORDS.set((handle, line)).is_ok() {
            // SAFETY: the filter below needs nothing of the broken thread but some stack.
            unsafe { SetUnhandledExceptionFilter(Some(last_words)) };
        }
    }

    unsafe extern "system" fn last_words(info: *const EXCEPTION_POINTERS) -> i32 {
        // SAFETY: the system passes a record that lives as long as the call.
        let code = unsafe { (*(*info).ExceptionRecord).ExceptionCode } as u32;
        // The heap may be broken: no allocation from here on.
        let mut digits = [0u8; 12];
        let mut at = digits.len() - 2;
        digits[at..].copy_from_slice(b"}\n");
        let mut rest = code;
        loop {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if let Some((handle, line)) = LAST_WORDS.get() {
            for part in [line.as_bytes(), &digits[at..]] {
                let mut written = 0;
                // SAFETY: the pipe is never closed before the process ends.
                unsafe {
                    WriteFile(
                        *handle as _,
                        part.as_ptr(),
                        part.len() as u32,
                        &mut written,
                        std::ptr::null_mut(),
                    );
                }
            }
        }
        // SAFETY: ends this process.
        unsafe { TerminateProcess(GetCurrentProcess(), code) };
        0
    }

    pub fn set_last_error(value: u32) {
        // SAFETY: a value of this thread.
        unsafe { SetLastError(value) };
    }

    /// Ends the process at once, without exit handlers.
    pub fn end_process() -> ! {
        // SAFETY: ends this process.
        unsafe { TerminateProcess(GetCurrentProcess(), 0) };
        unreachable!("the process has ended")
    }
}
