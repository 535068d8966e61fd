//! TOML files of the user's: their text, and the message for a text that is wrong.

use super::input_error::InputError;
use super::suggest::path_or;
use super::text_file;
use std::path::Path;

/// The text of a file.
///
/// # Errors
/// If the file cannot be read.
pub fn read(path: &Path) -> Result<String, InputError> {
    text_file::read(path).map_err(|error| {
        let name = path.display();
        let mend = path_or(path, "check the path");
        InputError::new(format!("{name} cannot be read: {error}"), mend)
    })
}

/// The message for a text that is not the expected TOML. `name` is the file's.
pub fn not_toml(name: &str, error: &toml::de::Error) -> InputError {
    /// In bytes. A wrong line may be very long, and more of it does not help the reader.
    const LONGEST: usize = 1000;
    let mut message = error.to_string();
    if message.len() > LONGEST {
        let place = message.lines().next().unwrap_or_default();
        let what: String = error.message().chars().take(LONGEST / 4).collect();
        message = format!("{place}\n{what}");
    }
    InputError::new(
        format!("{name} cannot be understood: {}", message.trim_end()),
        "docs/guide/candidates.md and docs/guide/expected.md show what such files may contain",
    )
}
