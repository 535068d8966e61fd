//! The user wants the run to end: every probe is killed, and none is started.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Where a signal handler puts the number of its signal. Anything but 0 ends
/// all observations of this process, those under way and those to come.
pub fn signal() -> Arc<AtomicUsize> {
    SIGNAL.clone()
}

/// The signal that came, if one did.
pub fn by() -> Option<usize> {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Whether the run is to end.
pub fn is_wanted() -> bool {
    by().is_some()
}
