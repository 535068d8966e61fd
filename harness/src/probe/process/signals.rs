//! Signals that interrupt a thread in the heap.

use crate::probe::Stop;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{ptr, thread};

static HANDLED: AtomicU64 = AtomicU64::new(0);
const STACK: usize = 64 << 10;
/// Signals in one run.
const ENOUGH: u64 = 20;
const BETWEEN: Duration = Duration::from_micros(50);
const AT_MOST: Duration = Duration::from_secs(5);

extern "C" fn count(_: c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// Runs `work` in two threads: one is interrupted by signals all the time and handles them
/// on an alternate stack, the other blocks all signals. The handler allocates nothing.
/// The first thread repeats `work` until it has handled some signals. Returns how many.
///
/// # Errors
/// [`Stop::Failed`] if the system refuses a handler or a thread.
pub fn interrupted(work: &(dyn Fn() + Sync)) -> Result<u64, Stop> {
    handle()?;
    thread::scope(|scope| {
        let blocking = scope.spawn(|| {
            block_all_signals();
            work();
        });
        // A scoped thread has no number for `pthread_kill`, so the thread reports it.
        let (report, number) = std::sync::mpsc::channel();
        let interrupted = scope.spawn(move || {
            // SAFETY: the number of this thread.
            let own = unsafe { libc::pthread_self() };
            use_an_alternate_stack();
            let _ = report.send(own);
            let start = Instant::now();
            loop {
                work();
                if HANDLED.load(Ordering::Relaxed) >= ENOUGH || start.elapsed() > AT_MOST {
                    break;
                }
            }
        });
        let Ok(number) = number.recv() else {
            return Err(Stop::Failed("the interrupted thread did not start".into()));
        };
        while !interrupted.is_finished() {
            // SAFETY: a thread that is not joined yet.
            unsafe { libc::pthread_kill(number, libc::SIGUSR1) };
            // Also lets the thread run on a machine with one processor.
            thread::sleep(BETWEEN);
        }
        interrupted.join().expect("it does not panic");
        blocking.join().expect("it does not panic");
        Ok(HANDLED.load(Ordering::Relaxed))
    })
}

fn handle() -> Result<(), Stop> {
    // SAFETY: zeros are a valid sigaction; the handler only counts. Without SA_RESTART the
    // system calls of the heap are interrupted too.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as *const () as usize;
        action.sa_flags = libc::SA_ONSTACK;
        libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut())
    };
    match done {
        0 => Ok(()),
        _ => Err(Stop::Failed("no handler could be set".into())),
    }
}

fn block_all_signals() {
    // SAFETY: a setting of this thread; sigfillset fills the set in.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, ptr::null_mut());
    }
}

fn use_an_alternate_stack() {
    let stack: &'static mut [u8] = Box::leak(vec![0; STACK].into_boxed_slice());
    let stack = libc::stack_t {
        ss_sp: stack.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: STACK,
    };
    // SAFETY: memory that is never used for anything else. `std` has set another stack for
    // this thread, which it frees itself.
    unsafe { libc::sigaltstack(&stack, ptr::null_mut()) };
}
