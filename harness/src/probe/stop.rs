//! Stops the probe for a debugger, at the place that its job names.

use super::host;
use crate::wire::observation::Event;
use crate::wire::stop::{StopAt, is_report};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// A number that no count of reports reaches.
const NEVER: u64 = u64::MAX;

/// The number of reports so far.
static SENT: AtomicU64 = AtomicU64::new(0);
/// The probe stops when it has sent this many reports.
static AFTER_REPORT: AtomicU64 = AtomicU64::new(NEVER);
/// The probe stops before the call of a routine when it has sent this many reports.
static BEFORE_CALL: AtomicU64 = AtomicU64::new(NEVER);
/// Whether the probe has stopped. It stops once: two threads may call at the same time.
static IS_OVER: AtomicBool = AtomicBool::new(false);
/// The process that stops. A debugger does not follow a forked child, which the signal
/// would kill.
static PROCESS: AtomicU32 = AtomicU32::new(0);

/// Sets the place. Stops at once if that is the place before the library is loaded.
pub(super) fn set(place: StopAt) {
    PROCESS.store(std::process::id(), Ordering::SeqCst);
    match place {
        StopAt::Load => stop(ptr::null()),
        StopAt::Report(count) => AFTER_REPORT.store(count, Ordering::SeqCst),
        StopAt::Call(count) => BEFORE_CALL.store(count, Ordering::SeqCst),
    }
}

/// Stops if the case is about to begin, and that is the place.
pub(super) fn before_the_case() {
    if AFTER_REPORT.load(Ordering::SeqCst) == 0 {
        stop(ptr::null());
    }
}

/// Counts an event that was sent, and stops if that is the place.
pub(super) fn after(event: &Event) {
    if is_report(event) {
        let sent = SENT.fetch_add(1, Ordering::SeqCst) + 1;
        if sent == AFTER_REPORT.load(Ordering::SeqCst) {
            stop(ptr::null());
        }
    }
}

/// Stops if a routine is about to be called, and that is the place. Changes no error value.
pub(super) fn before_call(routine: impl FnOnce() -> *const c_void) {
    if SENT.load(Ordering::SeqCst) == BEFORE_CALL.load(Ordering::SeqCst) {
        stop(routine());
    }
}

/// Raises the signal of a breakpoint; see [`host::breakpoint`].
fn stop(routine: *const c_void) {
    let is_ours = PROCESS.load(Ordering::SeqCst) == std::process::id();
    if is_ours && !IS_OVER.swap(true, Ordering::SeqCst) {
        host::breakpoint(routine);
    }
}
