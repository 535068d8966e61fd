//! The C names of the reference heap, and nothing else.
#![allow(missing_docs, non_snake_case)]
#![allow(clippy::missing_safety_doc)]

use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use heapmin_reference::routines::{self, Handler, HeapInfo};

/// Gives each routine its C name.
macro_rules! c_names {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $routine:ident;)*) => {$(
        #[unsafe(no_mangle)]
        #[allow(unused_unsafe)] // some routines are safe
        pub unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the C caller promises what the routine's page asks.
            unsafe { routines::$routine($($argument),*) }
        }
    )*};
}

c_names! {
    fn malloc(size: usize) -> *mut c_void = malloc;
    fn calloc(count: usize, size: usize) -> *mut c_void = calloc;
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void = realloc;
    fn _recalloc(block: *mut c_void, count: usize, size: usize) -> *mut c_void = recalloc;
    fn _expand(block: *mut c_void, size: usize) -> *mut c_void = expand;
    fn free(block: *mut c_void) = free;
    fn _msize(block: *mut c_void) -> usize = msize;

    fn _aligned_malloc(size: usize, alignment: usize) -> *mut c_void = aligned_malloc;
    fn _aligned_realloc(block: *mut c_void, size: usize, alignment: usize) -> *mut c_void = aligned_realloc;
    fn _aligned_recalloc(block: *mut c_void, count: usize, size: usize, alignment: usize) -> *mut c_void = aligned_recalloc;
    fn _aligned_offset_malloc(size: usize, alignment: usize, offset: usize) -> *mut c_void = aligned_offset_malloc;
    fn _aligned_offset_realloc(block: *mut c_void, size: usize, alignment: usize, offset: usize) -> *mut c_void = aligned_offset_realloc;
    fn _aligned_offset_recalloc(block: *mut c_void, count: usize, size: usize, alignment: usize, offset: usize) -> *mut c_void = aligned_offset_recalloc;
    fn _aligned_msize(block: *mut c_void, alignment: usize, offset: usize) -> usize = aligned_msize;
    fn _aligned_free(block: *mut c_void) = aligned_free;

    fn _heapmin() -> c_int = heapmin;
    fn _heapchk() -> c_int = heapchk;
    fn _heapwalk(entry: Option<&mut HeapInfo>) -> c_int = heapwalk;
    fn _heapset(fill: c_uint) -> c_int = heapset;
    fn _heapadd(memory: *mut c_void, size: usize) -> c_int = heapadd;

    fn _errno() -> *mut c_int = errno_pointer;
    fn __doserrno() -> *mut c_ulong = doserrno_pointer;
    fn _get_errno(value: Option<&mut c_int>) -> c_int = get_errno;
    fn _set_errno(value: c_int) -> c_int = set_errno_value;
    fn _get_doserrno(value: Option<&mut c_ulong>) -> c_int = get_doserrno;
    fn _set_doserrno(value: c_int) -> c_int = set_doserrno_value;
    fn __sys_errlist() -> *mut *mut c_char = sys_errlist;
    fn __sys_nerr() -> *mut c_int = sys_nerr;

    fn _set_invalid_parameter_handler(handler: Handler) -> Handler = set_invalid_parameter_handler;
    fn _get_invalid_parameter_handler() -> Handler = get_invalid_parameter_handler;
    fn _set_thread_local_invalid_parameter_handler(handler: Handler) -> Handler = set_thread_local_invalid_parameter_handler;
    fn _get_thread_local_invalid_parameter_handler() -> Handler = get_thread_local_invalid_parameter_handler;
}
