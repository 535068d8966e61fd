//! The names of the pages' files. They come from ids and names that a record may choose freely.

use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Names of more characters are cut.
const MOST: usize = 80;

/// Names that Windows keeps for devices, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// The names of files that were given out, so that none is given twice.
#[derive(Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// The name of the file of the page for this text, with its ending. As a rule it depends on
    /// nothing but the text, so that a link to the page stays right when other pages come.
    pub(super) fn file(&mut self, text: &str) -> String {
        let plain = plain(text);
        let numbered = (2..).map(|number| format!("{plain}-{number}.html"));
        let mut all = std::iter::once(format!("{plain}.html")).chain(numbered);
        all.find(|it| self.0.insert(it.clone()))
            .expect("numbers do not end")
    }
}

/// The text, if it can be the name of a file on every system: lower case, since some systems
/// ignore the case. Other texts are changed, and get a part of their sum, so that two that
/// differ in the changed characters only do not have one name.
fn plain(text: &str) -> String {
    let is_plain =
        |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || matches!(it, '.' | '_' | '-');
    let lower = text.chars().take(MOST).map(|it| it.to_ascii_lowercase());
    let plain: String = lower
        .map(|it| if is_plain(it) { it } else { '-' })
        .collect();
    let plain = plain.trim_matches(['.', '-']);
    let stem = plain.split('.').next().unwrap_or_default();
    let is_device = DEVICES.contains(&stem.trim_end_matches(|it: char| it.is_ascii_digit()));
    match plain == text && !plain.is_empty() && !is_device {
        true => plain.to_owned(),
        false => {
            let sum = Sha256::digest(text);
            let sum: String = sum[..4].iter().map(|it| format!("{it:02x}")).collect();
            let name = if plain.is_empty() { "page" } else { plain };
            // Not at the end: a device with any ending is the device.
            match is_device {
                true => format!("page-{name}-{sum}"),
                false => format!("{name}-{sum}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::clause("heapmin.success-keeps-errno", "heapmin.success-keeps-errno.html")]
    #[case::library("libmine.so.1", "libmine.so.1.html")]
    fn a_plain_name_is_kept(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(Names::default().file(text), wanted);
    }

    #[rstest]
    #[case::slashes("../../etc/passwd")]
    #[case::backslashes("..\\..\\x")]
    #[case::dots("..")]
    #[case::dot(".")]
    #[case::hidden(".x")]
    #[case::empty("")]
    #[case::nul("a\0b")]
    #[case::upper("Mine.SO")]
    #[case::markup("<a href=\"x\">")]
    #[case::address("javascript:alert(1)")]
    #[case::percent("a%2e%2e%2fb")]
    #[case::letters("héap 堆")]
    #[case::device("NUL")]
    #[case::device_with_an_ending("com1.so")]
    #[case::drive("c:")]
    #[case::hash("a#b?c")]
    fn a_hostile_name_becomes_one_plain_file(#[case] text: &str) {
        let file = Names::default().file(text);
        assert!(!file.starts_with(['.', '-']), "{file}");
        let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
        assert!(file.starts_with(is_plain), "{file}");
        let all = file.chars().all(|it| is_plain(it) || "._-".contains(it));
        assert!(all && file.ends_with(".html"), "{file}");
        assert_ne!(file, format!("{text}.html"), "a device or a hidden file");
        let stem = file.split('.').next().unwrap();
        assert!(!DEVICES.contains(&stem.trim_end_matches(|it: char| it.is_ascii_digit())));
    }

    #[test]
    fn a_very_long_name_is_cut() {
        let file = Names::default().file(&"n".repeat(1 << 20));
        assert!(file.len() < 120, "{} bytes", file.len());
    }

    #[test]
    fn no_two_pages_have_one_file() {
        let mut names = Names::default();
        let long = "n".repeat(200);
        let texts = [
            "a/b", "a-b", "a\\b", "A-B", "a-b", "..", "...", "", &long, &long,
        ];
        let files: HashSet<_> = texts.iter().map(|it| names.file(it)).collect();
        assert_eq!(files.len(), texts.len(), "{files:?}");
    }

    #[test]
    fn the_file_of_a_name_does_not_depend_on_other_names() {
        let mut names = Names::default();
        names.file("a-b");
        assert_eq!(names.file("a/b"), Names::default().file("a/b"));
    }
}
