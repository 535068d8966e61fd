//! The C names of the reference heap, and nothing else.
#![allow(missing_docs, non_snake_case)]
#![allow(clippy::missing_safety_doc)]

use core::ffi::{c_int, c_ulong, c_void};
use heapmin_reference::routines::{self, HeapInfo};

#[unsafe(no_mangle)]
pub extern "C" fn malloc(size: usize) -> *mut c_void {
    routines::malloc(size)
}

#[unsafe(no_mangle)]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    routines::calloc(count, size)
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the C caller promises what the routine's page asks.
    unsafe { routines::realloc(block, size) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the C caller promises what the routine's page asks.
    unsafe { routines::free(block) }
}

#[unsafe(no_mangle)]
pub extern "C" fn _msize(block: *mut c_void) -> usize {
    routines::msize(block)
}

#[unsafe(no_mangle)]
pub extern "C" fn _heapmin() -> c_int {
    routines::heapmin()
}

#[unsafe(no_mangle)]
pub extern "C" fn _heapchk() -> c_int {
    routines::heapchk()
}

#[unsafe(no_mangle)]
pub extern "C" fn _heapwalk(entry: Option<&mut HeapInfo>) -> c_int {
    routines::heapwalk(entry)
}

#[unsafe(no_mangle)]
pub extern "C" fn _errno() -> *mut c_int {
    routines::errno_pointer()
}

#[unsafe(no_mangle)]
pub extern "C" fn __doserrno() -> *mut c_ulong {
    routines::doserrno_pointer()
}

#[unsafe(no_mangle)]
pub extern "C" fn _get_errno(value: Option<&mut c_int>) -> c_int {
    routines::get_errno(value)
}

#[unsafe(no_mangle)]
pub extern "C" fn _set_errno(value: c_int) -> c_int {
    routines::set_errno_value(value)
}

#[unsafe(no_mangle)]
pub extern "C" fn _get_doserrno(value: Option<&mut c_ulong>) -> c_int {
    routines::get_doserrno(value)
}

#[unsafe(no_mangle)]
pub extern "C" fn _set_doserrno(value: c_int) -> c_int {
    routines::set_doserrno_value(value)
}
