//! Texts of a record, made safe for the page.

use maud::Render;
use std::fmt::Write;

/// Texts of more characters are cut. The record has the whole text.
const MOST: usize = 3000;

/// A text of a record. It is escaped for HTML, and characters that hide or reorder others
/// are written as their numbers.
#[derive(Clone, Copy)]
pub(in crate::views) struct Shown<'a>(&'a str);

/// This text, as the page shows it.
pub(in crate::views) fn shown(text: &str) -> Shown<'_> {
    Shown(text)
}

impl Render for Shown<'_> {
    fn render_to(&self, buffer: &mut String) {
        visible(self.0).render_to(buffer);
    }
}

/// The text without characters that hide or reorder others, and cut if it is very long.
pub(in crate::views) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for (index, character) in text.chars().enumerate() {
        if index == MOST {
            let more = text.chars().count() - MOST;
            write!(visible, " … ({more} more characters)").expect("writing to a string");
            break;
        }
        match is_hidden(character) {
            true => visible.extend(character.escape_unicode()),
            false => visible.push(character),
        }
    }
    visible
}

/// Whether a browser shows nothing for a character, or lets it change what is around it.
fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        // Marks and overrides of the direction, joiners, and separators.
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        _ => character.is_control(),
    }
}

/// An address to which the page may lead: one on the web. A record may have any text there.
pub(in crate::views) fn web_address(text: &str) -> Option<String> {
    let is_web = ["https://", "http://"]
        .iter()
        .any(|it| text.starts_with(it));
    let is_plain = !text.contains(|it: char| it.is_whitespace() || is_hidden(it));
    (is_web && is_plain && text.len() <= MOST).then(|| text.to_owned())
}

/// A number with its noun: `1 case`, `2 cases`.
pub(in crate::views) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Milliseconds as text: `7 ms`, `1.3 s`, `2 min 5 s`.
pub(in crate::views) fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{:.1} s", milliseconds as f64 / 1000.0),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maud::html;
    use rstest::rstest;

    #[rstest]
    #[case::markup("<script>\"'&", "&lt;script&gt;&quot;'&amp;")]
    #[case::end_of_style("</style>", "&lt;/style&gt;")]
    #[case::override_of_direction("a\u{202e}b", "a\\u{202e}b")]
    #[case::nul("a\0b", "a\\u{0}b")]
    #[case::escape("\u{1b}[31m", "\\u{1b}[31m")]
    #[case::no_width("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}")]
    #[case::lines("two\nlines", "two\nlines")]
    #[case::other_letters("héap 堆", "héap 堆")]
    fn a_text_is_escaped_and_visible(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(html! { (shown(text)) }.into_string(), wanted);
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let text = visible(&"é".repeat(MOST + 7));
        assert!(text.ends_with("é … (7 more characters)"), "{text}");
        let whole = "é".repeat(MOST);
        assert_eq!(visible(&whole), whole);
    }

    #[rstest]
    #[case("https://bugs.winehq.org/show_bug.cgi?id=1", true)]
    #[case("http://example.org/", true)]
    #[case("javascript:alert(1)", false)]
    #[case("data:text/html,x", false)]
    #[case("https://a\u{202e}b", false)]
    #[case("bug 7", false)]
    fn only_an_address_on_the_web_becomes_a_link(#[case] text: &str, #[case] is_link: bool) {
        assert_eq!(web_address(text).is_some(), is_link);
    }

    #[rstest]
    #[case(7, "7 ms")]
    #[case(1340, "1.3 s")]
    #[case(125_000, "2 min 5 s")]
    fn a_duration_is_short(#[case] milliseconds: u64, #[case] wanted: &str) {
        assert_eq!(duration(milliseconds), wanted);
    }
}
