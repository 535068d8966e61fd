//! The shard of a thread, which each `malloc` needs first.

use crate::os;
#[cfg(unix)]
use core::ffi::c_void;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    target_arch = "x86_64",
    not(schedules)
)))]
mod of_thread {
    use core::cell::Cell;

    crate::schedule::thread_local! {
        static NUMBER: Cell<usize> = const { Cell::new(0) };
    }

    #[inline(always)]
    pub(crate) fn number() -> usize {
        NUMBER.with(Cell::get)
    }

    pub(crate) fn set_number(number: usize) {
        NUMBER.with(|of_thread| of_thread.set(number));
    }
}

/// A variable whose address the loader gives by a *TLS descriptor*. For a library that is
/// loaded with the program this takes two instructions; the call for a `thread_local!` in a
/// shared library takes a quarter of a `malloc`.
#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    target_arch = "x86_64",
    not(schedules)
))]
mod of_thread {
    use core::arch::{asm, global_asm};

    /// The symbol of the variable. The narrow variant may be in the same program.
    #[cfg(not(narrow_spans))]
    macro_rules! symbol {
        () => {
            "heapmin_shard_of_thread"
        };
    }
    #[cfg(narrow_spans)]
    macro_rules! symbol {
        () => {
            "heapmin_narrow_shard_of_thread"
        };
    }

    global_asm!(
        concat!(".globl ", symbol!()),
        concat!(".hidden ", symbol!()),
        concat!(".type ", symbol!(), ", @object"),
        concat!(".size ", symbol!(), ", 8"),
        ".pushsection .tbss, \"awT\", @nobits",
        ".balign 8",
        concat!(symbol!(), ": .zero 8"),
        ".popsection",
    );

    /// The address of this thread's variable.
    #[inline(always)]
    fn place() -> *mut usize {
        let place;
        // SAFETY: the call keeps all registers but `rax`; some versions of glibc do not keep
        // those for vectors.
        unsafe {
            asm!(
                concat!("leaq ", symbol!(), "@tlsdesc(%rip), %rax"),
                concat!("call *", symbol!(), "@tlscall(%rax)"),
                "addq %fs:0, %rax",
                out("rax") place,
                out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                options(att_syntax, pure, nomem),
            )
        };
        place
    }

    #[inline(always)]
    pub(crate) fn number() -> usize {
        // SAFETY: a variable of this thread.
        unsafe { place().read() }
    }

    pub(crate) fn set_number(number: usize) {
        // SAFETY: as above.
        unsafe { place().write(number) };
    }
}

/// Number of shards. Up to this many threads run without sharing a lock.
pub(crate) const SHARDS: usize = if cfg!(schedules) { 2 } else { 16 };

/// Number of threads of each shard.
static THREADS: [AtomicUsize; SHARDS] = [const { AtomicUsize::new(0) }; SHARDS];

/// The index of this thread's shard; `usize::MAX` before its first call.
#[inline(always)]
pub(crate) fn shard() -> usize {
    of_thread::number().wrapping_sub(1)
}

/// The same, and before the first call the index of a shard with the fewest threads, which
/// it is from then on. So a thread takes over the shard of one that ended, and with it
/// memory that is in use. (On Windows, the end of a thread is not noticed.)
#[cold]
pub(crate) fn shard_or_new() -> usize {
    while shard() == usize::MAX {
        let threads = |index: usize| (THREADS[index].load(Relaxed), index);
        let (count, index) = (0..SHARDS).map(threads).min().unwrap_or_default();
        let (new, free) = (count + 1, &THREADS[index]);
        if free.compare_exchange(count, new, Relaxed, Relaxed).is_ok() {
            of_thread::set_number(index + 1);
            os::at_thread_exit(); // this may allocate, from the shard that is set
        }
    }
    shard()
}

/// Leaves the shard at the end of this thread. A destructor that runs later may allocate: the
/// thread then joins again, and leaves again.
#[cfg(unix)]
pub(crate) unsafe extern "C" fn leave(_: *mut c_void) {
    if let Some(threads) = THREADS.get(shard()) {
        threads.fetch_sub(1, Relaxed);
    }
    of_thread::set_number(0);
}

/// Forgets all other threads: the child of a fork does not have them.
#[cfg(unix)]
pub(crate) fn forget_others() {
    for (index, threads) in THREADS.iter().enumerate() {
        threads.store(usize::from(index == shard()), Relaxed);
    }
}
