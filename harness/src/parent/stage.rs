//! A folder in which Wine finds a library before its own of the same name.
//!
//! Wine has libraries of its own under the names of Microsoft's. It takes
//! another file in their place if it is told to take native ones, and if that
//! file lies beside the program. So both are linked into a folder of their own.

use super::runner::Runner;
use crate::library::inspect::{Library, Maker};
use crate::text::input_error::InputError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A folder with links to a probe and a library; gone when nobody needs it.
#[derive(Clone, Debug)]
pub struct Stage {
    folder: Arc<TempDir>,
    file_name: PathBuf,
}

impl Stage {
    /// Makes a stage for a library that Wine would otherwise pass over, and
    /// none for any other.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn new(
        path: &Path,
        library: &Library,
        runner: &Runner,
    ) -> Result<Option<Stage>, InputError> {
        if runner.wine.is_none() || library.maker == Maker::Wine {
            return Ok(None);
        }
        let make = || -> std::io::Result<Stage> {
            let folder = tempfile::Builder::new().prefix("heapmin-").tempdir()?;
            let file_name = PathBuf::from(path.file_name().unwrap_or_default());
            link(path, &folder.path().join(&file_name))?;
            link(&runner.program, &folder.path().join(PROGRAM))?;
            Ok(Stage {
                folder: Arc::new(folder),
                file_name,
            })
        };
        make().map(Some).map_err(|error| {
            InputError::new(
                format!(
                    "{}: no folder to load it from can be made: {error}",
                    path.display()
                ),
                "see that the folder for temporary files can be written (TMPDIR)",
            )
        })
    }

    /// The library as it is named here.
    pub fn staged_path(&self) -> PathBuf {
        self.folder.path().join(&self.file_name)
    }

    /// The same runner, with the program as it is named here.
    pub fn runner(&self, runner: &Runner) -> Runner {
        Runner {
            program: self.folder.path().join(PROGRAM),
            ..runner.clone()
        }
    }

    /// What Wine must be told: to prefer the native file, and where its
    /// neighbours are.
    pub fn environment(&self, path: &Path, runner: &Runner) -> Vec<(String, String)> {
        let stem = self
            .file_name
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        let mut environment = vec![("WINEDLLOVERRIDES".to_owned(), format!("{stem}=n,b"))];
        if let Some(Ok(folder)) = path.parent().map(|folder| runner.path_for_loader(folder)) {
            environment.push(("WINEPATH".to_owned(), folder.to_string_lossy().into_owned()));
        }
        environment
    }
}

const PROGRAM: &str = "heapmin.exe";

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

/// Nobody runs Wine on Windows.
#[cfg(not(unix))]
fn link(original: &Path, link: &Path) -> std::io::Result<()> {
    std::fs::copy(original, link).map(drop)
}
