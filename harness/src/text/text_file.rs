//! Text that a user names: read as a whole, but never more than fits.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// In bytes. Nobody writes as much by hand; `/dev/zero` has more.
const LARGEST: u64 = 16 << 20;

/// Reads a text file. A pipe is as good as a file.
///
/// # Errors
/// If it cannot be read, is too large, or is no text.
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
    fn what_is_too_large_or_no_text_is_refused() {
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
