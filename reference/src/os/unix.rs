//! Unix: private anonymous mappings. The kernel adds memory page by page, at the
//! first write to each.
//!
//! On Linux and macOS no call here changes the host's `errno`: a call of the heap
//! that succeeds must leave it, also if the system refused what the heap can do without.

use super::{page_size, whole_pages_of};
use crate::arena::GROUP_SPANS;
use crate::layout::PAGE_SIZE;
use core::ffi::{CStr, c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicI64, AtomicU32, Ordering::Relaxed};

/// Bytes of blocks in a window that is not reserved.
pub(crate) const WINDOW: usize = RESERVATIONS[0];

/// Bytes of blocks in a window that is reserved: the first of these that the system
/// grants.
#[cfg(target_pointer_width = "64")]
pub(crate) const RESERVATIONS: [usize; 7] = [
    1 << 40,
    1 << 36,
    1 << 33,
    1 << 31,
    1 << 29,
    1 << 27,
    1 << 24,
];
/// All addresses, of which only tables are reserved ([`crate::scattered`]).
#[cfg(not(target_pointer_width = "64"))]
pub(crate) const RESERVATIONS: [usize; 1] = [usize::MAX];

/// The most spans that the system takes back in one call.
pub(crate) const SPANS_AT_ONCE: usize = GROUP_SPANS;

/// How each mapping of the heap is made.
const PRIVATE: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
const USABLE: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Addresses where a window may begin. Linux maps nothing there on its own: it begins near
/// the stack and goes downwards, or, with an unlimited stack, at 42 TiB and goes upwards; it
/// loads programs at 85 TiB. Nor do programs that choose addresses, such as V8: these are
/// below 64 TiB. The start is random, so that addresses of blocks are hard to guess.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(crate) fn places() -> impl Iterator<Item = *mut u8> {
    use core::sync::atomic::AtomicUsize;
    /// The first address, 64 TiB, the distance from one to the next, and their number.
    const FIRST: usize = 1 << 46;
    const DISTANCE: usize = 1 << 41;
    const COUNT: usize = 10;
    /// The unit of the random part, which is below a half of the distance.
    const STEP: usize = 1 << 23;
    static TRIED: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: the address of 16 random bytes, which the kernel gives each process, or null.
    let random = unsafe { (libc::getauxval(libc::AT_RANDOM) as *const [u8; 3]).as_ref() };
    let [which, low, high] = random.copied().unwrap_or_default();
    // The same in all heaps of a process, so that two never overlap in part.
    let gap = usize::from(u16::from_le_bytes([low, high])) * STEP;
    let start = usize::from(which) + TRIED.fetch_add(1, Relaxed);
    (start..start + COUNT).map(move |number| (FIRST + number % COUNT * DISTANCE + gap) as *mut u8)
}

/// Addresses where a window may begin: none is known to stay free.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(crate) fn places() -> impl Iterator<Item = *mut u8> {
    core::iter::empty()
}

/// Bytes in a page of the system.
pub(super) fn system_page_size() -> usize {
    // SAFETY: sysconf reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(PAGE_SIZE)
}

/// Whether these are whole pages of the system.
fn are_whole(base: *const u8, len: usize) -> bool {
    (base as usize | len) % page_size() == 0
}

/// Reserves `len` bytes of address space, a multiple of the page size. Returns `None`
/// if there is no room.
pub(crate) fn reserve(len: usize) -> Option<*mut u8> {
    let flags = PRIVATE | libc::MAP_NORESERVE;
    // SAFETY: makes a new mapping at an address that the kernel chooses; changes no other.
    let base = keeping_errno(|| unsafe {
        libc::mmap(ptr::null_mut(), len, libc::PROT_NONE, flags, -1, 0)
    });
    (base != libc::MAP_FAILED).then_some(base.cast())
}

/// Takes address space for pages of a window. They hold zeros, and none is resident
/// until it is written. Returns false if the system refuses.
///
/// # Safety
/// `base` and `len` are whole pages of a window, and nothing uses them. If the window
/// `is_reserved`, so are they.
pub(crate) unsafe fn extend(base: *mut u8, len: usize, is_reserved: bool) -> bool {
    debug_assert!(are_whole(base, len));
    // Where the place is not free, the system maps the pages elsewhere.
    let place = if is_reserved { libc::MAP_FIXED } else { 0 };
    // SAFETY: the caller's promise. What others mapped is not replaced.
    keeping_errno(|| unsafe {
        let got = libc::mmap(base.cast(), len, USABLE, PRIVATE | place, -1, 0);
        if got != base.cast() {
            if got != libc::MAP_FAILED {
                libc::munmap(got, len);
            }
            return false;
        }
        // A huge page cannot be given back in part, and one byte written makes all
        // of it resident. This heap gives memory back by single pages.
        #[cfg(target_os = "linux")]
        libc::madvise(got, len, libc::MADV_NOHUGEPAGE);
        true
    })
}

/// Gives address space of a window back. Returns false if the system refuses.
///
/// # Safety
/// `base` and `len` are whole pages that [`extend`] took, and nothing uses them.
pub(crate) unsafe fn withdraw(base: *mut u8, len: usize, is_reserved: bool) -> bool {
    debug_assert!(are_whole(base, len));
    let flags = PRIVATE | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: the caller's promise.
    keeping_errno(|| unsafe {
        match is_reserved {
            true => libc::mmap(base.cast(), len, libc::PROT_NONE, flags, -1, 0) != libc::MAP_FAILED,
            false => libc::munmap(base.cast(), len) == 0,
        }
    })
}

/// Makes pages usable. On Unix they are, once the heap has their address space.
///
/// # Safety
/// `base` and `len` are whole pages that [`extend`] took.
pub(crate) unsafe fn commit(_base: *mut u8, _len: usize) -> bool {
    true
}

/// Makes pages resident at once, if the system can do that. It takes the system
/// half as long as one page fault after another.
///
/// # Safety
/// As for [`commit`].
pub(crate) unsafe fn populate(base: *mut u8, len: usize) {
    let (start, len) = whole_pages_of(base, len);
    let base = base.wrapping_add(start);
    #[cfg(target_os = "linux")]
    // SAFETY: the caller's promise. No byte changes. Linux before 5.14 refuses,
    // which does no harm.
    keeping_errno(|| unsafe {
        libc::madvise(base.cast(), len, libc::MADV_POPULATE_WRITE);
    });
    #[cfg(not(target_os = "linux"))]
    let _ = (base, len);
}

/// Moves the contents of pages to pages that hold nothing, without copying, if the system
/// can do that. The old pages read as zeros then, and take no memory. Returns false if not;
/// the contents are then still in the old pages.
///
/// # Safety
/// Both are whole pages that [`extend`] took, and do not overlap. Only the caller uses them.
pub(crate) unsafe fn move_pages(from: *mut u8, to: *mut u8, len: usize) -> bool {
    debug_assert!(are_whole(from, len) && are_whole(to, len));
    #[cfg(target_os = "linux")]
    // SAFETY: the caller's promise; the spare pages are new.
    return keeping_errno(|| unsafe {
        // For the addresses without pages afterwards: the system may refuse new ones then.
        let spare = libc::mmap(std::ptr::null_mut(), len, USABLE, PRIVATE, -1, 0);
        if spare == libc::MAP_FAILED {
            return false;
        }
        libc::madvise(spare, len, libc::MADV_NOHUGEPAGE);
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        let put = |pages: *mut c_void, place: *mut u8| {
            libc::mremap(pages, len, len, flags, place.cast::<c_void>()) != libc::MAP_FAILED
        };
        let is_moved = put(from.cast(), to);
        // A success unmaps `from`. Linux before 6.17 unmaps `to` before it refuses.
        // MREMAP_DONTUNMAP would do without the spare pages; emulators do not know it.
        if !put(spare, if is_moved { from } else { to }) {
            libc::abort();
        }
        is_moved
    });
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (from, to, len);
        false
    }
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

/// The number of the last refusal of [`release`], for `_doserrno`.
static REFUSAL: AtomicU32 = AtomicU32::new(0);

/// Gives pages back to the system; their next use finds zeros.
/// Returns false, with the pages unchanged, if the system refuses.
///
/// # Safety
/// As for [`commit`], and no byte in the pages is needed any more.
pub(crate) unsafe fn release(base: *mut u8, len: usize) -> bool {
    debug_assert!(are_whole(base, len));
    #[cfg(target_os = "linux")]
    // SAFETY: the caller gives up these pages.
    let give = || unsafe {
        let advise = |advice| libc::madvise(base.cast(), len, advice) == 0;
        // Pages that are locked in memory need another advice, which Linux has since 5.18.
        advise(libc::MADV_DONTNEED)
            || (errno() == libc::EINVAL && advise(libc::MADV_DONTNEED_LOCKED))
    };
    // Elsewhere MADV_DONTNEED is only a hint. A new mapping at the same address works.
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the caller gives up these pages, and they lie in one window.
    let give = || unsafe {
        let flags = PRIVATE | libc::MAP_FIXED;
        libc::mmap(base.cast(), len, USABLE, flags, -1, 0) != libc::MAP_FAILED
    };
    keeping_errno(|| {
        let done = give();
        if !done {
            REFUSAL.store(errno().unsigned_abs(), Relaxed);
        }
        done
    })
}

/// Ends a reservation.
///
/// # Safety
/// `base` and `len` are those of [`reserve`], and nothing there is used again.
pub(crate) unsafe fn unreserve(base: *mut u8, len: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(base.cast::<c_void>(), len) };
}

/// The system's number for its last refusal to take pages back.
pub(crate) fn last_error() -> u32 {
    REFUSAL.load(Relaxed)
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn keeping_errno<T>(call: impl FnOnce() -> T) -> T {
    let before = errno();
    let result = call();
    set_errno(before);
    result
}

/// Sets the host's `errno`, on Linux and macOS.
pub(crate) fn set_errno(number: i32) {
    #[cfg(target_os = "linux")]
    // SAFETY: the address of a variable of this thread.
    unsafe {
        *libc::__errno_location() = number;
    }
    #[cfg(target_vendor = "apple")]
    // SAFETY: as above.
    unsafe {
        *libc::__error() = number;
    }
    #[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
    let _ = number;
}

/// Sleeps while the number is `seen`, until [`wake`], and for some microseconds at most.
/// It may return earlier. On Linux it is no cancellation point, as sleeping by the C library
/// is.
pub(crate) fn wait(number: &AtomicU32, seen: u32, longest: u32) {
    #[cfg(target_os = "linux")]
    keeping_errno(|| {
        let time = libc::timespec {
            tv_sec: 0,
            tv_nsec: (longest * 1000) as _,
        };
        let wait = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the kernel reads the number and the time.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                number.as_ptr(),
                wait,
                seen,
                &raw const time,
            )
        };
    });
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (number, seen);
        std::thread::sleep(core::time::Duration::from_micros(longest.into()));
    }
}

/// Wakes a thread that sleeps on the number.
#[cold]
pub(crate) fn wake(number: &AtomicU32) {
    #[cfg(target_os = "linux")]
    keeping_errno(|| {
        let wake = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: the kernel only uses the address.
        unsafe { libc::syscall(libc::SYS_futex, number.as_ptr(), wake, 1) };
    });
    #[cfg(not(target_os = "linux"))]
    let _ = number;
}

/// Sleeps for some microseconds.
pub(crate) fn sleep(longest: u32) {
    wait(&AtomicU32::new(0), 0, longest);
}

/// Whether a variable of the environment has a value. Returns `None` if it is not set or
/// empty, and in a program that has other rights than the user who starts it.
pub(crate) fn variable_is(name: &CStr, value: &[u8]) -> Option<bool> {
    #[cfg(target_os = "linux")]
    // SAFETY: reads a constant of the process.
    let has_other_rights = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(not(target_os = "linux"))]
    // SAFETY: the calls are always safe.
    let has_other_rights =
        unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() };
    if has_other_rights {
        return None;
    }
    // SAFETY: the result is null or a text, which lives until the variable changes. The heap
    // asks at its first call.
    let found = unsafe {
        let found = libc::getenv(name.as_ptr());
        (!found.is_null()).then(|| CStr::from_ptr(found).to_bytes())?
    };
    (!found.is_empty()).then_some(found == value)
}

/// Writes to standard error, as far as the system accepts it.
pub(crate) fn write_error(text: &[u8]) {
    // SAFETY: the system reads the bytes of the text.
    keeping_errno(|| unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) });
}

/// Takes away or restores the access to pages. Returns false if the system refuses.
///
/// # Safety
/// `base` and `len` are whole pages that [`extend`] took. Without access, nothing uses them.
pub(crate) unsafe fn protect(base: *mut u8, len: usize, accessible: bool) -> bool {
    debug_assert!(are_whole(base, len));
    let access = if accessible { USABLE } else { libc::PROT_NONE };
    // SAFETY: the caller's promise.
    keeping_errno(|| unsafe { libc::mprotect(base.cast(), len, access) == 0 })
}

/// Registers `before` to be called before every fork, and the others after it, in the
/// parent and in the child.
pub(crate) fn at_fork(before: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: all may be called at any time. Without memory to register them,
    // the child of a program with threads may find a lock taken forever.
    unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
}

/// The key under which each thread has a value, so that its end is noticed; -1 for none.
static KEY: AtomicI64 = AtomicI64::new(-1);

/// Lets the system call a routine at the end of each thread that called [`at_thread_exit`].
pub(crate) fn notice_thread_exits(routine: unsafe extern "C" fn(*mut c_void)) {
    let mut key = 0;
    // SAFETY: any thread may call the routine, until `forget_thread_exits`.
    if unsafe { libc::pthread_key_create(&mut key, Some(routine)) } == 0 {
        KEY.store(key as i64, Relaxed);
    }
}

/// Lets the end of this thread be noticed. This may allocate.
pub(crate) fn at_thread_exit() {
    let key = KEY.load(Relaxed);
    if key >= 0 {
        // SAFETY: the value is not null, so that the routine is called, which ignores it.
        unsafe { libc::pthread_setspecific(key as _, ptr::dangling::<u8>().cast()) };
    }
}

/// Ends the calls. After the library is unloaded, its routine must not be called.
pub(crate) fn forget_thread_exits() {
    let key = KEY.swap(-1, Relaxed);
    if key >= 0 {
        // SAFETY: the key is this library's.
        unsafe { libc::pthread_key_delete(key as _) };
    }
}
