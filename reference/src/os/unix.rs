//! Unix: one private anonymous mapping. The kernel adds memory page by page, at
//! the first write to each.

use core::ffi::c_void;
use core::ptr;

/// Bytes of address space for a heap: it reserves the first of these that the
/// system grants. A reservation costs no memory, but a limit (`ulimit -v`) may
/// forbid a large one.
#[cfg(target_pointer_width = "64")]
pub(crate) const RESERVATIONS: [usize; 6] = [1 << 40, 1 << 36, 1 << 33, 1 << 31, 1 << 29, 1 << 27];
#[cfg(not(target_pointer_width = "64"))]
pub(crate) const RESERVATIONS: [usize; 4] = [1 << 30, 1 << 29, 1 << 28, 1 << 26];

/// Bytes in a page of the system.
pub(crate) fn page_size() -> usize {
    // SAFETY: sysconf reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// Reserves `len` bytes of address space, a multiple of the page size. No page
/// is resident until it is written. Returns `None` if there is no room.
pub(crate) fn reserve(len: usize) -> Option<*mut u8> {
    // SAFETY: makes a new mapping at an address that the kernel chooses; changes no other.
    let base = unsafe {
        libc::mmap(
            ptr::null_mut(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if base == libc::MAP_FAILED {
        return None;
    }
    // A huge page cannot be given back in part, and one byte written makes all
    // of it resident. This heap gives memory back by single pages.
    #[cfg(target_os = "linux")]
    // SAFETY: a hint about the mapping just made; failure changes nothing.
    unsafe {
        libc::madvise(base, len, libc::MADV_NOHUGEPAGE);
    }
    Some(base.cast())
}

/// Makes reserved pages usable. On Unix they already are.
///
/// # Safety
/// `base` and `len` are whole pages inside one reservation.
pub(crate) unsafe fn commit(_base: *mut u8, _len: usize) -> bool {
    true
}

/// Makes pages resident at once, if the system can do that. It takes the system
/// half as long as one page fault after another.
///
/// # Safety
/// `base` and `len` are whole pages inside one reservation.
pub(crate) unsafe fn populate(base: *mut u8, len: usize) {
    #[cfg(target_os = "linux")]
    // SAFETY: the caller's promise. No byte changes. Linux before 5.14 refuses,
    // which does no harm.
    unsafe {
        libc::madvise(base.cast(), len, libc::MADV_POPULATE_WRITE);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (base, len);
}

/// Those of a span's pages that form whole pages of the system, which may be
/// larger.
pub(crate) fn whole_pages(pages: u64) -> u64 {
    let ratio = page_size() / crate::span::PAGE_SIZE;
    let whole = crate::bits::run(0, ratio.min(crate::bits::BITS));
    let parts = (0..crate::bits::BITS)
        .step_by(ratio.max(1))
        .map(|first| whole << first);
    parts
        .filter(|part| pages & part == *part)
        .fold(0, |all, part| all | part)
}

/// Makes pages read as zeros. Gives them back to the system too, because on Unix
/// they stay readable. Returns false, with the pages unchanged, if the system
/// refuses.
///
/// # Safety
/// As for [`release`].
pub(crate) unsafe fn reset(base: *mut u8, len: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { release(base, len) }
}

/// Gives pages back to the system; their next use finds zeros.
/// Returns false, with the pages unchanged, if the system refuses.
///
/// # Safety
/// `base` and `len` are whole pages inside one reservation, and no byte in
/// them is needed any more.
pub(crate) unsafe fn release(base: *mut u8, len: usize) -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: the caller gives up these pages.
    let done = unsafe { libc::madvise(base.cast(), len, libc::MADV_DONTNEED) == 0 };
    // Elsewhere MADV_DONTNEED is only a hint. A new mapping at the same address works.
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the caller gives up these pages, and they lie in one reservation.
    let done = unsafe {
        libc::mmap(
            base.cast(),
            len,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED,
            -1,
            0,
        ) != libc::MAP_FAILED
    };
    done
}

/// Ends a reservation.
///
/// # Safety
/// `base` and `len` are those of [`reserve`], and nothing there is used again.
pub(crate) unsafe fn unreserve(base: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(base.cast::<c_void>(), len) };
}

/// The number of the system's last error (the host's `errno`).
pub(crate) fn last_error() -> u32 {
    std::io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(0)
        .unsigned_abs()
}

/// Sets the host's `errno`, on Linux only.
pub(crate) fn set_errno(number: i32) {
    #[cfg(target_os = "linux")]
    // SAFETY: the address of a variable of this thread.
    unsafe {
        *libc::__errno_location() = number;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = number;
}

/// Registers `before` to be called before every fork, and `after` to be called
/// after it, in the parent and in the child.
pub(crate) fn at_fork(before: extern "C" fn(), after: extern "C" fn()) {
    // SAFETY: both may be called at any time. Without memory to register them,
    // the child of a program with threads may find a lock taken forever.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
}
