//! What starts a probe: data, which [`super::runners`] finds and [`super::launch`] uses.

use crate::text::input_error::InputError;
use crate::text::printable::shown;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What starts a probe.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The path of Wine, if Wine runs the program.
    pub wine: Option<PathBuf>,
    /// The program that has the probe in it.
    pub program: PathBuf,
    /// Whether a probe keeps itself from doing harm; see [`crate::wire::fence`].
    /// Not under Wine, whose own processes need what it forbids.
    pub is_fenced: bool,
    /// How many bytes a fenced probe may hold, if the user says.
    pub memory: Option<u64>,
}

impl Runner {
    /// The command that runs the program, for the report; empty if the program runs
    /// by itself.
    pub fn command(&self) -> Vec<String> {
        let wine = self.wine.iter();
        wine.map(|path| path.display().to_string()).collect()
    }

    /// A path as the probe's system writes it.
    ///
    /// # Errors
    /// If the path cannot be written there.
    pub fn path_for_loader(&self, path: &Path) -> Result<OsString, InputError> {
        if self.wine.is_none() {
            return Ok(path.into());
        }
        let Some(text) = path.to_str() else {
            let problem = format!("{}: the name is not UTF-8", shown(path.as_os_str()));
            return Err(InputError::new(problem, "copy the file to a name that is"));
        };
        // Wine shows the whole file system as drive Z.
        Ok(format!("Z:{}", text.replace('/', "\\")).into())
    }
}
