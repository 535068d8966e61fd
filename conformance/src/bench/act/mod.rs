//! What the probe does: it runs a workload on the bare routines and reports how
//! long each part took.
//!
//! The probe itself allocates nothing between the first measurement and the
//! last: the measured allocator may be the one that this program uses.

mod curve;
mod day;
mod exchange;
mod fill;
mod growing;
mod handover;
pub mod parameters;
mod replay;
mod short;
mod timing;

use super::workload::FILLS;
use heapmin_harness::probe::{Act, Probe, Stop};

/// The act of this name.
pub fn act_of(name: &str) -> Option<Act> {
    Some(match name.strip_prefix("bench-")? {
        "small" => |probe| fill::fill(probe, &FILLS[0]),
        "mixed" => |probe| fill::fill(probe, &FILLS[1]),
        "kilobyte" => |probe| fill::fill(probe, &FILLS[2]),
        "medium" => |probe| fill::fill(probe, &FILLS[3]),
        "tiny" => |probe| fill::fill(probe, &FILLS[4]),
        "curve" => curve::curve,
        "exchange" => exchange::exchange,
        "growing" => growing::growing,
        "short" => short::short,
        "handover" => handover::handover,
        "day" => day::day,
        "trace" => replay::replay,
        "version" => version,
        _ => return None,
    })
}

/// The facts in which `version` reports the parts of a version.
pub const VERSION: [&str; 3] = ["major", "minor", "patch"];

/// Reports the version of an adapted allocator.
fn version(probe: &mut Probe) -> Result<(), Stop> {
    let numbers = probe.crt.adapted_version().into_iter().flatten();
    for (name, number) in VERSION.into_iter().zip(numbers) {
        probe.fact(name, i64::from(number))?;
    }
    Ok(())
}
