//! Foreign text, such as names and output of candidates, made safe for reports and
//! messages.

use std::ffi::OsStr;

/// The text on one line, with control characters escaped: a candidate's text must not
/// look like the report's own, nor control the terminal.
pub fn on_one_line(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        match character.is_control() {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// A file's name on one line, with control characters escaped.
pub fn shown(name: &OsStr) -> String {
    on_one_line(&name.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain name.so", "plain name.so")]
    #[case("with \"quotes\" and 'others'", "with \"quotes\" and 'others'")]
    #[case("two\nlines\tand a tab", "two\\nlines\\tand a tab")]
    #[case("\u{1b}[31mred", "\\u{1b}[31mred")]
    fn control_characters_are_escaped(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(on_one_line(text), wanted);
    }
}
