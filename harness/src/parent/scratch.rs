//! The one folder that a fenced probe may write to. How much it writes is
//! watched from outside: a limit of the process for the size of files would
//! bind memory that has the form of a file as well, on which sound heaps live.

use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// In bytes, all files together. No case writes any; a candidate that logs may.
const MOST: u64 = 64 << 20;
/// Files and folders. So many are counted 20 times a second without being felt.
const MOST_ENTRIES: usize = 1000;

/// A folder that is gone, with all that is in it, when it is dropped.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// Makes a folder where temporary files go.
    ///
    /// # Errors
    /// If none can be made there; the message says where.
    pub fn new() -> Result<Scratch, String> {
        let made = tempfile::Builder::new().prefix("heapmin-").tempdir();
        made.map(Scratch).map_err(|error| {
            let place = std::env::temp_dir();
            format!(
                "no scratch folder can be made in {}: {error}",
                place.display()
            )
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// What is wrong, if there is more in it than there may be.
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
            "it wrote {what} to its scratch folder, the fence lets it have {MOST_ENTRIES} files and {most} MiB, and it was killed"
        ))
    }
}

impl Drop for Scratch {
    /// A candidate may have taken away the right to look into a folder, even
    /// from its owner.
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
    /// Adds what is below a folder, as far as it can be seen, until it is too much.
    fn add(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                return;
            }
            // Of a link itself, not of what it leads to.
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

/// Makes every folder below one its owner's to empty.
#[cfg(unix)]
fn open_up(folder: &Path, depth: usize) {
    use std::os::unix::fs::PermissionsExt;
    /// Deeper than any name can be long.
    const DEEPEST: usize = 2000;
    // What cannot be changed cannot be removed either, and stays.
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if depth < DEEPEST && entry.file_type().is_ok_and(|it| it.is_dir()) {
            open_up(&entry.path(), depth + 1);
        }
    }
}

/// Nobody but Unix has such folders.
#[cfg(not(unix))]
fn open_up(_: &Path, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_told() {
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
    fn nothing_is_left_of_it() {
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
