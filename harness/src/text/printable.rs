//! Text that somebody else wrote, as reports and messages show it.

use std::ffi::OsStr;

/// The text on one line, and without anything that a terminal would act upon:
/// a candidate's words must not pass for the report's own.
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

/// A name as reports and messages show it: on one line, and without anything
/// that a terminal would act upon.
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
    fn what_a_terminal_acts_upon_is_spelled_out(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(on_one_line(text), wanted);
    }
}
