//! The file that `--update` writes. It is replaced as a whole or not at all.

use heapmin_harness::text::input_error::InputError;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that can be written.
#[derive(Debug)]
pub struct Target {
    /// The path as the user gave it, for messages.
    name: String,
    /// The path of the file itself, if the user named a symbolic link.
    path: PathBuf,
    exists: bool,
}

impl Target {
    /// Checks that the file can be written or created. This happens before the run,
    /// so that a wrong path does not cost the user a whole run.
    ///
    /// # Errors
    /// If the file cannot be written or created, or is not a regular file.
    pub fn open(path: &Path) -> Result<Target, InputError> {
        let name = path.display().to_string();
        let refuse =
            |problem: String, mend: &str| InputError::new(format!("{name} {problem}"), mend);
        let exists = match fs::symlink_metadata(path) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(refuse(format!("cannot be read: {error}"), "check the path")),
        };
        let real = match exists {
            true => fs::canonicalize(path).map_err(|error| {
                let problem = format!("is a symbolic link to a file that cannot be found: {error}");
                refuse(problem, "fix the symbolic link, or delete it")
            })?,
            false => path.to_owned(),
        };
        if exists {
            let metadata = fs::metadata(&real);
            let metadata = metadata
                .map_err(|error| refuse(format!("cannot be read: {error}"), "check the path"))?;
            if !metadata.is_file() {
                let problem = "is not a regular file, so --update cannot replace it";
                return Err(refuse(problem.into(), "name a regular file"));
            }
            // Root can write read-only files, but the mark says that the file must
            // not change.
            let writable = match metadata.permissions().readonly() {
                true => Err(ErrorKind::PermissionDenied.into()),
                false => OpenOptions::new().append(true).open(&real).map(drop),
            };
            let mend = "make it writable, or remove --update";
            writable
                .map_err(|error: io::Error| refuse(format!("cannot be written: {error}"), mend))?;
        }
        let target = Target {
            path: real,
            exists,
            name,
        };
        target
            .temporary()
            .map_err(|error| target.write_error(&error))?;
        Ok(target)
    }

    /// Whether the file existed when it was opened.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// Replaces the text of the file. Owner and permissions stay.
    ///
    /// # Errors
    /// If that fails. The file is then unchanged.
    pub fn write(&self, text: &str) -> Result<(), InputError> {
        self.replace(text).map_err(|error| self.write_error(&error))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        let mut new = self.temporary()?;
        new.write_all(text.as_bytes())?;
        if self.exists {
            let before = fs::metadata(&self.path)?;
            new.as_file().set_permissions(before.permissions())?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::{MetadataExt, fchown};
                // Only root can change the owner. For other users this fails, and the
                // file is their own.
                let _ = fchown(new.as_file(), Some(before.uid()), Some(before.gid()));
            }
        }
        new.as_file().sync_all()?;
        new.persist(&self.path)?;
        Ok(())
    }

    /// A new file in the same folder. It is deleted unless it replaces the file.
    fn temporary(&self) -> io::Result<NamedTempFile> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".heapmin-").suffix(".toml");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The umask applies to these, as to any new file.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(folder)
    }

    fn write_error(&self, error: &io::Error) -> InputError {
        InputError::new(
            format!("{} cannot be written: {error}", self.name),
            "check the path, the permissions of the folder and the free disk space",
        )
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn write_follows_a_symbolic_link_and_keeps_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("f"), folder.path().join("l"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("f", &link).unwrap();
        Target::open(&link).unwrap().write("new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_broken_symbolic_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("l");
        symlink("nowhere", &link).unwrap();
        let error = Target::open(&link).unwrap_err();
        assert!(error.mend.contains("symbolic link"), "{error}");
    }
}
