//! Reads a text file that the user names.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// In bytes. No file written by hand is longer; a device such as `/dev/zero` never ends.
const LARGEST: u64 = 16 << 20;

/// The text in a file or pipe.
///
/// # Errors
/// If it cannot be read, is too large, or is not UTF-8.
pub fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(LARGEST + 1);
    let read = file.read_to_string(&mut text);
    if file.limit() == 0 {
        let what = format!("it has more than {} MiB", LARGEST >> 20);
        return Err(Error::new(ErrorKind::FileTooLarge, what));
    }
    read.map(|_| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_too_large_or_not_utf_8_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "a\n").unwrap();
        assert_eq!(read(&path).unwrap(), "a\n");
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::InvalidData);
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
