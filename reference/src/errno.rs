//! The heap's own `errno` and `_doserrno`. Each thread has its own. The numbers
//! are those of Microsoft's runtime.
//!
//! Source: *errno, _doserrno, _sys_errlist, and _sys_nerr*, and *errno Constants*.

use core::cell::Cell;
use core::ffi::{c_int, c_ulong};

/// Not enough memory.
pub(crate) const ENOMEM: c_int = 12;
/// Invalid argument.
pub(crate) const EINVAL: c_int = 22;
/// Function not supported. On Linux the number is 38.
pub(crate) const ENOSYS: c_int = 40;

thread_local! {
    /// The number of this thread's last failure.
    pub(crate) static ERRNO: Cell<c_int> = const { Cell::new(0) };
    /// The operating system's number for that failure.
    pub(crate) static DOSERRNO: Cell<c_ulong> = const { Cell::new(0) };
}
