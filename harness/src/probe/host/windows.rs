//! The routines for Windows.

use super::Child;
use crate::memory::{Memory, working_set};
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
use windows_sys::Win32::System::Memory::{GetProcessHeaps, HeapSize, HeapValidate};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

/// Duplicates of standard input and output. Afterwards standard input is empty, and
/// standard output is standard error.
pub(crate) fn take_over_standard_streams() -> (File, File) {
    let input = std::io::stdin().as_handle().try_clone_to_owned();
    let output = std::io::stdout().as_handle().try_clone_to_owned();
    let nothing = OpenOptions::new()
        .read(true)
        .open("NUL")
        .expect("NUL can be opened");
    // SAFETY: valid handles; the one to NUL stays open, since `into_raw_handle` gives up
    // its ownership.
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

/// Does nothing: a process inherits only handles that are marked for it.
pub(crate) fn close_inherited() {}

/// Does nothing: a process on Windows has no settings that change what is measured.
pub(crate) fn prepare_process() {}

/// Raises the exception of a breakpoint. The debugger finds the address of `routine`, which
/// is called next, in the register `rax` or `eax`.
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
        // SAFETY: raises an exception, which the debugger takes.
        unsafe { windows_sys::Win32::System::Diagnostics::Debug::DebugBreak() };
    }
}

/// Keeps a crash from opening a window or starting a debugger.
pub(crate) fn leave_no_trace() {
    // SAFETY: a setting of this process.
    unsafe { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX) };
}

/// An error: Windows has no such limit for one process.
pub(crate) fn limit_address_space(_: usize) -> Result<(), String> {
    Err("Windows has no limit for the address space of one process".into())
}

/// The memory of this process, measured from inside, also under Wine.
pub(crate) fn own_memory() -> Option<Memory> {
    // SAFETY: a pseudo handle, which needs no closing.
    working_set(unsafe { GetCurrentProcess() })
}

/// Reads memory of this process that may be unmapped. Returns whether all of it was read.
pub fn read_memory(address: usize, into: &mut [u8]) -> bool {
    let mut read = 0;
    // SAFETY: a buffer with its length; memory that cannot be read is an error.
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

/// An error: Windows has no fork.
///
/// # Errors
/// The reason, if the system has no fork or cannot make another process.
pub fn in_a_fork(_: u32, _: impl FnOnce() -> i32) -> Result<Child, String> {
    Err("this system has no fork".into())
}

/// An error: Windows has no fork.
///
/// # Errors
/// The reason, if the system has no fork or cannot make another process.
pub fn in_a_fork_within(_: std::time::Duration, _: impl FnOnce() -> i32) -> Result<Child, String> {
    Err("this system has no fork".into())
}

/// The Win32 heaps of this process.
///
/// # Errors
/// The reason, if the system has no Win32 heaps or does not name them.
pub fn win32_heaps() -> Result<Vec<isize>, String> {
    // Room for more heaps than a process with one C runtime has. A count that is greater
    // than the room leaves the room as it is.
    let mut heaps = [std::ptr::null_mut(); 256];
    // SAFETY: an array with its length.
    let count = unsafe { GetProcessHeaps(heaps.len() as u32, heaps.as_mut_ptr()) } as usize;
    let known = heaps.get(..count).unwrap_or_default();
    Ok(known.iter().map(|heap| *heap as isize).collect())
}

/// Whether a block is a valid block of a Win32 heap, and its size in bytes there.
///
/// # Errors
/// The reason, if the system has no Win32 heaps or does not name them.
pub fn win32_heap_owns(heap: isize, address: usize) -> Result<(bool, usize), String> {
    let (heap, address) = (heap as HANDLE, address as *const std::ffi::c_void);
    // SAFETY: routines that only read a heap. A wrong handle kills this process; a probe
    // may die.
    unsafe {
        let owned = HeapValidate(heap, 0, address) != 0;
        Ok((owned, if owned { HeapSize(heap, 0, address) } else { 0 }))
    }
}

/// The pipe's handle as a number, and the line for an exception up to its code.
static LAST_WORDS: OnceLock<(usize, String)> = OnceLock::new();

/// Installs a filter that reports an unhandled exception with its code and ends the
/// process.
pub(crate) fn report_exceptions(output: &File, token: &str) {
    let handle = output.as_raw_handle() as usize;
    // The line of `encode` for `Event::Exception`, up to the code.
    let line = format!("\n{token} {{\"exception\":");
    if LAST_WORDS.set((handle, line)).is_ok() {
        // SAFETY: the filter needs only some stack of the thread with the exception.
        unsafe { SetUnhandledExceptionFilter(Some(last_words)) };
    }
}

unsafe extern "system" fn last_words(info: *const EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system passes a record that is valid during the call.
    let code = unsafe { (*(*info).ExceptionRecord).ExceptionCode } as u32;
    // The heap may be damaged, so nothing allocates from here on.
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

pub(crate) fn set_last_error(value: u32) {
    // SAFETY: a value of this thread.
    unsafe { SetLastError(value) };
}

/// Ends the process at once, without exit handlers.
pub(crate) fn end_process() -> ! {
    // SAFETY: ends this process.
    unsafe { TerminateProcess(GetCurrentProcess(), 0) };
    unreachable!("the process has ended")
}
