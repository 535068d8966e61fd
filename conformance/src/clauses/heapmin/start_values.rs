//! The case by which the clauses about success and failure are judged: many
//! calls, each from other error values. A library may be right for one start
//! value and wrong for another.

use crate::clause::Case;
use heapmin_harness::probe::{ErrorState, Probe, Stop};

pub(super) static START_VALUES: Case = Case::new(
    "start-values",
    "calls _heapmin from every pair of six values of errno and six of the system's last error",
    start_values,
);

/// `ENOSYS` is 38 on Linux and 40 in Microsoft's libraries; 77 is an error that
/// no heap sets.
const ERRNO: [i32; 6] = [0, 2, 22, 38, 40, 77];

/// No error; access denied, invalid handle, not enough memory, invalid
/// parameter, and call not implemented, which Windows 98 sets.
#[cfg(windows)]
const LAST_ERROR: [u32; 6] = [0, 5, 6, 8, 87, 120];
/// No error; `EPERM`, `ENOMEM`, `EINVAL`, and `ENOSYS` of Linux and of macOS.
#[cfg(unix)]
const LAST_ERROR: [u32; 6] = [0, 1, 12, 22, 38, 78];

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
                last_error,
                ..ErrorState::MARKED
            })?;
        }
    }
    probe.crt.free(kept)
}
