//! Reads saved records.

use super::{Run, SCHEMA};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use heapmin_harness::text::suggest::path_or;
use serde::Deserialize;
use std::path::Path;

/// Reads a record from a file.
///
/// # Errors
/// If there is no such file, or if it is no record that this program can read.
pub fn read(path: &Path) -> Result<Run, InputError> {
    let name = shown(path.as_os_str());
    let text = std::fs::read_to_string(path).map_err(|error| {
        let otherwise = "name a file that `heapmin check --format json --output FILE` wrote";
        let mend = path_or(path, otherwise);
        InputError::new(format!("{name} cannot be read: {error}"), mend)
    })?;
    parse(&name, &text)
}

/// Parses the text of a record. `name` is the file's name for messages.
///
/// # Errors
/// As [`read`].
pub fn parse(name: &str, text: &str) -> Result<Run, InputError> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    let again = "save the run again with `heapmin check --format json --output FILE`";
    let version = match serde_json::from_str::<Version>(text) {
        Ok(version) => version.schema,
        Err(error) => {
            let problem = format!("{name} is no report of heapmin: {error}");
            return Err(InputError::new(problem, again));
        }
    };
    if version != SCHEMA {
        return Err(InputError::new(
            format!("{name} has schema {version}, and this program reads schema {SCHEMA}"),
            match version < SCHEMA {
                true => "check the libraries again with this program",
                false => "use the program that wrote it, or a newer one",
            },
        ));
    }
    serde_json::from_str(text).map_err(|error| {
        InputError::new(
            format!("{name} is not a complete report of heapmin: {error}"),
            again,
        )
    })
}
