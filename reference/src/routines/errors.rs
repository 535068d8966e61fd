//! `errno`, `_doserrno` and the texts of the error numbers.

use super::handler::invalid_parameter;
use crate::errno::{DOSERRNO, EINVAL, ERRNO};
use crate::errno_texts::{COUNT, TEXTS};
use core::cell::Cell;
use core::ffi::{c_char, c_int, c_ulong};
use std::thread::LocalKey;

/// The address of this thread's `errno`. Page: *errno*.
pub fn errno() -> *mut c_int {
    ERRNO.with(Cell::as_ptr)
}

/// The address of this thread's `_doserrno`. Page: *errno*.
pub fn doserrno() -> *mut c_ulong {
    DOSERRNO.with(Cell::as_ptr)
}

/// Copies `errno` to `value`. Returns 0, or `EINVAL` if `value` is null. Page:
/// *_get_errno*.
pub fn get_errno(value: Option<&mut c_int>) -> c_int {
    get(&ERRNO, value)
}

/// Copies `_doserrno` to `value`. Returns 0, or `EINVAL` if `value` is null.
/// Page: *_get_doserrno*.
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

/// Sets `errno`. Always returns 0. Page: *_set_errno*.
pub fn set_errno(value: c_int) -> c_int {
    ERRNO.set(value);
    0
}

/// Sets `_doserrno`. Always returns 0. Page: *_set_doserrno*.
pub fn set_doserrno(value: c_int) -> c_int {
    DOSERRNO.set(value as c_ulong);
    0
}

/// The address of the array of texts for `errno`. The text at index [`sys_nerr`]
/// is for all other numbers. The program must not write to it. Page: *errno*.
pub fn sys_errlist() -> *mut *mut c_char {
    TEXTS.as_ptr().cast_mut().cast()
}

/// The address of the number of texts for `errno`. The program must not write to
/// it. Page: *errno*.
pub fn sys_nerr() -> *mut c_int {
    (&raw const COUNT).cast_mut()
}
