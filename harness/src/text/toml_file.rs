//! TOML that a user writes: read as text, and the message when it is not what it should be.

use super::input_error::InputError;
use super::text_file;
use std::path::Path;

/// Reads a file.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> Result<String, InputError> {
    text_file::read(path).map_err(|error| {
        let name = path.display();
        InputError::new(format!("{name} cannot be read: {error}"), "check the path")
    })
}

/// The message for a text that is not the TOML it should be. `name` is the file's.
pub fn not_toml(name: &str, error: &toml::de::Error) -> InputError {
    /// More is no help to a reader, and a file may be one long line.
    const LONGEST: usize = 1000;
    let mut told = error.to_string();
    if told.len() > LONGEST {
        let place = told.lines().next().unwrap_or_default();
        let what: String = error.message().chars().take(LONGEST / 4).collect();
        told = format!("{place}\n{what}");
    }
    InputError::new(
        format!("{name} cannot be understood: {}", told.trim_end()),
        "docs/guide/candidates.md and docs/guide/expected.md show what such files may hold",
    )
}
