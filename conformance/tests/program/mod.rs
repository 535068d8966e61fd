//! Runs the built program.

use std::path::Path;
use std::process::{Command, Output};

#[allow(dead_code)] // some tests always name the folder
pub(crate) fn heapmin(arguments: &[&str]) -> Output {
    heapmin_in(Path::new("."), arguments)
}

/// Runs it with this current folder.
pub(crate) fn heapmin_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heapmin"));
    command.current_dir(folder).args(arguments);
    command.output().expect("the program starts")
}
