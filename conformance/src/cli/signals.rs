//! Ctrl-C and the like: the run ends early, and tells what it knows so far.

use heapmin_harness::interruption;
use signal_hook::consts::TERM_SIGNALS;
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Lets a signal end the run in good order, and a second one at once.
pub fn end_in_good_order() {
    let came = Arc::new(AtomicBool::new(false));
    for &signal in TERM_SIGNALS {
        // In this order, so that the first one finds the flag unset. Where a
        // signal cannot be had it ends the process, as it always does.
        let _ = flag::register_conditional_shutdown(signal, status(signal), came.clone());
        let _ = flag::register(signal, came.clone());
        let _ = flag::register_usize(signal, interruption::signal(), signal as usize);
    }
}

/// The exit status of a run that a signal ended, as shells have it: 130 for
/// Ctrl-C. `None` if none came.
pub fn interrupted() -> Option<u8> {
    let signal = interruption::by()?.try_into().ok()?;
    u8::try_from(status(signal)).ok()
}

fn status(signal: i32) -> i32 {
    128 + signal
}
