//! A run that a command reads: a saved one, or one that it makes of a library first.

use crate::record::{self, Run};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// The saved run in this file. Of a library, or the name of one, it is the run that
/// `heapmin check` with these options makes.
///
/// # Errors
/// If the file is no run that this program can read, or if the library cannot be checked.
pub(super) fn run_of(name: &OsString, options: &[OsString]) -> Result<Run, InputError> {
    let path = Path::new(name);
    if is_saved_run(path) {
        return record::read(path);
    }
    let problem = |what: String| {
        let mend = format!("try `heapmin check {}`", shown(name));
        InputError::new(what, mend)
    };
    let folder = tempfile::tempdir()
        .map_err(|error| problem(format!("a temporary folder cannot be made: {error}")))?;
    let file = folder.path().join("run.json");
    let program = std::env::current_exe()
        .map_err(|error| problem(format!("cannot find the path of this program: {error}")))?;
    let mut command = Command::new(program);
    command.arg("check").arg(name).args(options);
    command.args(["--format", "json", "--output"]).arg(&file);
    // Its complaints are no complaints about this command.
    command.stderr(Stdio::piped()).stdout(Stdio::null());
    let output = command
        .output()
        .map_err(|error| problem(format!("this program cannot be started again: {error}")))?;
    match output.status.code() {
        Some(0 | 1) => record::read(&file),
        _ => {
            let said = String::from_utf8_lossy(&output.stderr);
            // Of a wrong option, without the usage of `heapmin check`.
            let said = said.split("\n\nUsage:").next().unwrap_or_default();
            let said = said.trim().trim_start_matches("error:").trim();
            let said = said.replace("\n\n  ", "; ");
            Err(problem(format!(
                "{} cannot be checked: {said}",
                shown(name)
            )))
        }
    }
}

/// Whether this is a file with JSON. No library begins with a brace.
fn is_saved_run(path: &Path) -> bool {
    let mut first = [0; 64];
    let read = std::fs::File::open(path).and_then(|mut file| file.read(&mut first));
    let read = read.unwrap_or(0);
    let text = String::from_utf8_lossy(&first[..read]);
    text.trim_start().starts_with('{') || path.extension().is_some_and(|it| it == "json")
}
