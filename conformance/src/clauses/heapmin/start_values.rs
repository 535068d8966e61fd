//! The case that success and failure are both judged by: many calls, each
//! from other error values. A call that looks right from one may be wrong
//! from the next.

use crate::clause::Case;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

pub static START_VALUES: Case = Case::new(
    "start-values",
    "calls _heapmin from every pair of several values of errno and of the system's last error",
    start_values,
);

/// 38 and 40 are `ENOSYS` on Linux and at Microsoft; 77 is nothing to anybody.
const ERRNO: [i32; 6] = [0, 2, 22, 38, 40, 77];

/// None; access denied, bad handle, no memory, bad parameter, and what
/// Windows 98 said: call not implemented.
#[cfg(windows)]
const LAST_ERROR: [u32; 6] = [0, 5, 6, 8, 87, 120];
/// None, `EPERM`, `ENOMEM`, `EINVAL`, and `ENOSYS` as Linux and macOS have it.
#[cfg(unix)]
const LAST_ERROR: [u32; 6] = [0, 1, 12, 22, 38, 78];

/// Not a number of any system's, so that a `_doserrno` that was set is seen.
const DOSERRNO: u32 = 54_321;

fn start_values(probe: &mut Probe) -> Result<(), Stop> {
    probe.step("allocate and free some blocks")?;
    let kept = probe.crt.need(1000)?;
    for size in [64, 2000, 100_000, 2_000_000] {
        let block = probe.crt.need(size)?;
        probe.crt.free(block)?;
    }
    for errno in ERRNO {
        for last_error in LAST_ERROR {
            probe.step(&format!("_heapmin, errno {errno}, last error {last_error}"))?;
            probe.heapmin_from(ErrorState {
                errno,
                doserrno: DOSERRNO,
                last_error,
            })?;
        }
    }
    probe.crt.free(kept)
}
