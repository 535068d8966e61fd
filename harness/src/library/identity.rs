//! Whether a file is still the one that was looked at. A library that is built
//! anew while it is checked would get the verdicts of two.

use std::path::Path;
use std::time::SystemTime;

/// What tells a version of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    #[cfg(unix)]
    number: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    /// That of the file which is there now.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(path: &Path) -> std::io::Result<Identity> {
        let metadata = std::fs::metadata(path)?;
        Ok(Identity {
            #[cfg(unix)]
            number: {
                use std::os::unix::fs::MetadataExt;
                (metadata.dev(), metadata.ino())
            },
            length: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    /// Whether the file at this path is the same as it was.
    pub fn is_of(&self, path: &Path) -> bool {
        Identity::of(path).is_ok_and(|now| now == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_itself_until_it_is_changed_or_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("library");
        std::fs::write(&path, "one").unwrap();
        let identity = Identity::of(&path).unwrap();
        assert!(identity.is_of(&path));
        std::fs::write(&path, "longer").unwrap();
        assert!(!identity.is_of(&path));
        let identity = Identity::of(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(!identity.is_of(&path));
    }
}
