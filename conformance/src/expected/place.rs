//! Where an entry is in its file.

use std::fmt;
use std::ops::Range;

/// The place of an entry in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file's name for messages.
    pub file: String,
    /// The line of the entry's head or, in a list of names, of the name; from 1.
    pub line: usize,
    /// The first and the last line of the entry.
    pub lines: (usize, usize),
    /// The range of the entry's bytes, from its head to its last value.
    pub entry: Range<usize>,
    /// The range of the name's bytes, if it is in a list of names.
    pub in_list: Option<Range<usize>>,
}

/// File and line, in the form of compiler messages.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The offsets of the line ends in a text. Found once, since a file may have many entries.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// The lines of this text.
    pub(super) fn of(text: &str) -> Lines {
        Lines(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The number of the line with the byte at this offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.0.partition_point(|end| *end < at)
    }

    /// The place of an entry with these bytes.
    pub(super) fn place(
        &self,
        file: &str,
        entry: Range<usize>,
        in_list: Option<Range<usize>>,
    ) -> Place {
        let lines = (self.line(entry.start), self.line(entry.end));
        let named = in_list.as_ref().map(|name| self.line(name.start));
        Place {
            file: file.to_owned(),
            line: named.unwrap_or(lines.0),
            lines,
            entry,
            in_list,
        }
    }
}
