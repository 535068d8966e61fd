//! Windows: the heap reserves address space first, and commits pages on demand.

use crate::arena::GROUP_SPANS;
use crate::layout::{SCATTERED, SPAN_SIZE};
use core::ffi::{CStr, c_void};
use core::ptr;
use core::sync::atomic::AtomicU32;
use std::io::Write;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::System::Environment::GetEnvironmentVariableA;
use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_NOACCESS, PAGE_READWRITE,
    VirtualAlloc, VirtualFree, VirtualProtect,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, SYSTEM_INFO};
use windows_sys::Win32::System::Threading::{SwitchToThread, WaitOnAddress, WakeByAddressSingle};

/// Bytes of blocks in a window that is not reserved. Windows has no such window.
pub(crate) const WINDOW: usize = 0;

/// Addresses where a window may begin that is not reserved: none.
pub(crate) fn places() -> impl Iterator<Item = *mut u8> {
    core::iter::empty()
}

/// Bytes of blocks in a window: the heap reserves the first of these that the system
/// grants. More would cost memory under Wine, which keeps a byte for each
/// reserved page.
#[cfg(target_pointer_width = "64")]
pub(crate) const RESERVATIONS: [usize; 5] = [1 << 34, 1 << 32, 1 << 30, 1 << 28, 1 << 26];
/// All addresses, of which only tables are reserved ([`crate::scattered`]).
#[cfg(not(target_pointer_width = "64"))]
pub(crate) const RESERVATIONS: [usize; 1] = [usize::MAX];

/// The most spans that the system takes back in one call. A scattered span is a
/// reservation of its own, so that it can be given back alone.
pub(crate) const SPANS_AT_ONCE: usize = if SCATTERED { 1 } else { GROUP_SPANS };

/// Calls the system for each reservation that has some of these pages, until it refuses.
/// Returns the number of bytes for which it did not.
fn by_reservation(base: *mut u8, len: usize, call: impl Fn(*mut c_void, usize) -> bool) -> usize {
    let mut done = 0;
    while done < len {
        let at = base.wrapping_add(done);
        let rest = len - done;
        let part = match SCATTERED {
            true => rest.min(SPAN_SIZE - at as usize % SPAN_SIZE),
            false => rest,
        };
        if !call(at.cast(), part) {
            break;
        }
        done += part;
    }
    done
}

/// Bytes in a page of the system.
pub(super) fn system_page_size() -> usize {
    system_info().dwPageSize as usize
}

fn system_info() -> SYSTEM_INFO {
    let mut info = SYSTEM_INFO::default();
    // SAFETY: the call fills in the structure that it gets.
    unsafe { GetSystemInfo(&mut info) };
    info
}

/// Reserves `len` bytes of address space, a multiple of the page size. No page
/// is usable until it is committed. Returns `None` if there is no room.
pub(crate) fn reserve(len: usize) -> Option<*mut u8> {
    // SAFETY: makes a new reservation at an address that the system chooses.
    let base = unsafe { VirtualAlloc(ptr::null(), len, MEM_RESERVE, PAGE_READWRITE) };
    (!base.is_null()).then_some(base.cast())
}

/// Reserves the addresses of spans, unless the window `is_reserved`. Returns false, with
/// nothing changed, if the system refuses.
///
/// # Safety
/// `base` is not null.
pub(crate) unsafe fn extend(base: *mut u8, len: usize, is_reserved: bool) -> bool {
    if is_reserved {
        return true;
    }
    // Wine grants addresses that a program without the flag for large ones does not expect.
    if base as usize + (len - 1) > system_info().lpMaximumApplicationAddress as usize {
        return false;
    }
    // SAFETY: makes new reservations, if the addresses are free.
    let done = by_reservation(base, len, |at, len| unsafe {
        !VirtualAlloc(at, len, MEM_RESERVE, PAGE_READWRITE).is_null()
    });
    if done < len {
        // SAFETY: the reservations that were just made.
        unsafe { withdraw(base, done, false) };
    }
    done == len
}

/// Gives back the addresses of spans. Returns false if the system refuses, and if the window
/// `is_reserved`: a part of a reservation cannot be given back.
///
/// # Safety
/// `base` and `len` are spans that [`extend`] took, and nothing uses them.
pub(crate) unsafe fn withdraw(base: *mut u8, len: usize, is_reserved: bool) -> bool {
    // SAFETY: the caller's promise. MEM_RELEASE requires the size 0.
    let give = |at, _| unsafe { VirtualFree(at, 0, MEM_RELEASE) != 0 };
    !is_reserved && by_reservation(base, len, give) == len
}

/// Makes reserved pages usable. Pages that were not usable before hold zeros. If the
/// system refuses, those of some reservations may be usable.
///
/// # Safety
/// `base` and `len` are whole pages of one window.
pub(crate) unsafe fn commit(base: *mut u8, len: usize) -> bool {
    // SAFETY: the caller's promise. Committed pages keep their contents.
    let done = by_reservation(base, len, |at, len| unsafe {
        !VirtualAlloc(at, len, MEM_COMMIT, PAGE_READWRITE).is_null()
    });
    done == len
}

/// Does nothing: Windows has no call that makes pages resident at once.
///
/// # Safety
/// The call is always safe.
pub(crate) unsafe fn populate(_base: *mut u8, _len: usize) {}

/// Does nothing, and says so: Windows cannot move pages.
///
/// # Safety
/// The call is always safe.
pub(crate) unsafe fn move_pages(_from: *mut u8, _to: *mut u8, _len: usize) -> bool {
    false
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
/// `base` and `len` are whole pages of at most [`SPANS_AT_ONCE`] spans, and no byte in
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

/// Sleeps while the number is `seen`, until [`wake`], and for some microseconds at most,
/// rounded up to a millisecond. It may return earlier.
pub(crate) fn wait(number: &AtomicU32, seen: u32, longest: u32) {
    let time = longest.div_ceil(1000);
    // SAFETY: the system compares four bytes at two addresses.
    unsafe { WaitOnAddress(number.as_ptr().cast(), (&raw const seen).cast(), 4, time) };
}

/// Wakes a thread that sleeps on the number.
#[cold]
pub(crate) fn wake(number: &AtomicU32) {
    // SAFETY: the system only uses the address.
    unsafe { WakeByAddressSingle(number.as_ptr().cast()) };
}

/// Lets other threads run, if any is ready. The shortest sleep would be a millisecond.
pub(crate) fn sleep(_longest: u32) {
    // SAFETY: the call is always safe.
    unsafe { SwitchToThread() };
}

/// Whether a variable of the environment has a value. Returns `None` if it is not set or
/// empty.
pub(crate) fn variable_is(name: &CStr, value: &[u8]) -> Option<bool> {
    let mut found = [0; 32];
    // SAFETY: the system reads the name, and writes to the buffer as many bytes as it has.
    let len = unsafe {
        let room = found.len() as u32;
        GetEnvironmentVariableA(name.as_ptr().cast(), found.as_mut_ptr(), room)
    };
    // If the value does not fit, the length is larger than the buffer.
    (len > 0).then(|| found.get(..len as usize) == Some(value))
}

/// Writes to standard error, as far as the system accepts it.
pub(crate) fn write_error(text: &[u8]) {
    let _ = std::io::stderr().write_all(text);
}

/// Takes away or restores the access to pages. Returns false if the system refuses.
///
/// # Safety
/// `base` and `len` are committed pages. Without access, nothing uses them.
pub(crate) unsafe fn protect(base: *mut u8, len: usize, accessible: bool) -> bool {
    let access = if accessible {
        PAGE_READWRITE
    } else {
        PAGE_NOACCESS
    };
    let mut before = 0;
    // SAFETY: the caller's promise.
    unsafe { VirtualProtect(base.cast(), len, access, &mut before) != 0 }
}

/// The number of the system's last error (`GetLastError`).
pub(crate) fn last_error() -> u32 {
    // SAFETY: the call reads a variable of this thread.
    unsafe { GetLastError() }
}

/// Does nothing: the end of a thread is not noticed.
pub(crate) fn at_thread_exit() {}
