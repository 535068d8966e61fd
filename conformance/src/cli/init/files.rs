//! Writes several files, all or none.

use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Files below a folder.
pub(super) struct Files {
    root: PathBuf,
    replaces: bool,
    /// Their names below the root, and their texts.
    planned: Vec<(String, String)>,
}

impl Files {
    /// No file yet. With `replaces`, files that exist may be replaced.
    pub(super) fn new(root: &Path, replaces: bool) -> Files {
        Files {
            root: root.to_owned(),
            replaces,
            planned: Vec::new(),
        }
    }

    /// Adds a file that will be written.
    ///
    /// # Errors
    /// If another has the same name.
    pub(super) fn plan(&mut self, name: &str, text: String) -> Result<(), InputError> {
        if self.names().any(|other| other == name) {
            let problem = format!("two files would be written to {name}");
            return Err(InputError::new(
                problem,
                "name another file with --expected",
            ));
        }
        self.planned.push((name.to_owned(), text));
        Ok(())
    }

    /// Changes the text of a planned file.
    pub(super) fn set(&mut self, name: &str, text: String) {
        let file = self.planned.iter_mut().find(|(other, _)| other == name);
        file.expect("the file is planned").1 = text;
    }

    /// The names of the files, in the order of writing.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.planned.iter().map(|(name, _)| name.as_str())
    }

    /// Checks that each planned file can be written. This happens before the library is
    /// checked.
    ///
    /// # Errors
    /// If one exists, or cannot be written.
    pub(super) fn check(&self) -> Result<(), InputError> {
        let exists = |name: &&str| fs::symlink_metadata(self.root.join(name)).is_ok();
        let existing: Vec<&str> = self.names().filter(exists).collect();
        if !existing.is_empty() && !self.replaces {
            let (what, them) = match existing.len() {
                1 => ("exists", "it"),
                _ => ("exist", "them"),
            };
            return Err(InputError::new(
                format!("{} {what} already", existing.join(", ")),
                format!("move {them} away, or replace {them} with --force"),
            ));
        }
        for name in self.names() {
            self.check_one(name)
                .map_err(|error| cannot_write(name, &error))?;
        }
        Ok(())
    }

    fn check_one(&self, name: &str) -> io::Result<()> {
        let path = self.root.join(name);
        if path.is_symlink() {
            return Err(io::Error::other(
                "it is a link; name the file that it leads to",
            ));
        }
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => return Err(io::Error::other("it is no file")),
            Ok(found) if found.permissions().readonly() => {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            _ => {}
        }
        // The nearest folder that exists: the others are made in it.
        let mut folders = path.ancestors().skip(1);
        let folder = folders.find(|it| it.exists()).unwrap_or(&self.root);
        new_file(folder).map(drop)
    }

    /// Writes the files.
    ///
    /// # Errors
    /// If one cannot be written. Then those that were written before are as they were.
    pub(super) fn write(&self) -> Result<(), InputError> {
        // Everything that takes room is done before the first file gets its name.
        let mut ready = Vec::new();
        for (name, text) in &self.planned {
            let prepared = self.prepare(name, text);
            ready.push(prepared.map_err(|error| cannot_write(name, &error))?);
        }
        let mut written: Vec<(PathBuf, Option<NamedTempFile>)> = Vec::new();
        for ((name, _), new) in self.planned.iter().zip(ready) {
            match self.put(name, new) {
                Ok(before) => written.push((self.root.join(name), before)),
                Err(error) => {
                    for (path, before) in written {
                        let _ = match before {
                            Some(before) => before.persist(path).map(drop).map_err(|it| it.error),
                            None => fs::remove_file(path),
                        };
                    }
                    return Err(cannot_write(name, &error));
                }
            }
        }
        Ok(())
    }

    /// Returns a temporary file with the text, in the folder of the file.
    fn prepare(&self, name: &str, text: &str) -> io::Result<NamedTempFile> {
        let path = self.root.join(name);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let mut new = new_file(folder)?;
        new.write_all(text.as_bytes())?;
        new.as_file().sync_all()?;
        Ok(new)
    }

    /// Gives a file its name. Returns a copy of the file that it replaces.
    fn put(&self, name: &str, new: NamedTempFile) -> io::Result<Option<NamedTempFile>> {
        let path = self.root.join(name);
        if !self.replaces {
            // Another program may have made the file in the meantime.
            new.persist_noclobber(&path)?;
            return Ok(None);
        }
        let before = match fs::symlink_metadata(&path) {
            Ok(_) => {
                let copy = new_file(path.parent().unwrap_or(&self.root))?;
                fs::copy(&path, copy.path())?;
                Some(copy)
            }
            Err(_) => None,
        };
        new.persist(&path)?;
        Ok(before)
    }
}

/// A new file that is deleted unless it gets a name.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".heapmin-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask applies to these, as to any new file.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

fn cannot_write(name: &str, error: &io::Error) -> InputError {
    InputError::new(
        format!("{} cannot be written: {error}", shown(name.as_ref())),
        "check the permissions of its folder and the free disk space",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(root: &Path, replaces: bool) -> Files {
        let mut files = Files::new(root, replaces);
        for name in ["a.toml", "folder/b.yml"] {
            files.plan(name, format!("new {name}")).unwrap();
        }
        files
    }

    fn read(root: &Path, name: &str) -> String {
        fs::read_to_string(root.join(name)).unwrap_or_default()
    }

    #[test]
    fn all_files_are_written() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path(), false);
        files.check().unwrap();
        files.write().unwrap();
        assert_eq!(read(root.path(), "a.toml"), "new a.toml");
        assert_eq!(read(root.path(), "folder/b.yml"), "new folder/b.yml");
        let left = fs::read_dir(root.path().join("folder")).unwrap().count();
        assert_eq!(left, 1, "no temporary file is left");
    }

    /// A program that made the second file after the check.
    #[test]
    fn if_one_cannot_be_written_none_is() {
        let root = tempfile::tempdir().unwrap();
        let files = files(root.path(), false);
        files.check().unwrap();
        fs::create_dir(root.path().join("folder")).unwrap();
        fs::write(root.path().join("folder/b.yml"), "theirs").unwrap();
        let error = files.write().unwrap_err();
        assert!(
            error.problem.starts_with("folder/b.yml cannot be written"),
            "{error}"
        );
        assert!(!root.path().join("a.toml").exists());
        assert_eq!(read(root.path(), "folder/b.yml"), "theirs");
    }

    #[test]
    fn if_one_cannot_be_replaced_the_others_are_as_before() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.toml"), "old").unwrap();
        let files = files(root.path(), true);
        files.check().unwrap();
        fs::create_dir_all(root.path().join("folder/b.yml")).unwrap();
        files.write().unwrap_err();
        assert_eq!(read(root.path(), "a.toml"), "old");
    }
}
