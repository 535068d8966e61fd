//! A file that is replaced as a whole or not at all.

use heapmin_harness::text::input_error::InputError;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that can be written.
#[derive(Debug)]
pub struct Target {
    /// As the user gave it.
    name: String,
    /// The file itself, where the user named a symbolic link.
    path: PathBuf,
    is_there: bool,
}

impl Target {
    /// Looks whether the file can be written, or made if it is not there, so
    /// that a wrong path costs nobody a run.
    ///
    /// # Errors
    /// If it cannot, or if it is no regular file.
    pub fn open(path: &Path) -> Result<Target, InputError> {
        let name = path.display().to_string();
        let refuse =
            |problem: String, mend: &str| InputError::new(format!("{name} {problem}"), mend);
        let is_there = match fs::symlink_metadata(path) {
            Ok(_) => true,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(refuse(format!("cannot be read: {error}"), "check the path")),
        };
        let real = match is_there {
            true => fs::canonicalize(path).map_err(|error| {
                let problem = format!("leads to a file that cannot be found: {error}");
                refuse(problem, "mend the symbolic link, or delete it")
            })?,
            false => path.to_owned(),
        };
        if is_there {
            let metadata = fs::metadata(&real);
            let metadata =
                metadata.map_err(|error| refuse(format!("cannot be read: {error}"), "check it"))?;
            if !metadata.is_file() {
                let problem = "is no regular file, so --update cannot replace it";
                return Err(refuse(problem.into(), "name a file"));
            }
            // Root may write what is marked as read-only; whoever marked it
            // did not want that.
            let writable = match metadata.permissions().readonly() {
                true => Err(ErrorKind::PermissionDenied.into()),
                false => OpenOptions::new().append(true).open(&real).map(drop),
            };
            let mend = "make it writable, or leave --update out";
            writable
                .map_err(|error: io::Error| refuse(format!("cannot be written: {error}"), mend))?;
        }
        let target = Target {
            path: real,
            is_there,
            name,
        };
        target.beside().map_err(|error| target.failed(&error))?;
        Ok(target)
    }

    /// Whether the file was there when it was opened.
    pub fn is_there(&self) -> bool {
        self.is_there
    }

    /// Replaces the file's text. Owner and permissions stay.
    ///
    /// # Errors
    /// If that fails; the file is as it was then.
    pub fn write(&self, text: &str) -> Result<(), InputError> {
        self.replace(text).map_err(|error| self.failed(&error))
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        let mut new = self.beside()?;
        new.write_all(text.as_bytes())?;
        if self.is_there {
            let before = fs::metadata(&self.path)?;
            new.as_file().set_permissions(before.permissions())?;
            #[cfg(unix)]
            {
                use std::os::unix::fs::{MetadataExt, fchown};
                // Only root may give a file away; for others it is their own.
                let _ = fchown(new.as_file(), Some(before.uid()), Some(before.gid()));
            }
        }
        new.as_file().sync_all()?;
        new.persist(&self.path)?;
        Ok(())
    }

    /// A new file in the same folder, gone again if it is not put in the place
    /// of the other one.
    fn beside(&self) -> io::Result<NamedTempFile> {
        let folder = match self.path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".heapmin-").suffix(".toml");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The umask takes away from these what it takes from any new file.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(folder)
    }

    fn failed(&self, error: &io::Error) -> InputError {
        InputError::new(
            format!("{} cannot be written: {error}", self.name),
            "check the path, the folder's permissions and the space left",
        )
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_link_is_followed_and_permissions_stay() {
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
    fn a_link_to_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("l");
        symlink("nowhere", &link).unwrap();
        let error = Target::open(&link).unwrap_err();
        assert!(error.mend.contains("symbolic link"), "{error}");
    }
}
