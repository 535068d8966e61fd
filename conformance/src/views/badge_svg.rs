//! A badge as an image: one SVG without scripts, links or fonts of its own.

use super::badge::{Color, LABEL, badge};
use crate::record::Run;
use std::fmt::Write;

/// Width of two characters, in pixels. `textLength` stretches each text to the width that this
/// gives, whatever font the reader has.
const TWO_CHARACTERS: usize = 13;
/// Space on each side of a text, in pixels.
const SPACE: usize = 6;

/// The badge of a run as SVG.
pub(super) fn report(run: &Run) -> String {
    let badge = badge(run);
    let color = match badge.color {
        Color::Green => "#2c7a2c",
        Color::Red => "#c03020",
        Color::Grey => "#666",
    };
    let names: Vec<_> = run.candidates.iter().map(|it| it.name.as_str()).collect();
    let (left, right) = (width(LABEL), width(&badge.message));
    let (label, message) = (escaped(LABEL), escaped(&badge.message));
    let names = escaped(&names.join(", "));
    let mut svg = String::new();
    let mut write = || -> std::fmt::Result {
        let whole = left + right;
        writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" \
             role=\"img\" aria-label=\"{label}: {message}\">"
        )?;
        writeln!(svg, "<title>{label}: {message} ({names})</title>")?;
        writeln!(
            svg,
            "<rect width=\"{whole}\" height=\"20\" rx=\"3\" fill=\"#444\"/>"
        )?;
        writeln!(
            svg,
            "<path d=\"M{left} 0h{}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{}z\" fill=\"{color}\"/>",
            right - 3,
            right - 3
        )?;
        writeln!(
            svg,
            "<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">"
        )?;
        for (start, width, text) in [(0, left, &label), (left, right, &message)] {
            writeln!(
                svg,
                "<text x=\"{}\" y=\"14\" textLength=\"{}\">{text}</text>",
                start + SPACE,
                width - 2 * SPACE
            )?;
        }
        writeln!(svg, "</g>")?;
        writeln!(svg, "</svg>")
    };
    write().expect("writing to a string");
    svg
}

/// Width of a half with this text, in pixels.
fn width(text: &str) -> usize {
    2 * SPACE + (TWO_CHARACTERS * text.chars().count()).div_ceil(2)
}

/// Text for an element or an attribute. A character that XML does not have, and one that
/// controls the direction of the text, becomes a replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.push('\u{fffd}');
            }
            it if it.is_control() => escaped.push('\u{fffd}'),
            it => escaped.push(it),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Verdict;
    use crate::expected::gate::Findings;
    use crate::forged;
    use rstest::rstest;

    #[rstest]
    #[case::plain("a b", "a b")]
    #[case::markup("<a b='\"'>&", "&lt;a b=&#39;&quot;&#39;&gt;&amp;")]
    #[case::control("a\0\u{1b}\n\u{fffe}", "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}")]
    #[case::direction("a\u{202e}\u{2066}", "a\u{fffd}\u{fffd}")]
    fn no_text_is_markup(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(escaped(text), wanted);
    }

    #[test]
    fn the_image_has_the_words_of_the_badge_and_the_name_of_the_library() {
        let kept = Verdict::Pass.because("0");
        let mut checked = forged::checked(vec![forged::outcome("heapmin.idempotent", 0, kept)]);
        checked.candidate.name = "a</title><script>.so".into();
        let run = forged::record(&[checked], Findings::default());
        insta::assert_snapshot!(report(&run), @r##"
<svg xmlns="http://www.w3.org/2000/svg" width="161" height="20" role="img" aria-label="heapmin: 1 of 1 promise">
<title>heapmin: 1 of 1 promise (a&lt;/title&gt;&lt;script&gt;.so)</title>
<rect width="161" height="20" rx="3" fill="#444"/>
<path d="M58 0h100a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-100z" fill="#2c7a2c"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="6" y="14" textLength="46">heapmin</text>
<text x="64" y="14" textLength="91">1 of 1 promise</text>
</g>
</svg>
"##);
    }
}
