//! Gives the address space of the heap back when the library is unloaded, so that a
//! program can load and unload it any number of times.

use super::process::heap;

/// Runs when the library is unloaded, and at the end of the process.
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_term_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".fini_array"))]
static AT_UNLOAD: extern "C" fn() = at_unload;

extern "C" fn at_unload() {
    // The scheduler of that test has ended before.
    if !cfg!(schedules) {
        heap().withdraw();
    }
}
