//! The C names of the reference heap.
#![allow(non_snake_case)]

use core::ffi::{c_char, c_int, c_uint, c_ulong, c_void};
use heapmin_reference::entry::Entry;
use heapmin_reference::routines::{self, Handler};

/// Gives each routine its C name.
macro_rules! c_names {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $call:expr;)*) => {$(
        #[unsafe(no_mangle)]
        #[allow(unused_unsafe)] // some routines are safe
        unsafe extern "C" fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the C caller promises what the routine's page requires.
            unsafe { $call }
        }
    )*};
}

c_names! {
    fn malloc(size: usize) -> *mut c_void = routines::malloc(size);
    fn calloc(count: usize, size: usize) -> *mut c_void = routines::calloc(count, size);
    fn realloc(block: *mut c_void, size: usize) -> *mut c_void = routines::realloc(block, size);
    fn _recalloc(block: *mut c_void, count: usize, size: usize) -> *mut c_void = routines::recalloc(block, count, size);
    fn _expand(block: *mut c_void, size: usize) -> *mut c_void = routines::expand(block, size);
    fn free(block: *mut c_void) = routines::free(block);
    fn _msize(block: *mut c_void) -> usize = routines::msize(block);

    fn _aligned_malloc(size: usize, alignment: usize) -> *mut c_void = routines::aligned_malloc(size, alignment);
    fn _aligned_realloc(block: *mut c_void, size: usize, alignment: usize) -> *mut c_void = routines::aligned_realloc(block, size, alignment);
    fn _aligned_recalloc(block: *mut c_void, count: usize, size: usize, alignment: usize) -> *mut c_void = routines::aligned_recalloc(block, count, size, alignment);
    fn _aligned_offset_malloc(size: usize, alignment: usize, offset: usize) -> *mut c_void = routines::aligned_offset_malloc(size, alignment, offset);
    fn _aligned_offset_realloc(block: *mut c_void, size: usize, alignment: usize, offset: usize) -> *mut c_void = routines::aligned_offset_realloc(block, size, alignment, offset);
    fn _aligned_offset_recalloc(block: *mut c_void, count: usize, size: usize, alignment: usize, offset: usize) -> *mut c_void = routines::aligned_offset_recalloc(block, count, size, alignment, offset);
    fn _aligned_msize(block: *mut c_void, alignment: usize, offset: usize) -> usize = routines::aligned_msize(block, alignment, offset);
    fn _aligned_free(block: *mut c_void) = routines::aligned_free(block);

    fn _heapmin() -> c_int = routines::heapmin();
    fn _heapchk() -> c_int = routines::heapchk();
    fn _heapwalk(entry: Option<&mut Entry>) -> c_int = routines::heapwalk(entry);
    fn _heapset(fill: c_uint) -> c_int = routines::heapset(fill);
    fn _heapadd(memory: *mut c_void, size: usize) -> c_int = routines::heapadd(memory, size);

    fn _errno() -> *mut c_int = routines::errno();
    fn __doserrno() -> *mut c_ulong = routines::doserrno();
    fn _get_errno(value: Option<&mut c_int>) -> c_int = routines::get_errno(value);
    fn _set_errno(value: c_int) -> c_int = routines::set_errno(value);
    fn _get_doserrno(value: Option<&mut c_ulong>) -> c_int = routines::get_doserrno(value);
    fn _set_doserrno(value: c_int) -> c_int = routines::set_doserrno(value);
    fn __sys_errlist() -> *mut *mut c_char = routines::sys_errlist();
    fn __sys_nerr() -> *mut c_int = routines::sys_nerr();

    fn _set_invalid_parameter_handler(handler: Handler) -> Handler = routines::set_invalid_parameter_handler(handler);
    fn _get_invalid_parameter_handler() -> Handler = routines::get_invalid_parameter_handler();
    fn _set_thread_local_invalid_parameter_handler(handler: Handler) -> Handler = routines::set_thread_local_invalid_parameter_handler(handler);
    fn _get_thread_local_invalid_parameter_handler() -> Handler = routines::get_thread_local_invalid_parameter_handler();
}

/// Further routines that Unix programs expect. With them this library can replace
/// the system's heap.
#[cfg(unix)]
mod posix {
    use super::*;

    c_names! {
        fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void = routines::memalign(alignment, size);
        fn memalign(alignment: usize, size: usize) -> *mut c_void = routines::memalign(alignment, size);
        fn valloc(size: usize) -> *mut c_void = routines::valloc(size);
        fn pvalloc(size: usize) -> *mut c_void = routines::pvalloc(size);
        fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void = routines::reallocarray(block, count, size);
        fn free_sized(block: *mut c_void, size: usize) = routines::free_sized(block, size);
        fn free_aligned_sized(block: *mut c_void, alignment: usize, size: usize) = routines::free_aligned_sized(block, alignment, size);
        fn malloc_usable_size(block: *mut c_void) -> usize = routines::malloc_usable_size(block);
        fn posix_memalign(place: Option<&mut *mut c_void>, alignment: usize, size: usize) -> c_int = match place {
            None => 22,
            Some(place) => match routines::posix_memalign(alignment, size) {
                Ok(block) => { *place = block; 0 }
                Err(error) => error,
            },
        };
    }
}
