//! Edits of a TOML file that keep every other byte.
//!
//! The caller gives the places of entries and names as ranges of bytes. It must parse
//! the new text and compare it with the intended contents, because an edit may damage
//! a file that has an unusual form.

use std::ops::Range;

/// Edits of a text. They are collected and then applied together.
pub(super) struct Edits<'a> {
    text: &'a str,
    edits: Vec<(Range<usize>, Put)>,
}

/// The replacement of a range of bytes.
enum Put {
    Nothing,
    /// This text.
    Text(String),
    /// These lines, with an empty line before and after them.
    Block(Vec<String>),
}

impl<'a> Edits<'a> {
    /// No edits of this text yet.
    pub(super) fn new(text: &'a str) -> Self {
        let edits = Vec::new();
        Edits { text, edits }
    }

    /// Removes the entry at these bytes, with the comment right above it. A comment at
    /// the top of the file stays, because it may be about the whole file. `floor` is
    /// the end of the previous entry.
    pub(super) fn remove_entry(&mut self, entry: &Range<usize>, floor: usize) {
        let floor = match floor {
            0 => 0,
            _ => self.line_end(floor),
        };
        let head = self.line_start(entry.start);
        let mut start = head;
        while start > floor && self.line_before(start).trim_start().starts_with('#') {
            start -= self.line_before(start).len();
        }
        if start == 0 {
            start = head;
        }
        let mut end = self.line_end(entry.end);
        while end < self.text.len() && is_blank(&self.text[end..self.line_end(end)]) {
            end = self.line_end(end);
        }
        if end == self.text.len() {
            while start > floor && is_blank(self.line_before(start)) {
                start -= self.line_before(start).len();
            }
        }
        self.edits.push((start.max(floor)..end, Put::Nothing));
    }

    /// Removes names from a list. `names` are the bytes of all names in the list. At
    /// least one name must stay.
    pub(super) fn remove_names(
        &mut self,
        names: &[Range<usize>],
        is_removed: impl Fn(usize) -> bool,
    ) {
        for (index, name) in names.iter().enumerate().filter(|(at, _)| is_removed(*at)) {
            let mut later = index + 1..names.len();
            let is_last = later.all(&is_removed);
            let next = names.get(index + 1);
            let next = next.filter(|next| !self.text[name.end..next.start].contains('\n'));
            let range = if self.is_alone(name) {
                self.line_start(name.start)..self.line_end(name.end)
            } else if let (Some(next), false) = (next, is_last) {
                name.start..next.start
            } else if let (Some(comma), false) = (self.comma(name), is_last) {
                self.text[..name.start].trim_end_matches([' ', '\t']).len()..comma
            } else {
                let before = (0..index).rev().find(|at| !is_removed(*at));
                before.map_or(name.start, |at| names[at].end)..name.end
            };
            self.edits.push((range, Put::Nothing));
        }
    }

    /// Adds names to a list, after a name that stays.
    pub(super) fn add_names_after(&mut self, name: &Range<usize>, added: &[String]) {
        if !self.is_alone(name) {
            let text: Vec<_> = added.iter().map(|name| format!(", {name}")).collect();
            return self.put(name.end, text.concat());
        }
        let indent = &self.text[self.line_start(name.start)..name.start];
        let newline = newline(self.text);
        let between = format!(",{newline}{indent}");
        let last_comma = match self.comma(name) {
            Some(_) => ",",
            None => "",
        };
        if last_comma.is_empty() {
            self.put(name.end, ",".into());
        }
        let names = added.join(&between);
        let text = format!("{indent}{names}{last_comma}{newline}");
        self.put(self.line_end(name.end), text);
    }

    /// Adds names to a list, before its first name.
    pub(super) fn add_names_before(&mut self, first: &Range<usize>, added: &[String]) {
        let line = self.line_start(first.start);
        let (at, indent, end) = match self.is_alone(first) {
            true => (line, &self.text[line..first.start], newline(self.text)),
            false => (first.start, "", " "),
        };
        let names = added.iter().map(|name| format!("{indent}{name},{end}"));
        let text: Vec<_> = names.collect();
        self.put(at, text.concat());
    }

    /// Adds lines after the line of this byte, with an empty line before and after them.
    pub(super) fn add_block_after(&mut self, at: usize, lines: Vec<String>) {
        let at = self.line_end(at);
        self.edits.push((at..at, Put::Block(lines)));
    }

    /// Adds lines at the end, with an empty line before them.
    pub(super) fn add_block_at_end(&mut self, lines: Vec<String>) {
        let at = self.text.len();
        self.edits.push((at..at, Put::Block(lines)));
    }

    /// The text with all edits applied.
    pub(super) fn apply(mut self) -> String {
        self.edits.sort_by_key(|(range, _)| range.start);
        let newline = newline(self.text);
        let mut out = String::new();
        let mut done = 0;
        let mut is_block_before = false;
        let end = self.text.len();
        for (range, put) in self.edits.into_iter().chain([(end..end, Put::Nothing)]) {
            // If one edit lies within another, there is nothing to keep.
            let kept = self.text.get(done..range.start).unwrap_or_default();
            if is_block_before && !kept.is_empty() {
                is_block_before = false;
                if !is_blank(kept.split_inclusive('\n').next().unwrap_or_default()) {
                    out += newline;
                }
            }
            out += kept;
            done = done.max(range.end);
            match put {
                Put::Nothing => {}
                Put::Text(text) => out += &text,
                Put::Block(lines) => {
                    if !out.is_empty() && !out.ends_with('\n') {
                        out += newline;
                    }
                    if !is_blank(out.split_inclusive('\n').next_back().unwrap_or_default()) {
                        out += newline;
                    }
                    for line in lines {
                        out += &line;
                        out += newline;
                    }
                    is_block_before = true;
                }
            }
        }
        out
    }

    fn put(&mut self, at: usize, text: String) {
        self.edits.push((at..at, Put::Text(text)));
    }

    /// The offset at which the line of this byte begins.
    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The offset after the newline of this byte's line.
    fn line_end(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        rest.find('\n').map_or(self.text.len(), |end| at + end + 1)
    }

    /// The line before the line that begins at this offset.
    fn line_before(&self, start: usize) -> &'a str {
        let before = &self.text[..start];
        before.split_inclusive('\n').next_back().unwrap_or_default()
    }

    /// The offset after the comma that follows a name, if it is on the same line.
    fn comma(&self, name: &Range<usize>) -> Option<usize> {
        let rest = &self.text[name.end..];
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let comma = name.end + spaces;
        self.text[comma..].starts_with(',').then_some(comma + 1)
    }

    /// Whether a name is alone on its line, except for a comma and a comment.
    fn is_alone(&self, name: &Range<usize>) -> bool {
        let after = self.comma(name).unwrap_or(name.end);
        let rest = self.text[after..self.line_end(after)].trim();
        let is_last = rest.is_empty() || rest.starts_with('#');
        is_last && is_blank(&self.text[self.line_start(name.start)..name.start])
    }
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

/// The line ending of a text.
fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// The range of each part of the text that is in quotation marks.
    fn names(text: &str) -> Vec<Range<usize>> {
        let marks: Vec<_> = text.match_indices('"').map(|(at, _)| at).collect();
        marks.chunks(2).map(|pair| pair[0]..pair[1] + 1).collect()
    }

    #[rstest]
    #[case::first(r#"["a", "b"]"#, &[0], r#"["b"]"#)]
    #[case::last(r#"["a", "b"]"#, &[1], r#"["a"]"#)]
    #[case::last_with_comma(r#"["a", "b", ]"#, &[1], r#"["a", ]"#)]
    #[case::middle(r#"["a", "b", "c"]"#, &[1], r#"["a", "c"]"#)]
    #[case::first_two(r#"["a", "b", "c"]"#, &[0, 1], r#"["c"]"#)]
    #[case::last_two(r#"["a", "b", "c"]"#, &[1, 2], r#"["a"]"#)]
    #[case::a_line("[\n  \"a\", # one\n  \"b\", # two\n]", &[0], "[\n  \"b\", # two\n]")]
    #[case::last_line("[\n  \"a\", # one\n  \"b\" # two\n]", &[1], "[\n  \"a\", # one\n]")]
    #[case::comments_stay("[\n  # one\n  \"a\",\n  \"b\",\n]", &[0], "[\n  # one\n  \"b\",\n]")]
    #[case::end_of_a_line(
        "[\n  \"a\", \"b\", # both\n  \"c\",\n]",
        &[1],
        "[\n  \"a\", # both\n  \"c\",\n]"
    )]
    #[case::line_and_a_half("[\"a\", \"b\",\n  \"c\",\n]", &[1, 2], "[\"a\",\n]")]
    #[case::comma_first("[\n  \"a\"\n  , \"b\"\n]", &[1], "[\n  \"a\"\n]")]
    fn names_are_removed_from_a_list(
        #[case] text: &str,
        #[case] removed: &[usize],
        #[case] result: &str,
    ) {
        let mut edits = Edits::new(text);
        edits.remove_names(&names(text), |at| removed.contains(&at));
        assert_eq!(edits.apply(), result);
    }

    #[rstest]
    #[case::one_line(r#"["a", "b"]"#, Some(0), r#"["a", "x", "y", "b"]"#)]
    #[case::at_the_end(r#"["a", "b"]"#, Some(1), r#"["a", "b", "x", "y"]"#)]
    #[case::before(r#"["a", "b"]"#, None, r#"["x", "y", "a", "b"]"#)]
    #[case::lines(
        "[\n  \"a\", # one\n  \"b\"\n]",
        Some(0),
        "[\n  \"a\", # one\n  \"x\",\n  \"y\",\n  \"b\"\n]"
    )]
    #[case::last_line_without_comma(
        "[\n  \"a\",\n  \"b\" # two\n]",
        Some(1),
        "[\n  \"a\",\n  \"b\", # two\n  \"x\",\n  \"y\"\n]"
    )]
    #[case::before_lines("[\n\t\"a\",\n]", None, "[\n\t\"x\",\n\t\"y\",\n\t\"a\",\n]")]
    #[case::windows_lines(
        "[\r\n  \"a\",\r\n]",
        Some(0),
        "[\r\n  \"a\",\r\n  \"x\",\r\n  \"y\",\r\n]"
    )]
    fn names_are_added_to_a_list(
        #[case] text: &str,
        #[case] after: Option<usize>,
        #[case] result: &str,
    ) {
        let mut edits = Edits::new(text);
        let added = [r#""x""#.to_owned(), r#""y""#.to_owned()];
        match after {
            Some(index) => edits.add_names_after(&names(text)[index], &added),
            None => edits.add_names_before(&names(text)[0], &added),
        }
        assert_eq!(edits.apply(), result);
    }

    /// The ranges of the entries. In these texts an entry is a capital letter.
    fn entries(text: &str) -> Vec<Range<usize>> {
        let starts = text
            .match_indices(|letter: char| letter.is_ascii_uppercase())
            .map(|(at, _)| at);
        starts.map(|at| at..at + 1).collect()
    }

    #[rstest]
    #[case::first("A\n\nB\n", 0, "B\n")]
    #[case::last("A\n\nB\n", 1, "A\n")]
    #[case::only("A\n", 0, "")]
    #[case::no_newline_at_the_end("A\n\nB", 1, "A\n")]
    #[case::with_its_comment("# top\n\n# of a\nA # too\n\n# of b\nB\n", 0, "# top\n\n# of b\nB\n")]
    #[case::comment_at_the_top_stays("# top\nA\n\nB\n", 0, "# top\nB\n")]
    #[case::comments_between_stay("A\n\n# middle\n\nB\n", 0, "# middle\n\nB\n")]
    #[case::comments_at_the_end_stay("A\n\nB\n\n# end\n", 1, "A\n\n# end\n")]
    #[case::no_empty_lines("A\n# of b\nB\nC\n", 1, "A\nC\n")]
    #[case::windows_lines("A\r\n\r\n# of b\r\nB\r\n\r\nC\r\n", 1, "A\r\n\r\nC\r\n")]
    fn an_entry_is_removed(#[case] text: &str, #[case] index: usize, #[case] result: &str) {
        let entries = entries(text);
        let mut edits = Edits::new(text);
        let floor = index.checked_sub(1).map_or(0, |before| entries[before].end);
        edits.remove_entry(&entries[index], floor);
        assert_eq!(edits.apply(), result);
    }

    #[rstest]
    #[case::empty("", 0, "x\ny\n")]
    #[case::end("A\n", 1, "A\n\nx\ny\n")]
    #[case::no_newline_at_the_end("A", 1, "A\n\nx\ny\n")]
    #[case::between("A\n\nB\n", 1, "A\n\nx\ny\n\nB\n")]
    #[case::without_empty_lines("A\nB\n", 1, "A\n\nx\ny\n\nB\n")]
    #[case::windows_lines("A\r\n\r\nB\r\n", 1, "A\r\n\r\nx\r\ny\r\n\r\nB\r\n")]
    fn lines_are_added_after_a_line(#[case] text: &str, #[case] at: usize, #[case] result: &str) {
        let mut edits = Edits::new(text);
        edits.add_block_after(at, vec!["x".into(), "y".into()]);
        assert_eq!(edits.apply(), result);
    }

    #[rstest]
    #[case::last("A\n\nB\n", 3, "A\n\nx\n\ny\n")]
    #[case::first("A\n\nB\n", 0, "x\n\ny\n\nB\n")]
    #[case::only("A\n", 0, "x\n\ny\n")]
    fn added_lines_replace_a_removed_entry(
        #[case] text: &str,
        #[case] at: usize,
        #[case] result: &str,
    ) {
        let mut edits = Edits::new(text);
        edits.remove_entry(&(at..at + 1), at.saturating_sub(2));
        edits.add_block_after(at + 1, vec!["x".into()]);
        edits.add_block_after(at + 1, vec!["y".into()]);
        assert_eq!(edits.apply(), result);
    }
}
