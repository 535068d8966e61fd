//! The fence as data: what a probe is to keep itself from, and what came of it.

use serde::{Deserialize, Serialize};

/// What the probe is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Whether the case needs child processes.
    pub may_fork: bool,
    /// Processor time that all threads may use together, in seconds.
    pub cpu_seconds: u64,
}

/// What became of it: each part is one sentence without its subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InForce {
    /// What the candidate is kept from.
    pub kept: Vec<String>,
    /// What it should be kept from but is not, and why.
    pub missing: Vec<String>,
}
