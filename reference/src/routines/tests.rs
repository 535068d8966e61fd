//! The rules of the pages: results, `errno`, and calls of the handler.

use super::*;
use crate::entry::Entry;
use crate::errno::{DOSERRNO, EINVAL, ENOMEM, ENOSYS, ERRNO};
use core::cell::Cell;
use core::ffi::{CStr, c_int, c_uint, c_void};
use core::ptr;
use rstest::rstest;

const TOO_MUCH: usize = usize::MAX - 30;
/// What `errno` holds before each call.
const OLD: c_int = 77;

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
}

/// A handler that counts its calls, and uses the heap as handlers may.
unsafe extern "C" fn count(
    expression: *const c_void,
    function: *const c_void,
    file: *const c_void,
    line: c_uint,
    reserved: usize,
) {
    assert!(expression.is_null() && function.is_null() && file.is_null());
    assert_eq!((line, reserved), (0, 0));
    set_errno(1);
    // SAFETY: a new block.
    unsafe { free(malloc(10)) };
    CALLS.set(CALLS.get() + 1);
}

/// The result of a call, `errno` after it, and the number of handler calls.
fn call<T>(routine: impl FnOnce() -> T) -> (T, c_int, u32) {
    let before = set_thread_local_invalid_parameter_handler(Some(count));
    CALLS.set(0);
    set_errno(OLD);
    set_doserrno(OLD);
    let result = routine();
    set_thread_local_invalid_parameter_handler(before);
    (result, ERRNO.get(), CALLS.get())
}

/// The result of a call that must change neither `errno` nor `_doserrno`, and
/// must not call the handler.
fn without_error<T>(routine: impl FnOnce() -> T) -> T {
    let (result, errno, calls) = call(routine);
    assert_eq!((errno, calls), (OLD, 0));
    assert_eq!(DOSERRNO.get(), OLD as _);
    result
}

/// Asserts that a call returns null with this `errno`, and calls the handler for
/// `EINVAL` only.
#[track_caller]
fn refused(routine: impl FnOnce() -> *mut c_void, with: c_int) {
    let calls = u32::from(with == EINVAL);
    assert_eq!(call(routine), (ptr::null_mut(), with, calls));
}

fn fill(block: *mut c_void, size: usize, byte: u8) {
    // SAFETY: the tests pass live blocks of at least `size` bytes.
    unsafe { ptr::write_bytes(block.cast::<u8>(), byte, size) };
}

fn bytes<'a>(block: *mut c_void, size: usize) -> &'a [u8] {
    // SAFETY: as for `fill`.
    unsafe { core::slice::from_raw_parts(block.cast(), size) }
}

fn is_all(block: *mut c_void, range: core::ops::Range<usize>, byte: u8) -> bool {
    bytes(block, range.end)[range].iter().all(|&b| b == byte)
}

// SAFETY of all unsafe calls below: the blocks are live blocks of the heap, and
// only the test that made them uses them.
macro_rules! on_block {
    ($call:expr) => {
        // SAFETY: see above.
        unsafe { $call }
    };
}

#[rstest]
fn success_leaves_errno_and_doserrno_unchanged(
    #[values(0, 20, 5_000, 100_000, 5_000_000)] size: usize,
) {
    let block = without_error(|| malloc(size));
    assert!(!block.is_null() && without_error(|| msize(block)) >= size);
    let block = without_error(|| on_block!(realloc(block, size + 100)));
    assert_eq!(without_error(|| on_block!(expand(block, size))), block);
    let block = without_error(|| on_block!(recalloc(block, size + 1, 2)));
    assert!(without_error(|| on_block!(realloc(block, 0))).is_null());
    without_error(|| on_block!(free(ptr::null_mut())));
    let block = without_error(|| aligned_malloc(size.max(1), 256));
    assert!(without_error(|| aligned_msize(block, 256, 0)) >= size);
    let block = without_error(|| on_block!(aligned_offset_realloc(block, size + 9, 256, 0)));
    without_error(|| on_block!(aligned_free(block)));
    without_error(|| on_block!(aligned_free(ptr::null_mut())));
    assert_eq!(without_error(heapmin), 0);
    assert_eq!(without_error(heapchk), heap_status::OK);
    assert_eq!(without_error(|| heapset(7)), heap_status::OK);
}

#[test]
fn a_request_that_is_too_large_sets_enomem_and_keeps_the_block() {
    refused(|| malloc(TOO_MUCH), ENOMEM);
    refused(|| calloc(usize::MAX / 2, 3), ENOMEM);
    refused(|| aligned_malloc(TOO_MUCH - 64, 64), ENOMEM);
    refused(|| aligned_offset_malloc(TOO_MUCH, 64, 3), ENOMEM);
    let block = calloc(30, 1);
    fill(block, 30, 9);
    for size in [TOO_MUCH, usize::MAX, usize::MAX / 4 * 3] {
        refused(|| on_block!(realloc(block, size)), ENOMEM);
        refused(|| on_block!(expand(block, size)), ENOMEM);
        refused(|| on_block!(recalloc(block, size, 3)), ENOMEM);
        refused(
            || on_block!(aligned_offset_realloc(block, size, 16, 0)),
            ENOMEM,
        );
        refused(
            || on_block!(aligned_offset_recalloc(block, size, 3, 16, 0)),
            ENOMEM,
        );
    }
    // A product that wraps around to 10.
    let many = usize::MAX / 2 + 6;
    refused(|| calloc(many, 2), ENOMEM);
    refused(|| on_block!(recalloc(block, many, 2)), ENOMEM);
    refused(
        || on_block!(aligned_offset_recalloc(block, many, 2, 16, 0)),
        ENOMEM,
    );
    refused(|| on_block!(expand(block, 1000)), ENOMEM);
    assert!(is_all(block, 0..30, 9));
    on_block!(free(block));
}

#[test]
fn an_invalid_parameter_calls_the_handler_and_sets_einval() {
    let null = ptr::null_mut();
    let block = aligned_malloc(100, 64);
    fill(block, 100, 3);
    let failed = (usize::MAX, EINVAL, 1);
    assert_eq!(call(|| msize(null)), failed);
    assert_eq!(call(|| aligned_msize(null, 16, 0)), failed);
    assert_eq!(call(|| aligned_msize(block, 3, 0)), failed);
    refused(|| on_block!(expand(null, 10)), EINVAL);
    refused(|| aligned_malloc(0, 16), EINVAL);
    for alignment in [0, 3, 48, usize::MAX] {
        refused(|| aligned_malloc(10, alignment), EINVAL);
        refused(|| aligned_offset_malloc(10, alignment, 4), EINVAL);
        refused(
            || on_block!(aligned_offset_realloc(block, 10, alignment, 0)),
            EINVAL,
        );
        refused(
            || on_block!(aligned_offset_recalloc(block, 10, 1, alignment, 0)),
            EINVAL,
        );
        refused(
            || on_block!(aligned_offset_realloc(null, 10, alignment, 0)),
            EINVAL,
        );
    }
    for offset in [10, 11, usize::MAX] {
        refused(|| aligned_offset_malloc(10, 16, offset), EINVAL);
        let moved = || on_block!(aligned_offset_realloc(block, 10, 16, offset));
        refused(moved, EINVAL);
        let moved = || on_block!(aligned_offset_recalloc(block, 10, 1, 16, offset));
        refused(moved, EINVAL);
    }
    assert_eq!(call(|| heapwalk(None)), (heap_status::BAD_PTR, EINVAL, 1));
    assert_eq!(call(|| get_errno(None)), (EINVAL, EINVAL, 1));
    assert_eq!(call(|| get_doserrno(None)), (EINVAL, EINVAL, 1));
    assert!(is_all(block, 0..100, 3));
    on_block!(aligned_free(block));
}

/// A handler of the process. Only the test below sets it.
unsafe extern "C" fn count_for_process(
    _: *const c_void,
    _: *const c_void,
    _: *const c_void,
    _: c_uint,
    _: usize,
) {
    CALLS.set(CALLS.get() + 100);
}

#[test]
fn the_handler_of_the_thread_precedes_that_of_the_process() {
    let address = |handler: Handler| handler.map(|handler| handler as usize);
    let (ours, processes) = (
        Some(count as *const () as usize),
        Some(count_for_process as *const () as usize),
    );
    assert_eq!(
        address(set_invalid_parameter_handler(Some(count_for_process))),
        None
    );
    assert_eq!(address(get_invalid_parameter_handler()), processes);
    assert_eq!(call(|| msize(ptr::null())).2, 1);
    CALLS.set(0);
    assert_eq!(address(get_thread_local_invalid_parameter_handler()), None);
    assert_eq!(msize(ptr::null()), usize::MAX);
    assert_eq!(CALLS.get(), 100);
    assert_eq!(
        address(set_thread_local_invalid_parameter_handler(Some(count))),
        None
    );
    assert_eq!(address(get_thread_local_invalid_parameter_handler()), ours);
    assert_eq!(
        address(set_thread_local_invalid_parameter_handler(None)),
        ours
    );
    let elsewhere = std::thread::spawn(|| get_thread_local_invalid_parameter_handler().is_none());
    assert!(elsewhere.join().unwrap());
    assert_eq!(address(set_invalid_parameter_handler(None)), processes);
    assert_eq!(msize(ptr::null()), usize::MAX);
    assert_eq!((CALLS.get(), ERRNO.get()), (100, EINVAL));
}

#[rstest]
fn expand_shrinks_a_block_in_place(
    #[values(100, 20_000, 300_000, 9_000_000)] size: usize,
    #[values(0, 1, 50, 15_000)] to: usize,
) {
    let block = malloc(size);
    fill(block, size, 5);
    let to = to.min(size);
    assert_eq!(without_error(|| on_block!(expand(block, to))), block);
    assert!(is_all(block, 0..to, 5) && msize(block) >= to);
    on_block!(free(block));
}

#[rstest]
fn bytes_that_recalloc_adds_are_zero(
    #[values(false, true)] from_calloc: bool,
    #[values(1, 20, 5_000, 70_000, 5_000_000)] size: usize,
    #[values(1, 10, 1_000, 40_000, 5_000_000)] more: usize,
    #[values(None, Some(16), Some(1024))] alignment: Option<usize>,
) {
    // Freed blocks, full of old bytes.
    let old: Vec<_> = [size, size, size + more, size + more].map(malloc).into();
    for block in old {
        fill(block, msize(block), 0xEE);
        on_block!(free(block));
    }
    let block = match (alignment, from_calloc) {
        (None, true) => calloc(size, 1),
        (None, false) => malloc(size),
        (Some(to), true) => on_block!(aligned_offset_recalloc(ptr::null_mut(), size, 1, to, 0)),
        (Some(to), false) => aligned_malloc(size, to),
    };
    assert!(!from_calloc || is_all(block, 0..size, 0));
    fill(block, size, 0xFF);
    let total = size + more;
    let block = without_error(|| match alignment {
        None => on_block!(recalloc(block, total, 1)),
        Some(to) => on_block!(aligned_offset_recalloc(block, total, 1, to, 0)),
    });
    assert!(is_all(block, 0..size, 0xFF) && is_all(block, size..total, 0));
    // Once more, after the block was made smaller.
    let half = size / 2;
    let block = match alignment {
        None => on_block!(realloc(block, half + 1)),
        Some(to) => on_block!(aligned_offset_realloc(block, half + 1, to, 0)),
    };
    fill(block, half + 1, 0xFF);
    let block = match alignment {
        None => on_block!(recalloc(block, 1, total)),
        Some(to) => on_block!(aligned_offset_recalloc(block, 1, total, to, 0)),
    };
    assert!(is_all(block, 0..half + 1, 0xFF) && is_all(block, half + 1..total, 0));
    on_block!(aligned_free(block));
}

#[rstest]
fn aligned_realloc_keeps_alignment_and_contents(
    #[values(1, 16, 64, 4096, 1 << 20)] alignment: usize,
    #[values(0, 3, 8)] offset: usize,
) {
    let mut block = without_error(|| aligned_offset_malloc(10, alignment, offset));
    fill(block, 10, 6);
    for size in [10, 11, 500, 40_000, 5_000_000, 300, 10] {
        block = without_error(|| on_block!(aligned_offset_realloc(block, size, alignment, offset)));
        assert_eq!((block as usize + offset) % alignment, 0);
        assert!(is_all(block, 0..10, 6));
        assert!(aligned_msize(block, alignment, offset) >= size);
        // All bytes of the new size are usable.
        fill(block.wrapping_byte_add(10), size - 10, 1);
    }
    let free = || on_block!(aligned_offset_realloc(block, 0, alignment, offset));
    assert!(without_error(free).is_null());
}

#[rstest]
#[case(|block| on_block!(realloc(block, 0)))]
#[case(|block| on_block!(recalloc(block, 0, 3)))]
#[case(|block| on_block!(aligned_offset_realloc(block, 0, 16, 0)))]
#[case(|block| on_block!(aligned_offset_recalloc(block, 3, 0, 16, 0)))]
fn resizing_to_0_frees_the_block(#[case] resize: fn(*mut c_void) -> *mut c_void) {
    // Blocks that were not freed would all have different addresses.
    let mut addresses = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let block = malloc(50 << 20);
        assert!(!block.is_null());
        addresses.insert(block as usize);
        assert!(without_error(|| resize(block)).is_null());
    }
    assert!(addresses.len() < 100);
}

#[test]
fn resizing_null_allocates_a_block() {
    let null = ptr::null_mut();
    for block in [
        without_error(|| on_block!(realloc(null, 0))),
        without_error(|| on_block!(recalloc(null, 3, 4))),
        without_error(|| on_block!(aligned_offset_realloc(null, 0, 64, 0))),
        without_error(|| on_block!(aligned_offset_recalloc(null, 3, 4, 64, 11))),
    ] {
        assert!(!block.is_null());
        on_block!(aligned_free(block));
    }
}

#[test]
fn heapwalk_accepts_a_block_and_refuses_an_address_inside_it() {
    let block = malloc(50);
    let mut info = Entry {
        address: block.cast(),
        size: 0,
        use_flag: 9,
    };
    assert_ne!(
        without_error(|| heapwalk(Some(&mut info))),
        heap_status::BAD_PTR
    );
    info.address = block.wrapping_byte_add(1).cast();
    let refused = call(|| heapwalk(Some(&mut info)));
    assert_eq!(refused, (heap_status::BAD_PTR, ENOSYS, 0));
    on_block!(free(block));
}

#[test]
fn heapadd_fails_with_enosys() {
    let mut memory = [0u64; 64];
    for (at, size) in [(ptr::null_mut(), 0), (memory.as_mut_ptr().cast(), 512)] {
        assert_eq!(call(|| heapadd(at, size)), (-1, ENOSYS, 0));
    }
}

#[rstest]
#[case(0, "No error")]
#[case(9, "Bad file descriptor")]
#[case(ENOMEM, "Not enough space")]
#[case(15, "Unknown error")]
#[case(EINVAL, "Invalid argument")]
#[case(28, "No space left on device")]
#[case(34, "Result too large")]
#[case(38, "Filename too long")]
#[case(ENOSYS, "Function not implemented")]
#[case(42, "Illegal byte sequence")]
#[case(43, "Unknown error")]
fn each_number_has_its_text(#[case] number: c_int, #[case] expected: &str) {
    // SAFETY: both are valid forever; the list has one text more than the number.
    let text = unsafe {
        assert_eq!(*sys_nerr(), 43);
        CStr::from_ptr(*sys_errlist().add(number as usize))
    };
    assert_eq!(text.to_str(), Ok(expected));
}

#[test]
fn each_thread_has_its_own_errno_which_begins_at_0() {
    set_errno(OLD);
    let elsewhere = std::thread::spawn(|| {
        let before = (ERRNO.get(), DOSERRNO.get());
        refused(|| malloc(TOO_MUCH), ENOMEM);
        before
    });
    assert_eq!(elsewhere.join().unwrap(), (0, 0));
    let mut value = 0;
    assert_eq!((get_errno(Some(&mut value)), value), (0, OLD));
}

/// Without the handlers around the fork, the child may find a lock taken by a
/// thread that it does not have. An alarm ends such a child.
#[cfg(unix)]
#[test]
fn a_child_of_a_program_with_threads_can_use_the_heap() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    on_block!(free(malloc(1000)));
                }
            });
        }
        let all_ended_well = (0..300).all(|_| {
            // SAFETY: besides the heap, which this test is about, the child calls
            // only what a child may call.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: as above.
                unsafe {
                    libc::alarm(20);
                    let block = malloc(1000);
                    fill(block, 1000, 1);
                    free(block);
                    libc::_exit(c_int::from(heapchk() != heap_status::OK));
                }
            }
            let mut status = -1;
            // SAFETY: waits for our own child.
            unsafe { libc::waitpid(child, &mut status, 0) };
            status == 0
        });
        stop.store(true, Ordering::Relaxed);
        assert!(all_ended_well);
    });
}
