//! How long things take.

use heapmin_harness::probe::crt::Bare;
use std::time::Instant;

/// Nanoseconds since an instant, as a fact's value.
pub(super) fn nanoseconds(since: Instant) -> i64 {
    since.elapsed().as_nanos().try_into().unwrap_or(i64::MAX)
}

/// The time of a `_heapmin` call and of another right after it, in nanoseconds.
pub(super) fn release(bare: Bare) -> (i64, i64) {
    let start = Instant::now();
    bare.heapmin();
    let first = nanoseconds(start);
    let start = Instant::now();
    bare.heapmin();
    (first, nanoseconds(start))
}
