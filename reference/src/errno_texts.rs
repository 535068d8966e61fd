//! What the numbers of `errno` mean, in words.
//!
//! Source: *errno, _doserrno, _sys_errlist, and _sys_nerr*.

use core::ffi::{CStr, c_char, c_int};

/// A C string that is never written to. Its size is that of a C pointer.
#[repr(transparent)]
pub struct Text(*const c_char);

// SAFETY: a string that is never written to belongs to no thread.
unsafe impl Sync for Text {}

/// How many numbers have a text, from 0 on.
pub static COUNT: c_int = 43;

/// One text for each number, and one for all the others.
pub static TEXTS: [Text; 44] = {
    let mut texts = [const { Text(UNKNOWN.as_ptr()) }; 44];
    let mut number = 0;
    while number < WORDS.len() {
        texts[number] = Text(WORDS[number].as_ptr());
        number += 1;
    }
    texts
};

const UNKNOWN: &CStr = c"Unknown error";

#[rustfmt::skip]
const WORDS: [&CStr; 43] = [
    c"No error", c"Operation not permitted", c"No such file or directory", c"No such process", // 0
    c"Interrupted function call", c"Input/output error", c"No such device or address", c"Argument list too long", // 4
    c"Executable file format error", c"Bad file descriptor", c"No child processes", c"Resource temporarily unavailable", // 8
    c"Not enough space", c"Permission denied", c"Bad address", UNKNOWN, // 12
    c"Device or resource busy", c"File exists", c"Cross-device link", c"No such device", // 16
    c"Not a directory", c"Is a directory", c"Invalid argument", c"Too many open files in system", // 20
    c"Too many open files", c"Inappropriate I/O control operation", UNKNOWN, c"File too large", // 24
    c"No space left on device", c"Invalid seek", c"Read-only file system", c"Too many links", // 28
    c"Broken pipe", c"Domain error", c"Result too large", UNKNOWN, // 32
    c"Resource deadlock avoided", UNKNOWN, c"Filename too long", c"No locks available", // 36
    c"Function not implemented", c"Directory not empty", c"Illegal byte sequence", // 40
];
