//! A run of the command that must leave no process and no file.

use libtest_mimic::Failed;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit of a run. A run takes some seconds; this only stops one that
/// would never end.
const LONGEST: Duration = Duration::from_secs(600);

/// A run of the command with its own folder for temporary files. The folder's path
/// in the environment also marks the processes of the run.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    command: Command,
}

/// A verdict, with the observation.
#[derive(Debug)]
pub(crate) struct Result {
    pub verdict: String,
    pub observed: String,
}

impl Run {
    /// A check of these libraries.
    pub(crate) fn new(libraries: &[impl AsRef<OsStr>]) -> std::io::Result<Run> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
        command
            .args(["check", "--format", "json", "--profile", "reference"])
            .args(libraries)
            .env("TMPDIR", folder.path());
        Ok(Run { folder, command })
    }

    /// Checks only clauses that match these patterns.
    pub(crate) fn only(mut self, patterns: &[&str]) -> Run {
        for pattern in patterns {
            self.command.args(["--only", pattern]);
        }
        self
    }

    /// Adds these arguments.
    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Run {
        self.command.args(arguments);
        self
    }

    /// The report; an error if the run leaves a process or a file.
    pub(crate) fn report(self) -> std::result::Result<Value, Failed> {
        self.report_while(|_| Ok(()))
    }

    /// The report; `act` is called during the run with the folder for temporary
    /// files.
    pub(crate) fn report_while(
        self,
        act: impl FnOnce(&Path) -> std::io::Result<()>,
    ) -> std::result::Result<Value, Failed> {
        let Output { stdout, stderr, .. } = self.output_while(act)?;
        serde_json::from_slice(&stdout).map_err(|error| {
            let stderr = String::from_utf8_lossy(&stderr);
            format!("no report ({error}); standard error: {stderr}").into()
        })
    }

    /// The output; an error if the run leaves a process or a file.
    pub(crate) fn output_while(
        mut self,
        act: impl FnOnce(&Path) -> std::io::Result<()>,
    ) -> std::result::Result<Output, Failed> {
        let start = Instant::now();
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.command.spawn()?;
        act(self.folder.path())?;
        let output = child.wait_with_output()?;
        let took = start.elapsed();
        if took > LONGEST {
            return Err(format!("the run took {took:?}").into());
        }
        let left: Vec<_> = fs::read_dir(self.folder.path())?.collect();
        if !left.is_empty() {
            return Err(format!("the run left files: {left:?}").into());
        }
        // A killed process disappears a moment after the signal.
        for _ in 0..50 {
            if processes_with(self.folder.path()).is_empty() {
                return Ok(output);
            }
            thread::sleep(Duration::from_millis(100));
        }
        let left = processes_with(self.folder.path());
        Err(format!("the run left processes: {left:?}").into())
    }
}

/// Processes that have this folder in their environment.
fn processes_with(folder: &Path) -> Vec<String> {
    let mark = folder.as_os_str().as_bytes();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let environment = fs::read(path.join("environ")).ok()?;
            let is_ours = environment.windows(mark.len()).any(|part| part == mark);
            is_ours.then(|| path.display().to_string())
        })
        .collect()
}

/// The results of a candidate in a report.
pub(crate) fn verdicts(candidate: &Value) -> Vec<Result> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = candidate["results"].as_array().into_iter().flatten();
    results
        .map(|it| Result {
            verdict: text(&it["verdict"]),
            observed: text(&it["observed"]),
        })
        .collect()
}
