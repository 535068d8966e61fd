//! Waits until something happens, and fails after a minute.

use std::thread;
use std::time::{Duration, Instant};

/// A time limit that only a hang exceeds.
#[allow(dead_code)] // only some tests compare with it
pub(crate) const SOON: Duration = Duration::from_secs(60);

#[track_caller]
pub(crate) fn wait_until(what: &str, is_true: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_true() {
        assert!(start.elapsed() < SOON, "waited too long until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
