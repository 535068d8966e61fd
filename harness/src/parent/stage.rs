//! A folder from which Wine loads a library instead of its own library with that name.
//!
//! Wine has its own libraries under the names of Microsoft's. It loads another file
//! instead if `WINEDLLOVERRIDES` prefers native libraries and the file is in the folder of
//! the program. So the program and the library are linked into a new folder.

use super::runner::Runner;
use crate::library::inspect::{Library, Maker};
use crate::text::input_error::InputError;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A folder with links to a probe and a library. Dropping the last clone removes it.
#[derive(Clone, Debug)]
pub struct Stage {
    folder: Arc<TempDir>,
    file_name: PathBuf,
}

impl Stage {
    /// Creates a stage if Wine would otherwise load its own library; else `None`.
    ///
    /// # Errors
    /// If the folder cannot be created.
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
                    "{}: a folder to load it from cannot be created: {error}",
                    path.display()
                ),
                "make the folder for temporary files writable, or set TMPDIR to another",
            )
        })
    }

    /// The library's path in this folder.
    pub fn staged_path(&self) -> PathBuf {
        self.folder.path().join(&self.file_name)
    }

    /// The same runner with the program in this folder.
    pub fn runner(&self, runner: &Runner) -> Runner {
        Runner {
            program: self.folder.path().join(PROGRAM),
            ..runner.clone()
        }
    }

    /// The environment for Wine: it prefers the native file, and it also searches the
    /// file's original folder for the libraries that the file needs.
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

/// Not used: Wine runs on Unix.
#[cfg(not(unix))]
fn link(original: &Path, link: &Path) -> std::io::Result<()> {
    std::fs::copy(original, link).map(drop)
}
