//! The table of routines: the C names, with the signatures on their pages.

use super::HeapInfo;
use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

/// An invalid parameter handler. Its parameters are expression, function, file, line and
/// a reserved one. All are null or zero except in debug builds.
pub(super) type Handler = unsafe extern "C" fn(*const u16, *const u16, *const u16, c_uint, usize);

/// A new handler. Its parameter is the number of bytes of the request that failed. It
/// returns 0 if the request fails, and another number if the heap must try again.
pub(super) type NewHandler = unsafe extern "C" fn(usize) -> c_int;

type Pointer = *mut c_void;

/// Where routines are looked up. Each function returns an address, or null.
pub(super) struct Homes<'a> {
    /// In the library itself.
    pub heap: &'a dyn Fn(&str) -> *const c_void,
    /// In the library that contains its `errno`, for most candidates the same one.
    pub runtime: &'a dyn Fn(&str) -> *const c_void,
}

macro_rules! routines {
    ($($home:ident $name:ident: fn($($parameter:ty),*) $(-> $result:ty)?;)*) => {
        /// The routines that were found, each in a field with its C name.
        #[allow(non_snake_case)]
        pub(super) struct Routines {
            $(pub $name: Option<unsafe extern "C" fn($($parameter),*) $(-> $result)?>,)*
        }

        impl Routines {
            /// Every name in the table.
            #[cfg(test)]
            const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// Looks up every routine: those of the heap in the library itself, those of
            /// the runtime in the library that contains `errno`.
            ///
            /// # Safety
            /// Both functions return the address of a routine with that name, or null.
            pub(super) unsafe fn find(homes: &Homes) -> Routines {
                // SAFETY: each name belongs to a routine with the signature on its page.
                // A probe exists to run libraries that break this. An Option of a function
                // is None for null.
                unsafe {
                    Routines {
                        $($name: std::mem::transmute::<
                            *const c_void,
                            Option<unsafe extern "C" fn($($parameter),*) $(-> $result)?>,
                        >((homes.$home)(stringify!($name))),)*
                    }
                }
            }

            /// Whether this routine was found.
            pub(super) fn has(&self, name: &str) -> bool {
                !self.address(name).is_null()
            }

            /// The address of this routine; null if it was not found.
            pub(super) fn address(&self, name: &str) -> *const c_void {
                match name {
                    $(stringify!($name) => self.$name.map_or(ptr::null(), |it| it as _),)*
                    _ => ptr::null(),
                }
            }
        }
    };
}

routines! {
    heap malloc: fn(usize) -> Pointer;
    heap calloc: fn(usize, usize) -> Pointer;
    heap realloc: fn(Pointer, usize) -> Pointer;
    heap free: fn(Pointer);
    heap _msize: fn(Pointer) -> usize;
    heap _expand: fn(Pointer, usize) -> Pointer;
    heap _recalloc: fn(Pointer, usize, usize) -> Pointer;
    heap _aligned_malloc: fn(usize, usize) -> Pointer;
    heap _aligned_offset_malloc: fn(usize, usize, usize) -> Pointer;
    heap _aligned_realloc: fn(Pointer, usize, usize) -> Pointer;
    heap _aligned_offset_realloc: fn(Pointer, usize, usize, usize) -> Pointer;
    heap _aligned_recalloc: fn(Pointer, usize, usize, usize) -> Pointer;
    heap _aligned_offset_recalloc: fn(Pointer, usize, usize, usize, usize) -> Pointer;
    heap _aligned_msize: fn(Pointer, usize, usize) -> usize;
    heap _aligned_free: fn(Pointer);
    heap _heapmin: fn() -> c_int;
    heap _heapchk: fn() -> c_int;
    heap _heapwalk: fn(*mut HeapInfo) -> c_int;
    heap _heapset: fn(c_uint) -> c_int;
    heap _heapadd: fn(Pointer, usize) -> c_int;
    heap _get_heap_handle: fn() -> isize;
    heap _strdup: fn(*const c_char) -> Pointer;
    heap _mbsdup: fn(*const c_char) -> Pointer;
    // wchar_t has 16 or 32 bits. Every wide string is called u16 here.
    heap _wcsdup: fn(*const u16) -> Pointer;
    heap _fullpath: fn(Pointer, *const c_char, usize) -> Pointer;
    heap _wfullpath: fn(Pointer, *const u16, usize) -> Pointer;
    heap _getcwd: fn(Pointer, c_int) -> Pointer;
    heap _wgetcwd: fn(Pointer, c_int) -> Pointer;
    heap _getdcwd: fn(c_int, Pointer, c_int) -> Pointer;
    heap _wgetdcwd: fn(c_int, Pointer, c_int) -> Pointer;
    heap _dupenv_s: fn(*mut Pointer, *mut usize, *const c_char) -> c_int;
    heap _wdupenv_s: fn(*mut Pointer, *mut usize, *const u16) -> c_int;
    heap _tempnam: fn(*const c_char, *const c_char) -> Pointer;
    heap _wtempnam: fn(*const u16, *const u16) -> Pointer;
    heap _set_new_mode: fn(c_int) -> c_int;
    heap _query_new_mode: fn() -> c_int;
    heap _set_new_handler: fn(Option<NewHandler>) -> Option<NewHandler>;
    heap _query_new_handler: fn() -> Option<NewHandler>;
    heap _callnewh: fn(usize) -> c_int;
    runtime _errno: fn() -> *mut c_int;
    // An unsigned long. Its lower half is first on every system that the probe supports.
    runtime __doserrno: fn() -> *mut u32;
    runtime _get_errno: fn(*mut c_int) -> c_int;
    runtime _set_errno: fn(c_int) -> c_int;
    runtime _get_doserrno: fn(*mut usize) -> c_int;
    runtime _set_doserrno: fn(c_uint) -> c_int;
    runtime __sys_errlist: fn() -> *mut *const c_char;
    runtime __sys_nerr: fn() -> *mut c_int;
    runtime strerror: fn(c_int) -> *const c_char;
    runtime _set_invalid_parameter_handler: fn(Option<Handler>) -> Option<Handler>;
    runtime _get_invalid_parameter_handler: fn() -> Option<Handler>;
    runtime _set_thread_local_invalid_parameter_handler: fn(Option<Handler>) -> Option<Handler>;
    runtime _get_thread_local_invalid_parameter_handler: fn() -> Option<Handler>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::routines::ROUTINES;

    #[test]
    fn the_table_has_every_known_routine_and_no_other() {
        assert_eq!(Routines::NAMES, ROUTINES);
    }
}
