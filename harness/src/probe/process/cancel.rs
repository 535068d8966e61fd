//! A thread that calls only the heap while a request to cancel it is pending.

use crate::probe::crt::Crt;
use crate::probe::{Stop, host};
use std::ffi::{c_int, c_void};
use std::os::unix::thread::JoinHandleExt;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{ptr, thread};

/// Threads that use the heap meanwhile, so that the thread waits for locks.
const BUSY: usize = 4;
/// How many times one of them is stopped for a while, wherever it is in the heap. The
/// thread then meets a lock that is taken, also on a machine with few processors.
const STOPS: u32 = 40;
/// How many rounds the thread makes at least.
const LEAST_ROUNDS: u32 = 30;
const STOP: libc::timespec = libc::timespec {
    tv_sec: 0,
    tv_nsec: 2_000_000,
};
/// Time limit on a machine that is too busy for this number of stops.
const AT_MOST: Duration = Duration::from_secs(3);

type Pointer = *mut c_void;

/// The routines, as functions out of which a cancelled thread is unwound.
#[derive(Clone, Copy)]
struct Routines {
    malloc: unsafe extern "C-unwind" fn(usize) -> Pointer,
    calloc: unsafe extern "C-unwind" fn(usize, usize) -> Pointer,
    realloc: unsafe extern "C-unwind" fn(Pointer, usize) -> Pointer,
    free: unsafe extern "C-unwind" fn(Pointer),
}

static IS_ENOUGH: AtomicBool = AtomicBool::new(false);
static STOPPED: AtomicU32 = AtomicU32::new(0);
/// Rounds of the thread to cancel.
static ROUNDS: AtomicU32 = AtomicU32::new(0);

extern "C" fn stop(_: c_int) {
    STOPPED.fetch_add(1, Ordering::Relaxed);
    // SAFETY: a handler may call it, and then restores errno.
    unsafe {
        let errno = host::errno_location();
        let before = errno.read();
        libc::nanosleep(&STOP, ptr::null_mut());
        errno.write(before);
    }
}

/// Whether a thread that calls only `malloc`, `calloc`, `realloc` and `free` ends early
/// because a request to cancel it is pending. Other threads use the heap meanwhile. Runs
/// in a child process, since a cancelled thread may keep a lock.
///
/// # Errors
/// [`Stop::Failed`] if no thread can be started.
pub fn is_cancelled_while_allocating(crt: &Crt) -> Result<bool, Stop> {
    let [malloc, calloc, realloc, free] = crt.addresses()?;
    // SAFETY: routines with these signatures.
    let routines = unsafe {
        Routines {
            malloc: std::mem::transmute::<
                *const c_void,
                unsafe extern "C-unwind" fn(usize) -> Pointer,
            >(malloc),
            calloc: std::mem::transmute::<
                *const c_void,
                unsafe extern "C-unwind" fn(usize, usize) -> Pointer,
            >(calloc),
            realloc: std::mem::transmute::<
                *const c_void,
                unsafe extern "C-unwind" fn(Pointer, usize) -> Pointer,
            >(realloc),
            free: std::mem::transmute::<*const c_void, unsafe extern "C-unwind" fn(Pointer)>(free),
        }
    };
    // SAFETY: zeros are a valid sigaction, and the handler takes a number.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = stop as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut());
    }
    let busy: [_; BUSY] = std::array::from_fn(|_| {
        thread::spawn(move || {
            while !IS_ENOUGH.load(Ordering::Relaxed) {
                // SAFETY: no request to cancel is pending for this thread.
                unsafe { use_the_heap(&routines) };
            }
        })
    });
    let mut cancelled = 0 as libc::pthread_t;
    // SAFETY: pthread_create gets a function that takes one pointer, and the routines
    // live until the thread is joined.
    let started = unsafe {
        let start = std::mem::transmute::<
            extern "C-unwind" fn(Pointer) -> Pointer,
            extern "C" fn(Pointer) -> Pointer,
        >(only_the_heap);
        let routines = ptr::from_ref(&routines).cast_mut().cast();
        libc::pthread_create(&mut cancelled, ptr::null(), start, routines)
    };
    if started != 0 {
        return Err(Stop::Failed("no thread could be started".into()));
    }
    let start = Instant::now();
    let mut result: Pointer = ptr::null_mut();
    for busy in busy.iter().cycle() {
        // SAFETY: a thread that is not joined yet.
        if unsafe { libc::pthread_tryjoin_np(cancelled, &mut result) } == 0 {
            break;
        }
        let has_met_all = STOPPED.load(Ordering::Relaxed) >= STOPS
            && ROUNDS.load(Ordering::Relaxed) >= LEAST_ROUNDS;
        if has_met_all || start.elapsed() > AT_MOST {
            IS_ENOUGH.store(true, Ordering::Relaxed);
        }
        if !busy.is_finished() {
            // SAFETY: a thread that is not joined yet.
            unsafe { libc::pthread_kill(busy.as_pthread_t(), libc::SIGUSR2) };
        }
        thread::sleep(Duration::from_millis(1));
    }
    IS_ENOUGH.store(true, Ordering::Relaxed);
    // PTHREAD_CANCELED is -1.
    Ok(result as isize == -1)
}

/// The thread. Its frame has nothing to drop, so that it can be unwound.
extern "C-unwind" fn only_the_heap(routines: Pointer) -> Pointer {
    // SAFETY: the routines that `is_cancelled_while_allocating` passes. The request for
    // this thread stays pending until a cancellation point.
    unsafe {
        libc::pthread_cancel(libc::pthread_self());
        while !IS_ENOUGH.load(Ordering::Relaxed) {
            use_the_heap(&*routines.cast::<Routines>());
            ROUNDS.fetch_add(1, Ordering::Relaxed);
        }
    }
    ptr::null_mut()
}

/// Blocks that the threads exchange, so that each frees blocks of the others and waits for
/// locks that they hold.
static EXCHANGED: [AtomicPtr<c_void>; 200] = [const { AtomicPtr::new(ptr::null_mut()) }; 200];

/// Allocates and resizes 200 blocks of sizes from 16 bytes to 20 KiB, exchanges each for one
/// of another thread, and frees that.
///
/// # Safety
/// The routines are those of one heap.
#[inline(never)]
unsafe fn use_the_heap(routines: &Routines) {
    for (index, exchanged) in EXCHANGED.iter().enumerate() {
        let size = 16 + index * 97 % 20_000;
        // SAFETY: blocks that this thread owns; the exchange gives one up for another.
        unsafe {
            let block = match index % 3 {
                0 => (routines.malloc)(size),
                1 => (routines.calloc)(size, 1),
                _ => (routines.realloc)((routines.malloc)(size), 2 * size),
            };
            (routines.free)(exchanged.swap(block, Ordering::AcqRel));
        }
    }
}
