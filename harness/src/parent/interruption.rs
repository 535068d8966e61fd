//! Whether the user has interrupted the run. Then every probe is killed, and no other
//! is started.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// The place where a signal handler stores its signal's number. Any number but 0 ends
/// all observations in this process, current and future.
pub fn signal() -> Arc<AtomicUsize> {
    SIGNAL.clone()
}

/// The signal that interrupted the run, if any.
pub fn by() -> Option<usize> {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Whether a signal has interrupted the run.
pub fn is_wanted() -> bool {
    by().is_some()
}
