//! The host's `errno`, which may be another variable than the candidate's.

use crate::probe::host;

/// This thread's `errno` in the host's C library.
pub fn host_errno() -> i32 {
    // SAFETY: a variable of this thread.
    unsafe { host::errno_location().read() }
}

/// Sets this thread's `errno` in the host's C library.
pub fn set_host_errno(value: i32) {
    // SAFETY: as above.
    unsafe { host::errno_location().write(value) };
}
