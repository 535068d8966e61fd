//! Binds a library's calls of its own routines to these routines (ELF).
//!
//! A library built with `-shared -fPIC` and nothing else calls its own `malloc` through a
//! table that the loader fills. In a program that preloads the library or links it, the
//! table has the library's `malloc`. Here the program's `malloc` is already loaded, and the
//! loader would choose that one. With glibc, `RTLD_DEEPBIND` lets it choose the library's.
//! Where that flag does not exist, the table is changed after loading; code that ran
//! during loading has then used the program's routines.

use super::loader::{Loaded, binds_deeply, file_of};
use crate::library::routines::is_of_a_heap;
use std::ffi::c_void;

/// A routine that the library calls in another library.
pub(super) struct Elsewhere {
    pub(super) routine: String,
    /// The file of the other library.
    pub(super) file: String,
}

/// Checks the places that hold addresses of the library's own routines, each an offset
/// with the routine's name, and changes them where the loader cannot bind deeply.
pub(super) fn bind(library: &Loaded, own_calls: &[(u64, String)]) -> Result<(), Elsewhere> {
    let Some(base) = base(library) else {
        return Ok(());
    };
    let deep = binds_deeply();
    for (offset, routine) in own_calls {
        let own = library.find(routine) as usize;
        let place = base.wrapping_add(*offset as usize) as *mut usize;
        // SAFETY: the loader has just stored an address here.
        let stored = unsafe { place.read_unaligned() };
        if own == 0 || stored == own {
            continue;
        }
        if !deep && write(place, own) {
            continue;
        }
        if !is_of_a_heap(routine) {
            continue;
        }
        let holder = file_of(stored as *const c_void);
        // A place in the library's own file: the loader looks the routine up at the
        // first call, or the library chooses among several of its own.
        if holder != file_of(own as *const c_void) {
            return Err(Elsewhere {
                routine: routine.clone(),
                file: holder.unwrap_or_else(|| format!("{stored:#x}")),
            });
        }
    }
    Ok(())
}

/// The address at which a library is loaded.
fn base(library: &Loaded) -> Option<usize> {
    let mut map: *const LinkMap = std::ptr::null();
    const RTLD_DI_LINKMAP: libc::c_int = 2;
    // SAFETY: a handle of the loader, and room for the pointer that this request stores.
    let failed = unsafe { dlinfo(library.handle(), RTLD_DI_LINKMAP, (&raw mut map).cast()) };
    // SAFETY: the loader's own record, which lives as long as the library is loaded.
    (failed == 0 && !map.is_null()).then(|| unsafe { (*map).base })
}

/// The first field of the loader's record of a library.
#[repr(C)]
struct LinkMap {
    base: usize,
}

unsafe extern "C" {
    fn dlinfo(handle: *mut c_void, request: libc::c_int, info: *mut c_void) -> libc::c_int;
}

/// Stores an address in a page that the loader may have made read-only. Returns whether
/// the system permitted it.
fn write(place: *mut usize, address: usize) -> bool {
    // SAFETY: sysconf reads a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize;
    let start = (place as usize) & !(page - 1);
    let length = place as usize + size_of::<usize>() - start;
    // SAFETY: pages of the library's table of addresses, which stays mapped; writing a
    // routine's address there is what the loader does.
    unsafe {
        let permitted = libc::mprotect(
            start as *mut c_void,
            length,
            libc::PROT_READ | libc::PROT_WRITE,
        ) == 0;
        if permitted {
            place.write_unaligned(address);
        }
        permitted
    }
}
