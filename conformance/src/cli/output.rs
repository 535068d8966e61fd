//! The destination of reports and lists.

use anstream::StripStream;
use heapmin_harness::text::input_error::InputError;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file, or standard output. It is opened before the run, so that a wrong path
/// does not cost a whole run.
pub(super) enum Output {
    /// Standard output, with colours only on a terminal and if `NO_COLOR` is not
    /// set.
    Standard,
    /// A file, without colours.
    File(PathBuf, File),
}

impl Output {
    /// Creates the file, if there is a path.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn create(path: Option<&Path>) -> Result<Output, InputError> {
        let Some(path) = path else {
            return Ok(Output::Standard);
        };
        match File::create(path) {
            Ok(file) => Ok(Output::File(path.to_owned(), file)),
            Err(error) => Err(cannot_write(&path.display().to_string(), &error)),
        }
    }

    /// Writes the whole text.
    ///
    /// # Errors
    /// If the text cannot be written. If it was for a file, it then goes to
    /// standard output, so that the results of a long run are not lost.
    pub(super) fn write(self, text: &str) -> Result<(), InputError> {
        match self {
            Output::Standard => match print(text) {
                // As `heapmin check | head` expects: its reader has what it wants.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                Err(error) => Err(cannot_write("standard output", &error)),
                Ok(()) => Ok(()),
            },
            Output::File(path, file) => {
                StripStream::new(file)
                    .write_all(text.as_bytes())
                    .map_err(|error| {
                        let _ = Output::Standard.write(text);
                        cannot_write(&path.display().to_string(), &error)
                    })
            }
        }
    }
}

/// Prints and flushes: a full disk must fail here, not at the end of the process,
/// where the error would be lost.
fn print(text: &str) -> std::io::Result<()> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// The width in columns, if standard output is a terminal.
pub(super) fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

fn cannot_write(name: &str, error: &std::io::Error) -> InputError {
    InputError::new(
        format!("{name} cannot be written: {error}"),
        "check the path and the space left",
    )
}
