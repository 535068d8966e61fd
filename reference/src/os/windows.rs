//! Windows: the heap reserves address space first, and commits pages on demand.

use core::ptr;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, VirtualAlloc, VirtualFree,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, SYSTEM_INFO};

/// Bytes of address space for a heap: it reserves the first of these that the
/// system grants. More would cost memory under Wine, which keeps a byte for each
/// reserved page.
#[cfg(target_pointer_width = "64")]
pub(crate) const RESERVATIONS: [usize; 5] = [1 << 34, 1 << 32, 1 << 30, 1 << 28, 1 << 26];
#[cfg(not(target_pointer_width = "64"))]
pub(crate) const RESERVATIONS: [usize; 4] = [1 << 30, 1 << 29, 1 << 28, 1 << 26];

/// Bytes in a page of the system.
pub(crate) fn page_size() -> usize {
    let mut info = SYSTEM_INFO::default();
    // SAFETY: the call fills in the structure that it gets.
    unsafe { GetSystemInfo(&mut info) };
    info.dwPageSize as usize
}

/// Reserves `len` bytes of address space, a multiple of the page size. No page
/// is usable until it is committed. Returns `None` if there is no room.
pub(crate) fn reserve(len: usize) -> Option<*mut u8> {
    // SAFETY: makes a new reservation at an address that the system chooses.
    let base = unsafe { VirtualAlloc(ptr::null(), len, MEM_RESERVE, PAGE_READWRITE) };
    (!base.is_null()).then_some(base.cast())
}

/// Makes reserved pages usable. Pages that were not usable before hold zeros.
///
/// # Safety
/// `base` and `len` are whole pages inside one reservation.
pub(crate) unsafe fn commit(base: *mut u8, len: usize) -> bool {
    // SAFETY: the caller's promise. Committed pages keep their contents.
    let done = unsafe { VirtualAlloc(base.cast(), len, MEM_COMMIT, PAGE_READWRITE) };
    !done.is_null()
}

/// Does nothing: Windows has no call that makes pages resident at once.
///
/// # Safety
/// The call is always safe.
pub(crate) unsafe fn populate(_base: *mut u8, _len: usize) {}

/// Those of a span's pages that form whole pages of the system: all.
pub(crate) fn whole_pages(pages: u64) -> u64 {
    pages
}

/// Makes pages read as zeros. They stay committed, because decommitted pages
/// cannot be read.
///
/// # Safety
/// As for [`release`].
pub(crate) unsafe fn reset(base: *mut u8, len: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { ptr::write_bytes(base, 0, len) };
    true
}

/// Gives pages back to the system; they must be committed before their next use.
/// Returns false, with the pages unchanged, if the system refuses.
///
/// # Safety
/// `base` and `len` are whole pages inside one reservation, and no byte in
/// them is needed any more.
pub(crate) unsafe fn release(base: *mut u8, len: usize) -> bool {
    // SAFETY: the caller gives up these pages.
    unsafe { VirtualFree(base.cast(), len, MEM_DECOMMIT) != 0 }
}

/// Ends a reservation.
///
/// # Safety
/// `base` is that of [`reserve`], and nothing there is used again.
pub(crate) unsafe fn unreserve(base: *mut u8, _len: usize) {
    // SAFETY: the caller's promise. MEM_RELEASE requires the size 0.
    unsafe { VirtualFree(base.cast(), 0, MEM_RELEASE) };
}

/// The number of the system's last error (`GetLastError`).
pub(crate) fn last_error() -> u32 {
    // SAFETY: the call reads a variable of this thread.
    unsafe { GetLastError() }
}
