//! Resource limits of the process (getrlimit(2)).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// No case writes a file. A candidate that logs may.
const LARGEST_FILE: u64 = 64 << 20;

/// Limits the processor time of all threads together.
pub fn processor_time(seconds: u64) -> Result<(), String> {
    limit(Resource::Cpu, seconds)
}

/// Limits the size of the files that are written.
pub fn file_size() -> Result<(), String> {
    limit(Resource::Fsize, LARGEST_FILE)
}

/// Lowers a limit; one that is lower already stays.
fn limit(resource: Resource, wanted: u64) -> Result<(), String> {
    let now = getrlimit(resource);
    let at_most = |bound: Option<u64>| Some(bound.map_or(wanted, |bound| bound.min(wanted)));
    let new = Rlimit {
        current: at_most(now.current),
        maximum: at_most(now.maximum),
    };
    setrlimit(resource, new).map_err(|error| error.to_string())
}

/// Has the kernel end this process before any other if memory runs out.
pub fn die_first() {
    // Where that cannot be said, the watch from outside still holds.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}
