//! Keeps the heap usable in the child of a `fork`. The child gets a copy of the
//! heap, but only of the thread that forked. So no other thread may be inside the
//! heap during a fork: the thread that forks takes all locks before it.

use super::process::heap;
use crate::heap::Whole;
use crate::os;
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
    os::at_fork(before_fork, after_fork);
}

thread_local! {
    /// The locks, while this thread forks. `ManuallyDrop`, because a destructor
    /// would have to be registered, which needs memory and so a lock.
    static LOCKS: Cell<Option<ManuallyDrop<Whole<'static>>>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    LOCKS.set(Some(ManuallyDrop::new(heap().lock_all())));
}

extern "C" fn after_fork() {
    drop(LOCKS.take().map(ManuallyDrop::into_inner));
}
