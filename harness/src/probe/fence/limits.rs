//! Resource limits of the process (getrlimit(2)).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Limits the processor time of all threads together; a limit that is lower
/// already stays.
pub(super) fn processor_time(seconds: u64) -> Result<(), String> {
    let now = getrlimit(Resource::Cpu);
    let at_most = |bound: Option<u64>| Some(bound.map_or(seconds, |bound| bound.min(seconds)));
    let new = Rlimit {
        current: at_most(now.current),
        maximum: at_most(now.maximum),
    };
    setrlimit(Resource::Cpu, new).map_err(|error| error.to_string())
}

/// Has the kernel end this process before any other if memory runs out.
pub(super) fn die_first() {
    // Where that cannot be said, the watch from outside still holds.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}
