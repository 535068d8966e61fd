//! Destructors of threads that allocate and free.

use crate::probe::Stop;
use crate::probe::crt::{Bare, Crt};
use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{ptr, thread};

static HEAP: OnceLock<Bare> = OnceLock::new();
static KEY: OnceLock<libc::pthread_key_t> = OnceLock::new();
/// Blocks that a destructor did not get, or whose bytes changed.
static WRONG: AtomicU64 = AtomicU64::new(0);
/// Destructors that ran.
static RAN: AtomicU64 = AtomicU64::new(0);
/// How many times each destructor sets its value again. The destructor of the heap then
/// runs before a later round, whichever of them was created first.
const AGAIN: usize = 2;

extern "C" fn destructor(rounds: *mut c_void) {
    let (Some(heap), Some(key)) = (HEAP.get(), KEY.get()) else {
        return;
    };
    RAN.fetch_add(1, Ordering::Relaxed);
    for size in [24, 3000, 100_000] {
        match heap.malloc(size) {
            Ok(mut block) => {
                block.fill(9);
                WRONG.fetch_add((!block.is_all(9)).into(), Ordering::Relaxed);
                heap.free(block);
            }
            Err(_) => {
                WRONG.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    if rounds as usize > 1 {
        // SAFETY: a key of this process. The value is a number.
        unsafe { libc::pthread_setspecific(*key, ptr::without_provenance(rounds as usize - 1)) };
    }
}

/// Starts threads, one after another. Each uses the heap, and its destructors allocate and
/// free in three rounds. Returns how many blocks a destructor did not get or keep.
///
/// # Errors
/// [`Stop::Failed`] if the system has no key for a destructor, or if they did not run.
pub fn threads_with_destructors(crt: &Crt, threads: usize) -> Result<u64, Stop> {
    let heap = *HEAP.get_or_init(|| crt.bare().expect("the caller called malloc"));
    let key = match KEY.get() {
        Some(key) => *key,
        None => {
            let mut key = 0;
            // SAFETY: a variable for the key.
            if unsafe { libc::pthread_key_create(&mut key, Some(destructor)) } != 0 {
                return Err(Stop::Failed("no key for a destructor".into()));
            }
            *KEY.get_or_init(|| key)
        }
    };
    let before = RAN.load(Ordering::Relaxed);
    for _ in 0..threads {
        let thread = thread::spawn(move || {
            // SAFETY: a key of this process. The value is a number.
            unsafe { libc::pthread_setspecific(key, ptr::without_provenance(AGAIN + 1)) };
            let block = heap.malloc(500)?;
            heap.free(block);
            Ok::<_, Stop>(())
        });
        thread.join().expect("it does not panic")?;
    }
    let ran = RAN.load(Ordering::Relaxed) - before;
    if ran != (threads * (AGAIN + 1)) as u64 {
        return Err(Stop::Failed(format!("only {ran} destructors ran")));
    }
    Ok(WRONG.load(Ordering::Relaxed))
}
