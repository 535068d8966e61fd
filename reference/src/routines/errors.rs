//! `errno`, `_doserrno` and the texts for them.

use super::handler::invalid_parameter;
use crate::errno::{DOSERRNO, EINVAL, ERRNO};
use crate::errno_texts::{COUNT, TEXTS};
use core::cell::Cell;
use core::ffi::{c_char, c_int, c_ulong};
use std::thread::LocalKey;

/// Where this thread's `errno` is kept. Page: *errno*.
pub fn errno() -> *mut c_int {
    ERRNO.with(Cell::as_ptr)
}

/// Where this thread's `_doserrno` is kept. Page: *errno*.
pub fn doserrno() -> *mut c_ulong {
    DOSERRNO.with(Cell::as_ptr)
}

/// Copies `errno` out. 0, or `EINVAL` for a null pointer. Page: *_get_errno*.
pub fn get_errno(value: Option<&mut c_int>) -> c_int {
    get(&ERRNO, value)
}

/// Copies `_doserrno` out. 0, or `EINVAL` for a null pointer. Page: *_get_doserrno*.
pub fn get_doserrno(value: Option<&mut c_ulong>) -> c_int {
    get(&DOSERRNO, value)
}

fn get<T: Copy>(from: &'static LocalKey<Cell<T>>, to: Option<&mut T>) -> c_int {
    let Some(to) = to else {
        return invalid_parameter(EINVAL);
    };
    *to = from.get();
    0
}

/// Sets `errno`; always 0. Page: *_set_errno*.
pub fn set_errno(value: c_int) -> c_int {
    ERRNO.set(value);
    0
}

/// Sets `_doserrno`; always 0. Page: *_set_doserrno*.
pub fn set_doserrno(value: c_int) -> c_int {
    DOSERRNO.set(value as c_ulong);
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
