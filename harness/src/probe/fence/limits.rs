//! Limits of the process that the kernel enforces: processor time, and who dies first when
//! memory runs out.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Limits the processor time of all threads together, in seconds. A lower limit that is
/// already set stays.
pub(super) fn processor_time(seconds: u64) -> Result<(), String> {
    let now = getrlimit(Resource::Cpu);
    let at_most = |bound: Option<u64>| Some(bound.map_or(seconds, |bound| bound.min(seconds)));
    let new = Rlimit {
        current: at_most(now.current),
        maximum: at_most(now.maximum),
    };
    setrlimit(Resource::Cpu, new).map_err(|error| error.to_string())
}

/// Makes the kernel kill this process before any other when memory runs out.
pub(super) fn die_first() {
    // If this fails, the parent still enforces the memory limit.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}
