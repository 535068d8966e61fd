//! What a probe is started with: its subcommand and its job.

use super::fence::Fence;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;

/// The hidden subcommand that makes the program a probe.
pub const PROBE_COMMAND: &str = "probe";

/// What a probe is to do. The first line it reads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Job {
    /// Begins every line of the probe.
    pub token: String,
    /// The case to run.
    pub case: String,
    /// The library to load: a path or a name, as this system's loader wants it.
    #[serde(with = "super::os_name")]
    pub load_name: OsString,
    /// The names the library exports, if its file tells; only these are looked up.
    pub exports: Option<Vec<String>>,
    /// Another library that has this one's `errno`.
    pub errno_library: Option<String>,
    /// Another name for the same library.
    pub alias: Option<String>,
    /// The calls to make instead of a case, one a line.
    pub script: Option<String>,
    /// What the probe keeps itself from before it loads anything.
    pub fence: Option<Fence>,
}
