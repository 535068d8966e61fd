//! Threads with large stacks, without `std`, which itself needs memory for a thread.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

static MAY_END: AtomicBool = AtomicBool::new(false);

extern "C" fn wait(_: *mut c_void) -> *mut c_void {
    while !MAY_END.load(Ordering::Relaxed) {
        // SAFETY: only waits.
        unsafe { libc::usleep(500) };
    }
    ptr::null_mut()
}

/// Starts `N` threads, each with a stack of this many bytes, all at the same time. Returns
/// how many the system started.
pub fn threads_with_stacks<const N: usize>(bytes: usize) -> usize {
    let mut started: [Option<libc::pthread_t>; N] = [None; N];
    MAY_END.store(false, Ordering::Relaxed);
    for thread in &mut started {
        let mut number = 0 as libc::pthread_t;
        // SAFETY: plain data that pthread_attr_init fills in, and a thread function that
        // takes no argument.
        let done = unsafe {
            let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
            libc::pthread_attr_init(&mut attributes);
            libc::pthread_attr_setstacksize(&mut attributes, bytes);
            let done = libc::pthread_create(&mut number, &attributes, wait, ptr::null_mut());
            libc::pthread_attr_destroy(&mut attributes);
            done
        };
        *thread = (done == 0).then_some(number);
    }
    MAY_END.store(true, Ordering::Relaxed);
    let mut count = 0;
    for number in started.into_iter().flatten() {
        // SAFETY: a thread that is not joined yet.
        unsafe { libc::pthread_join(number, ptr::null_mut()) };
        count += 1;
    }
    count
}
