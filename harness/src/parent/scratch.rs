//! The one folder that a fenced probe may write to. The parent checks how much the probe
//! writes. A resource limit for the size of files would also apply to memory files, which
//! sound heaps use.

use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// In bytes, all files together. No case writes files, but a candidate may write a log.
const MOST: u64 = 64 << 20;
/// Files and folders. Few enough to count 20 times a second at no noticeable cost.
const MOST_ENTRIES: usize = 1000;

/// A folder that is removed with its contents when it is dropped.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// Creates a folder in the system's folder for temporary files.
    ///
    /// # Errors
    /// If that fails. The message names the place.
    pub fn new() -> Result<Scratch, String> {
        let made = tempfile::Builder::new().prefix("heapmin-").tempdir();
        made.map(Scratch).map_err(|error| {
            let place = std::env::temp_dir();
            format!(
                "a scratch folder cannot be created in {}: {error}",
                place.display()
            )
        })
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// What the folder holds, in words, if that is more than allowed.
    pub fn finding(&self) -> Option<String> {
        let mut size = Size::default();
        size.add(self.path());
        let what = if size.entries > MOST_ENTRIES {
            format!("more than {MOST_ENTRIES} files")
        } else if size.bytes > MOST {
            format!("{} MiB", size.bytes >> 20)
        } else {
            return None;
        };
        let most = MOST >> 20;
        Some(format!(
            "killed by the fence: it wrote {what} to its scratch folder, and the limit is {MOST_ENTRIES} files and {most} MiB (--no-fence removes it)"
        ))
    }
}

impl Drop for Scratch {
    /// Restores the permissions first: a candidate may have removed them from a folder,
    /// which could then not be emptied.
    fn drop(&mut self) {
        open_up(self.path(), 0);
    }
}

#[derive(Default)]
struct Size {
    bytes: u64,
    entries: usize,
}

impl Size {
    /// Adds everything below a folder that can be read. Stops at [`MOST_ENTRIES`].
    fn add(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return;
            }
            // Of a link itself, not of its target.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            match metadata.is_dir() {
                true => self.add(&entry.path()),
                false => self.bytes += metadata.len(),
            }
        }
    }
}

/// Gives the owner every right to a folder and to the folders below it.
#[cfg(unix)]
fn open_up(folder: &Path, depth: usize) {
    use std::os::unix::fs::PermissionsExt;
    /// No path can name a deeper folder.
    const DEEPEST: usize = 2000;
    // A folder whose rights cannot be changed cannot be removed either; it stays.
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if depth < DEEPEST && entry.file_type().is_ok_and(|it| it.is_dir()) {
            open_up(&entry.path(), depth + 1);
        }
    }
}

/// Only Unix has such permissions.
#[cfg(not(unix))]
fn open_up(_: &Path, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_bytes_or_files_are_reported() {
        let scratch = Scratch::new().unwrap();
        assert_eq!(scratch.finding(), None);
        let folder = scratch.path().join("folder");
        fs::create_dir(&folder).unwrap();
        let file = fs::File::create(folder.join("file")).unwrap();
        file.set_len(MOST).unwrap();
        assert_eq!(scratch.finding(), None);
        file.set_len(MOST + (1 << 20)).unwrap();
        assert!(scratch.finding().unwrap().contains("65 MiB"));
        file.set_len(0).unwrap();
        for number in 0..MOST_ENTRIES {
            fs::File::create(scratch.path().join(number.to_string())).unwrap();
        }
        assert!(scratch.finding().unwrap().contains("more than 1000 files"));
    }

    #[cfg(unix)]
    #[test]
    fn a_dropped_folder_is_removed_even_without_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_owned();
        let inner = path.join("outer/inner");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "text").unwrap();
        for folder in [&inner, &path.join("outer"), &path] {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o000)).unwrap();
        }
        drop(scratch);
        assert!(!path.exists());
    }
}
