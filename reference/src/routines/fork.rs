//! Keeps the heap usable in the child of a `fork`. The child gets a copy of the
//! heap, but only of the thread that forked. So no other thread may be inside the
//! heap during a fork: the thread that forks takes all locks before it. Fork
//! handlers of other libraries run before or after these, on the same thread, and
//! may use the heap too.

use crate::lock::{Guard, set_forks};
use crate::misuse::{self, State};
use crate::os;
use crate::thread;
use crate::whole::Whole;
use core::cell::Cell;
use core::mem::ManuallyDrop;

/// Runs when the library is loaded. The first use of the heap would be too late:
/// one thread may fork while another is about to call `at_fork`.
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static AT_LOAD: extern "C" fn() = at_load;

extern "C" fn at_load() {
    os::at_fork(before_fork, in_parent, in_child);
    if !cfg!(schedules) {
        os::notice_thread_exits(thread::leave);
    }
}

/// The locks of the heap, and of [`misuse`].
type Locks = (Whole<'static>, Guard<'static, State>);

thread_local! {
    /// How many forks this thread has begun: a fork handler may fork.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// The locks, while this thread forks. `ManuallyDrop`, because a destructor
    /// would have to be registered, which needs memory and so a lock.
    static LOCKS: Cell<Option<ManuallyDrop<Locks>>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    DEPTH.set(DEPTH.get() + 1);
    if DEPTH.get() > 1 {
        return;
    }
    let state = misuse::lock_for_fork();
    let whole = misuse::heap_in_use().lock_for_fork();
    whole.keep_for_fork();
    set_forks(true);
    LOCKS.set(Some(ManuallyDrop::new((whole, state))));
}

extern "C" fn in_parent() {
    DEPTH.set(DEPTH.get().saturating_sub(1));
    if DEPTH.get() > 0 {
        return;
    }
    set_forks(false);
    drop(LOCKS.take().map(ManuallyDrop::into_inner));
}

extern "C" fn in_child() {
    if let Some(locks) = LOCKS.take() {
        locks.0.forget_sleepers();
        locks.1.forget_sleepers();
        thread::forget_others();
        LOCKS.set(Some(locks));
    }
    in_parent();
}
