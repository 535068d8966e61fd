//! The text for each number of `errno`.
//!
//! Source: *errno, _doserrno, _sys_errlist, and _sys_nerr*.

use core::ffi::{CStr, c_char, c_int};

/// A C string that is never written to. Its size is that of a C pointer.
#[repr(transparent)]
pub(crate) struct Text(*const c_char);

// SAFETY: any thread may read a string that is never written to.
unsafe impl Sync for Text {}

/// Number of error numbers with a text: 0 to 42.
pub(crate) static COUNT: c_int = 43;

/// One text for each of these numbers, and a last one for all other numbers.
#[rustfmt::skip]
pub(crate) static TEXTS: [Text; 44] = [
    t(c"No error"), t(c"Operation not permitted"), t(c"No such file or directory"), t(c"No such process"), // 0
    t(c"Interrupted function call"), t(c"Input/output error"), t(c"No such device or address"), t(c"Argument list too long"), // 4
    t(c"Executable file format error"), t(c"Bad file descriptor"), t(c"No child processes"), t(c"Resource temporarily unavailable"), // 8
    t(c"Not enough space"), t(c"Permission denied"), t(c"Bad address"), t(c"Unknown error"), // 12
    t(c"Device or resource busy"), t(c"File exists"), t(c"Cross-device link"), t(c"No such device"), // 16
    t(c"Not a directory"), t(c"Is a directory"), t(c"Invalid argument"), t(c"Too many open files in system"), // 20
    t(c"Too many open files"), t(c"Inappropriate I/O control operation"), t(c"Unknown error"), t(c"File too large"), // 24
    t(c"No space left on device"), t(c"Invalid seek"), t(c"Read-only file system"), t(c"Too many links"), // 28
    t(c"Broken pipe"), t(c"Domain error"), t(c"Result too large"), t(c"Unknown error"), // 32
    t(c"Resource deadlock avoided"), t(c"Unknown error"), t(c"Filename too long"), t(c"No locks available"), // 36
    t(c"Function not implemented"), t(c"Directory not empty"), t(c"Illegal byte sequence"), t(c"Unknown error"), // 40
];

const fn t(text: &'static CStr) -> Text {
    Text(text.as_ptr())
}
