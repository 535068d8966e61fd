//! Where reports and lists go.

use anstream::StripStream;
use heapmin_harness::text::input_error::InputError;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Where a report goes: a file, or standard output. Made before the run, so
/// that a wrong path costs nobody a run.
pub enum Output {
    /// Standard output, with colours on terminals only, and not for users who
    /// set `NO_COLOR`.
    Standard,
    /// A file, never with colours.
    File(PathBuf, File),
}

impl Output {
    /// Creates the file, if one is named.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(path: Option<&Path>) -> Result<Output, InputError> {
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
    /// If it cannot be written. A text that was meant for a file then goes to
    /// standard output, so that a long run is not lost.
    pub fn write(self, text: &str) -> Result<(), InputError> {
        match self {
            Output::Standard => match print(text) {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(InputError::new(
                    "standard output was closed before the report was out",
                    "read it to its end, or write it to a file with --output",
                )),
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

/// Prints and waits until it is out: a full disk shows here, not at the end of
/// the process, where nobody hears of it.
fn print(text: &str) -> std::io::Result<()> {
    let mut stdout = anstream::stdout();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
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
