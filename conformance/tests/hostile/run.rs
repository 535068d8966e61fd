//! A run of the command whose leavings are looked for.

use libtest_mimic::Failed;
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Two cases of a library that hangs take some seconds. This is for a run that
/// would never end, and leaves the rest to the machine.
const LONGEST: Duration = Duration::from_secs(600);

/// A run of the command with a folder for temporary files of its own, whose
/// path is also the mark of its processes.
pub struct Run {
    folder: tempfile::TempDir,
    command: Command,
}

/// A verdict, with what was seen.
#[derive(Debug)]
pub struct Result {
    pub verdict: String,
    pub observed: String,
}

impl Run {
    /// A check of these libraries.
    pub fn new(libraries: &[impl AsRef<OsStr>]) -> std::io::Result<Run> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
        command
            .args(["check", "--format", "json", "--profile", "reference"])
            .args(libraries)
            .env("TMPDIR", folder.path());
        Ok(Run { folder, command })
    }

    /// Of the clauses that these patterns name only.
    pub fn only(mut self, patterns: &[&str]) -> Run {
        for pattern in patterns {
            self.command.args(["--only", pattern]);
        }
        self
    }

    /// With these arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Run {
        self.command.args(arguments);
        self
    }

    /// The report, if nothing was left behind.
    pub fn report(self) -> std::result::Result<Value, Failed> {
        self.report_while(|_| Ok(()))
    }

    /// The report of a run during which something else is done, which is given
    /// the folder for temporary files.
    pub fn report_while(
        self,
        act: impl FnOnce(&Path) -> std::io::Result<()>,
    ) -> std::result::Result<Value, Failed> {
        let Output { stdout, stderr, .. } = self.output_while(act)?;
        serde_json::from_slice(&stdout).map_err(|error| {
            let stderr = String::from_utf8_lossy(&stderr);
            format!("no report ({error}); standard error: {stderr}").into()
        })
    }

    /// What came out of the run, if nothing was left behind.
    pub fn output_while(
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
            return Err(format!("it took {took:?}").into());
        }
        let left: Vec<_> = fs::read_dir(self.folder.path())?.collect();
        if !left.is_empty() {
            return Err(format!("left behind: {left:?}").into());
        }
        // A killed process is gone a moment after the signal.
        for _ in 0..50 {
            if processes_with(self.folder.path()).is_empty() {
                return Ok(output);
            }
            thread::sleep(Duration::from_millis(100));
        }
        let left = processes_with(self.folder.path());
        Err(format!("processes left behind: {left:?}").into())
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
pub fn verdicts(candidate: &Value) -> Vec<Result> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = candidate["results"].as_array().into_iter().flatten();
    results
        .map(|it| Result {
            verdict: text(&it["verdict"]),
            observed: text(&it["observed"]),
        })
        .collect()
}
