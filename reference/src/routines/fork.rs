//! What happens when the process is copied: the child gets the heap, but none
//! of the threads that may be at work on it. So nobody may be.

use super::process::heap;
use crate::heap::Whole;
use crate::os;
use core::cell::Cell;
use core::mem::ManuallyDrop;

/// Called when the library is loaded. At the first use of the heap it would be
/// too late: one thread may fork while another is about to ask.
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
    /// The locks, while this thread forks. Nothing is dropped when the thread
    /// ends: noting that down would need memory, and so a lock.
    static LOCKS: Cell<Option<ManuallyDrop<Whole<'static>>>> = const { Cell::new(None) };
}

extern "C" fn before_fork() {
    LOCKS.set(Some(ManuallyDrop::new(heap().lock_all())));
}

extern "C" fn after_fork() {
    drop(LOCKS.take().map(ManuallyDrop::into_inner));
}
