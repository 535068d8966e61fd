//! The routines that return a string in a block of `malloc`, and their arguments.
//!
//! A wide character has the width of the host's `wchar_t`, 16 bits on Windows and 32
//! elsewhere. A library elsewhere may be built with 16 bits. So the probe takes a wide
//! string to end at its first 16 bits of zeros. That is the end or an earlier place, and
//! every byte before it exists with either width.

use super::calls::routine;
use super::{Block, Crt, Stop};
use std::ffi::{CStr, c_char, c_void};
use std::ptr;

/// A terminated string argument, narrow or wide.
#[derive(Clone, Debug)]
pub struct Text {
    /// The bytes, aligned for a wide character of either width.
    words: Vec<u32>,
}

impl Text {
    /// A string of `char`.
    pub fn narrow(text: &str) -> Text {
        Text::of_bytes(text.bytes())
    }

    /// A string of the host's `wchar_t`.
    pub fn wide(text: &str) -> Text {
        match cfg!(windows) {
            true => Text::of_bytes(text.encode_utf16().flat_map(u16::to_ne_bytes)),
            false => Text {
                words: text.chars().map(u32::from).chain([0]).collect(),
            },
        }
    }

    /// A wide string that has `length` bytes, rounded up to 4, with wide characters of
    /// 16 and of 32 bits.
    pub fn wide_of(length: usize) -> Text {
        let words = vec![0x0062_0061; length.div_ceil(4)];
        Text {
            words: words.into_iter().chain([0]).collect(),
        }
    }

    fn of_bytes(bytes: impl Iterator<Item = u8>) -> Text {
        let mut bytes: Vec<u8> = bytes.collect();
        // Four zeros or more end it.
        bytes.resize(bytes.len() / 4 * 4 + 8, 0);
        let words = bytes.as_chunks::<4>().0.iter();
        Text {
            words: words.map(|word| u32::from_ne_bytes(*word)).collect(),
        }
    }

    fn chars(&self) -> *const c_char {
        self.words.as_ptr().cast()
    }

    fn wide_chars(&self) -> *const u16 {
        self.words.as_ptr().cast()
    }
}

/// The block in which a routine returned a narrow string: its terminator is the last byte.
fn narrow(address: *mut c_void) -> Option<Block> {
    if address.is_null() {
        return None;
    }
    // SAFETY: the candidate promised a terminated string.
    let text = unsafe { CStr::from_ptr(address.cast()) };
    Block::given(address, text.to_bytes_with_nul().len())
}

/// The block in which a routine returned a wide string, up to the first 16 bits of zeros.
fn wide(address: *mut c_void) -> Option<Block> {
    if address.is_null() {
        return None;
    }
    let units = address.cast::<u16>();
    // SAFETY: the candidate promised a terminated string.
    let length = (0..).find(|index| unsafe { units.add(*index).read_unaligned() } == 0);
    Block::given(address, 2 * (length.unwrap_or(0) + 1))
}

/// The block with at least `size` bytes.
fn at_least(block: Option<Block>, size: usize) -> Option<Block> {
    block.map(|block| {
        let size = size.max(block.size());
        block.with_size(size)
    })
}

/// The length of a path that the routines get, in characters (`_MAX_PATH`).
const MAX_PATH: usize = 260;
/// The default drive.
const DRIVE: i32 = 0;

// Each routine returns `None` for null.
impl Crt {
    /// Calls `_strdup`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn strdup(&self, text: &Text) -> Result<Option<Block>, Stop> {
        let strdup = routine!(self, _strdup);
        // SAFETY: a terminated string.
        Ok(narrow(unsafe { strdup(text.chars()) }))
    }

    /// Calls `_mbsdup`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn mbsdup(&self, text: &Text) -> Result<Option<Block>, Stop> {
        let mbsdup = routine!(self, _mbsdup);
        // SAFETY: a terminated string.
        Ok(narrow(unsafe { mbsdup(text.chars()) }))
    }

    /// Calls `_wcsdup`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn wcsdup(&self, text: &Text) -> Result<Option<Block>, Stop> {
        let wcsdup = routine!(self, _wcsdup);
        // SAFETY: a terminated string.
        Ok(wide(unsafe { wcsdup(text.wide_chars()) }))
    }

    /// Calls `_fullpath` with a null buffer.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn fullpath(&self, path: &Text) -> Result<Option<Block>, Stop> {
        let fullpath = routine!(self, _fullpath);
        // SAFETY: a terminated string, and a buffer that may be null.
        let address = unsafe { fullpath(ptr::null_mut(), path.chars(), MAX_PATH) };
        Ok(narrow(address))
    }

    /// Calls `_wfullpath` with a null buffer.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn wfullpath(&self, path: &Text) -> Result<Option<Block>, Stop> {
        let fullpath = routine!(self, _wfullpath);
        // SAFETY: as for `fullpath`.
        let address = unsafe { fullpath(ptr::null_mut(), path.wide_chars(), MAX_PATH) };
        Ok(wide(address))
    }

    /// Calls `_getcwd` with a null buffer, for `room` bytes.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn getcwd(&self, room: u16) -> Result<Option<Block>, Stop> {
        let getcwd = routine!(self, _getcwd);
        // SAFETY: a buffer that may be null.
        let block = narrow(unsafe { getcwd(ptr::null_mut(), room.into()) });
        Ok(at_least(block, room.into()))
    }

    /// Calls `_wgetcwd` with a null buffer, for `room` characters.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn wgetcwd(&self, room: u16) -> Result<Option<Block>, Stop> {
        let getcwd = routine!(self, _wgetcwd);
        // SAFETY: a buffer that may be null.
        let block = wide(unsafe { getcwd(ptr::null_mut(), room.into()) });
        Ok(at_least(block, 2 * usize::from(room)))
    }

    /// Calls `_getdcwd` for the default drive with a null buffer, for `room` bytes.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn getdcwd(&self, room: u16) -> Result<Option<Block>, Stop> {
        let getdcwd = routine!(self, _getdcwd);
        // SAFETY: a buffer that may be null.
        let block = narrow(unsafe { getdcwd(DRIVE, ptr::null_mut(), room.into()) });
        Ok(at_least(block, room.into()))
    }

    /// Calls `_wgetdcwd` for the default drive with a null buffer, for `room` characters.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn wgetdcwd(&self, room: u16) -> Result<Option<Block>, Stop> {
        let getdcwd = routine!(self, _wgetdcwd);
        // SAFETY: a buffer that may be null.
        let block = wide(unsafe { getdcwd(DRIVE, ptr::null_mut(), room.into()) });
        Ok(at_least(block, 2 * usize::from(room)))
    }

    /// Calls `_dupenv_s`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn dupenv(&self, name: &Text) -> Result<Option<Block>, Stop> {
        let dupenv = routine!(self, _dupenv_s);
        let (mut buffer, mut count) = (ptr::null_mut(), 0);
        // SAFETY: two variables of the types on its page, and a terminated string.
        let failed = unsafe { dupenv(&mut buffer, &mut count, name.chars()) };
        Ok(narrow(buffer).filter(|_| failed == 0))
    }

    /// Calls `_wdupenv_s`.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn wdupenv(&self, name: &Text) -> Result<Option<Block>, Stop> {
        let dupenv = routine!(self, _wdupenv_s);
        let (mut buffer, mut count) = (ptr::null_mut(), 0);
        // SAFETY: as for `dupenv`.
        let failed = unsafe { dupenv(&mut buffer, &mut count, name.wide_chars()) };
        Ok(wide(buffer).filter(|_| failed == 0))
    }

    /// Calls `_tempnam` without a folder.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn tempnam(&self, prefix: &Text) -> Result<Option<Block>, Stop> {
        let tempnam = routine!(self, _tempnam);
        // SAFETY: a terminated string, and a folder that may be null.
        Ok(narrow(unsafe { tempnam(ptr::null(), prefix.chars()) }))
    }

    /// Calls `_wtempnam` without a folder.
    ///
    /// # Errors
    /// [`Stop::Missing`] if the library does not have the routine.
    pub fn wtempnam(&self, prefix: &Text) -> Result<Option<Block>, Stop> {
        let tempnam = routine!(self, _wtempnam);
        // SAFETY: as for `tempnam`.
        Ok(wide(unsafe { tempnam(ptr::null(), prefix.wide_chars()) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_string_of_n_bytes_has_them_with_either_width() {
        for length in [0, 4, 400] {
            let text = Text::wide_of(length);
            let units = text
                .words
                .iter()
                .flat_map(|word| [word & 0xFFFF, word >> 16]);
            assert_eq!(2 * units.take_while(|unit| *unit != 0).count(), length);
            assert_eq!(
                4 * text.words.iter().take_while(|word| **word != 0).count(),
                length
            );
        }
    }

    #[test]
    fn a_string_ends_with_four_zeros_and_its_block_with_the_terminator() {
        for text in ["", "a", "abcdefgh"] {
            let mut words = Text::narrow(text).words;
            assert_eq!(words.last(), Some(&0));
            let block = narrow(words.as_mut_ptr().cast()).expect("not null");
            assert_eq!(block.size(), text.len() + 1);
            let mut words = Text::wide(text).words;
            assert_eq!(words.last(), Some(&0));
            let block = wide(words.as_mut_ptr().cast()).expect("not null");
            assert!(block.size() <= 4 * words.len() && block.size() >= 2);
        }
        assert_eq!(narrow(ptr::null_mut()), None);
        assert_eq!(wide(ptr::null_mut()), None);
    }
}
