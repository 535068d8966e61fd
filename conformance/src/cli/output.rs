//! Where reports and lists go.

use anstream::StripStream;
use heapmin_harness::input_error::InputError;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Writes text to a file, or to standard output if none is named. Colours
/// reach terminals only, and not those of users who set `NO_COLOR`.
pub fn write(text: &str, file: Option<&Path>) -> Result<(), InputError> {
    match file {
        None => match anstream::stdout().write_all(text.as_bytes()) {
            // Whoever closed the pipe has read enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(cannot_write("standard output", &error)),
            Ok(()) => Ok(()),
        },
        Some(path) => {
            let write = || StripStream::new(File::create(path)?).write_all(text.as_bytes());
            write().map_err(|error| cannot_write(&path.display().to_string(), &error))
        }
    }
}

/// The width of the terminal that standard output is, if it is one.
pub fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

fn cannot_write(name: &str, error: &std::io::Error) -> InputError {
    InputError::new(
        format!("{name} cannot be written: {error}"),
        "check the path and the space left",
    )
}
