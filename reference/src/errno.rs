//! The heap's own `errno` and `_doserrno`, one of each per thread, in the
//! numbering of Microsoft's runtime.
//!
//! Source: *errno, _doserrno, _sys_errlist, and _sys_nerr*, and *errno Constants*.

use core::cell::Cell;
use core::ffi::{c_int, c_ulong};

/// Not enough memory.
pub const ENOMEM: c_int = 12;
/// Invalid argument.
pub const EINVAL: c_int = 22;
/// Function not supported. A Linux host calls this 38.
pub const ENOSYS: c_int = 40;

thread_local! {
    static ERRNO: Cell<c_int> = const { Cell::new(0) };
    static DOSERRNO: Cell<c_ulong> = const { Cell::new(0) };
}

/// Where this thread's `errno` is kept.
pub fn errno_location() -> *mut c_int {
    ERRNO.with(Cell::as_ptr)
}

/// Where this thread's `_doserrno` is kept.
pub fn doserrno_location() -> *mut c_ulong {
    DOSERRNO.with(Cell::as_ptr)
}

/// This thread's `errno`.
pub fn errno() -> c_int {
    ERRNO.get()
}

/// Sets this thread's `errno`.
pub fn set_errno(value: c_int) {
    ERRNO.set(value);
}

/// This thread's `_doserrno`: the operating system's number for the last failure.
pub fn doserrno() -> c_ulong {
    DOSERRNO.get()
}

/// Sets this thread's `_doserrno`.
pub fn set_doserrno(value: c_ulong) {
    DOSERRNO.set(value);
}
