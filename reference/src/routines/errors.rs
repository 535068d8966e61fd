//! `errno`, `_doserrno` and the texts for them.

use super::handler::invalid_parameter;
use crate::errno::{EINVAL, doserrno_location, errno_location};
use crate::errno::{doserrno, errno, set_doserrno, set_errno};
use crate::errno_texts::{COUNT, TEXTS};
use core::ffi::{c_char, c_int, c_ulong};

/// Where this thread's `errno` is kept. Page: *errno*.
pub fn errno_pointer() -> *mut c_int {
    errno_location()
}

/// Where this thread's `_doserrno` is kept. Page: *errno*.
pub fn doserrno_pointer() -> *mut c_ulong {
    doserrno_location()
}

/// Copies `errno` out. 0, or `EINVAL` for a null pointer. Page: *_get_errno*.
pub fn get_errno(value: Option<&mut c_int>) -> c_int {
    let Some(value) = value else {
        return invalid_parameter(EINVAL);
    };
    *value = errno();
    0
}

/// Sets `errno`; always 0. Page: *_set_errno*.
pub fn set_errno_value(value: c_int) -> c_int {
    set_errno(value);
    0
}

/// Copies `_doserrno` out. 0, or `EINVAL` for a null pointer. Page: *_get_doserrno*.
pub fn get_doserrno(value: Option<&mut c_ulong>) -> c_int {
    let Some(value) = value else {
        return invalid_parameter(EINVAL);
    };
    *value = doserrno();
    0
}

/// Sets `_doserrno`; always 0. Page: *_set_doserrno*.
pub fn set_doserrno_value(value: c_int) -> c_int {
    set_doserrno(value as c_ulong);
    0
}

/// The first of the texts for `errno`, one behind the other; the one at
/// [`sys_nerr`] is for all other numbers. Nobody may write to them. Page: *errno*.
pub fn sys_errlist() -> *mut *mut c_char {
    TEXTS.as_ptr().cast_mut().cast()
}

/// How many numbers have a text. Nobody may write to it. Page: *errno*.
pub fn sys_nerr() -> *mut c_int {
    (&raw const COUNT).cast_mut()
}
