//! What runs a probe, as data: [`super::runners`] finds it and [`super::launch`] uses it.

use crate::text::input_error::InputError;
use crate::text::printable::shown;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What runs a probe.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The path of Wine, if Wine runs the program.
    pub wine: Option<PathBuf>,
    /// The version of that Wine, `8.0`, if it says one.
    pub wine_version: Option<String>,
    /// The program that contains the probe.
    pub program: PathBuf,
    /// Whether the probe raises a fence; see [`crate::wire::fence`]. Not under Wine:
    /// Wine's own processes need what the fence forbids.
    pub is_fenced: bool,
    /// How many bytes of memory a fenced probe may hold, if the user gave a limit.
    pub memory: Option<u64>,
}

impl Runner {
    /// The command that runs the program, for the report. Empty if this system runs the
    /// program itself.
    pub fn command(&self) -> Vec<String> {
        let wine = self.wine.iter();
        wine.map(|path| path.display().to_string()).collect()
    }

    /// The path in the notation of the probe's system.
    ///
    /// # Errors
    /// If that notation cannot express the path.
    pub fn path_for_loader(&self, path: &Path) -> Result<OsString, InputError> {
        if self.wine.is_none() {
            return Ok(path.into());
        }
        let Some(text) = path.to_str() else {
            let problem = format!("{}: the name is not UTF-8", shown(path.as_os_str()));
            return Err(InputError::new(problem, "rename the file to a UTF-8 name"));
        };
        // Wine shows the whole file system as drive Z.
        Ok(format!("Z:{}", text.replace('/', "\\")).into())
    }
}
