//! The messages about misuse. Each is one line, written without memory of the heap.

use crate::os;
use core::fmt::{self, Write};

/// What a program did wrong, with the address of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misuse {
    /// It freed a block twice.
    DoubleFree(*const u8),
    /// It resized a block that it had freed.
    ResizedAfterFree(*const u8),
    /// It freed an address at which no live block begins.
    FreeOfNoBlock(*const u8),
    /// It resized such an address.
    ResizeOfNoBlock(*const u8),
    /// It wrote to bytes before the start of a block.
    WrittenBefore(*const u8),
    /// It wrote to bytes past the end of a block of that size.
    WrittenPast(*const u8, usize),
    /// It wrote to a block of that size after its `free`.
    WrittenAfterFree(*const u8, usize),
}

impl fmt::Display for Misuse {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match *self {
            Misuse::DoubleFree(at) => write!(to, "double free of {at:p}"),
            Misuse::ResizedAfterFree(at) => write!(to, "realloc of {at:p}, which was freed"),
            Misuse::FreeOfNoBlock(at) => write!(to, "free of {at:p}, which is no live block"),
            Misuse::ResizeOfNoBlock(at) => write!(to, "realloc of {at:p}, which is no live block"),
            Misuse::WrittenBefore(at) => write!(to, "block {at:p} was written before its start"),
            Misuse::WrittenPast(at, size) => {
                write!(to, "block {at:p} of {size} bytes was written past its end")
            }
            Misuse::WrittenAfterFree(at, size) => {
                write!(
                    to,
                    "block {at:p} of {size} bytes was written after it was freed"
                )
            }
        }
    }
}

/// A line of text on the stack. What does not fit is cut off.
struct Line {
    text: [u8; 128],
    len: usize,
}

impl Write for Line {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = self.text.get_mut(self.len..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(more.bytes()) {
            *to = from;
            self.len += 1;
        }
        Ok(())
    }
}

/// The result of the call. If the call finds misuse, the process ends: the call has
/// returned its locks by then, so a handler of the signal may use the heap.
pub(super) fn or_end<T>(call: impl FnOnce() -> Result<T, Misuse>) -> T {
    call().unwrap_or_else(|misuse| end(misuse))
}

#[cold]
fn end(misuse: Misuse) -> ! {
    let mut line = Line {
        text: [0; 128],
        len: 0,
    };
    let _ = writeln!(line, "heapmin: {misuse}");
    os::write_error(line.text.get(..line.len).unwrap_or_default());
    std::process::abort()
}
