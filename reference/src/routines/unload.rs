//! Gives back the address space of the heap when the library is unloaded, so that a
//! program can load and unload it any number of times. A window that is reserved stays.

use crate::misuse;
use crate::os;

/// Runs when the library is unloaded, and at the end of the process.
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_term_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".fini_array"))]
static AT_UNLOAD: extern "C" fn() = at_unload;

extern "C" fn at_unload() {
    // The scheduler of variants/schedules has ended before.
    if !cfg!(schedules) {
        os::forget_thread_exits();
        misuse::try_settle();
        misuse::heap_in_use().withdraw();
    }
}
