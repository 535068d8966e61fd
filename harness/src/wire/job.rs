//! The input of a probe: its subcommand and its job.

use super::fence::Fence;
use super::stop::StopAt;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;

/// The hidden subcommand that makes the program a probe.
pub const PROBE_COMMAND: &str = "probe";

/// The environment variable with the mark of a probe, by which its parent finds its process.
pub const MARK_VARIABLE: &str = "HEAPMIN_MARK";

/// The file to which a probe writes its events if its job is in a file: beside it, with this
/// name.
pub const EVENTS_FILE: &str = "events";

/// A routine that a candidate has under another name than that of its page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherName {
    /// The routine, one of [`ROUTINES`](crate::library::routines::ROUTINES).
    pub routine: String,
    /// The name that the library exports.
    pub name: String,
    /// The library that exports it: a path or name for the loader. Empty if the candidate
    /// itself does.
    #[serde(with = "super::os_name")]
    pub file: OsString,
}

/// The case of a job without a library that measures how fast the machine is.
pub const CALIBRATION: &str = "calibration";

/// The `load_name` of the system's own heap, which is no library: the probe makes a C
/// runtime of its routines. Only Windows and Wine have one.
pub const SYSTEM_HEAP: &str = "the system's heap";

/// What a probe has to do. It is the first line that the probe reads, or the file that the
/// first argument of the subcommand names: a debugger has the standard streams for itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Job {
    /// The token at the start of every event's line.
    pub token: String,
    /// The case to run. Empty if the probe only loads the library.
    pub case: String,
    /// The library to load: a path or name for this system's loader. Empty if the probe
    /// only starts.
    #[serde(with = "super::os_name")]
    pub load_name: OsString,
    /// The names that the library exports, if its file was read. The probe looks up no
    /// others.
    pub exports: Option<Vec<String>>,
    /// The routines that it has under another name.
    #[serde(default)]
    pub names: Vec<OtherName>,
    /// The library that has the heap routines that `load_name` does not have. Empty if
    /// `load_name` has them all.
    #[serde(with = "super::os_name", default)]
    pub heap: OsString,
    /// The names that the library of the heap exports, if its file was read.
    #[serde(default)]
    pub heap_exports: Option<Vec<String>>,
    /// The places where the library keeps addresses of its own routines: each an
    /// offset, with the routine's name.
    #[serde(default)]
    pub own_calls: Vec<(u64, String)>,
    /// The library that contains `errno`, if another one does.
    pub errno_library: Option<String>,
    /// Another name for the same library.
    pub alias: Option<String>,
    /// The calls to make instead of a case, one in each line.
    pub script: Option<String>,
    /// Whether the probe records what the calls cover.
    #[serde(default)]
    pub record: bool,
    /// The fence that the probe raises before it loads anything.
    pub fence: Option<Fence>,
    /// The place at which the probe stops for a debugger.
    #[serde(default)]
    pub stop: Option<StopAt>,
}
