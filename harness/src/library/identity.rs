//! Whether a file has changed since it was inspected. If a library is rebuilt during a
//! check, the verdicts would be of two libraries.

use std::path::Path;
use std::time::SystemTime;

/// What distinguishes one version of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    #[cfg(unix)]
    number: (u64, u64),
    length: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    /// The identity of the file that is at this path now.
    ///
    /// # Errors
    /// If there is no file.
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

    /// Whether the file at this path has this identity now.
    pub fn is_of(&self, path: &Path) -> bool {
        Identity::of(path).is_ok_and(|now| now == *self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_replaced_file_has_another_identity() {
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
