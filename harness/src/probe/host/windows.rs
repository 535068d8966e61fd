//! Windows.

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
use windows_sys::Win32::System::Memory::{HeapSize, HeapValidate};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, TerminateProcess};

/// Duplicates of standard input and output; in their place come nothing
/// to read, and standard error to print to.
pub(crate) fn take_over_standard_streams() -> (File, File) {
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
pub(crate) fn close_inherited() {}

/// Keeps a crash from opening a window or starting a debugger.
pub(crate) fn quiet_crashes() {
    // SAFETY: a setting of this process.
    unsafe { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX) };
}

/// A process of its own has no such limit on Windows.
pub(crate) fn limit_address_space(_: usize) -> Result<(), String> {
    Err("Windows has no limit for the address space of one process".into())
}

/// The memory of this process as it sees it itself: the process memory counters,
/// also under Wine.
pub(crate) fn own_memory() -> Option<Memory> {
    // SAFETY: a pseudo handle, which needs no closing.
    working_set(unsafe { GetCurrentProcess() })
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
pub(crate) fn report_exceptions(output: &File, token: &str) {
    let handle = output.as_raw_handle() as usize;
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
