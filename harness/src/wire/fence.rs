//! The fence as data. A fence is a set of restrictions that a probe puts on its own
//! process, against harm by a candidate.

use serde::{Deserialize, Serialize};

/// The parts of a fence that differ between cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Whether the probe may start child processes.
    pub may_fork: bool,
    /// The processor time for all threads together, in seconds.
    pub cpu_seconds: u64,
}

/// The restrictions that a probe set, and those that failed. Each is a phrase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// The restrictions in force.
    pub kept: Vec<String>,
    /// The restrictions that could not be set, with the reason.
    pub missing: Vec<String>,
}
