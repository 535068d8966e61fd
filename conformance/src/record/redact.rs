//! Removes the folders of this machine from a record.

use super::Run;
use serde_json::Value;

/// The record with the name of the file instead of each absolute path.
pub fn redact(run: &Run) -> Run {
    let mut value = serde_json::to_value(run).expect("a record is plain data");
    redact_value(&mut value);
    serde_json::from_value(value).expect("only texts have changed")
}

fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact_text(text),
        Value::Array(values) => values.iter_mut().for_each(redact_value),
        Value::Object(fields) => fields.values_mut().for_each(redact_value),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text with the last name of each absolute path in it.
fn redact_text(text: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = path_start(rest, redacted.chars().next_back()) {
        redacted.push_str(&rest[..start]);
        let path = &rest[start..];
        let length = path.find(is_end).unwrap_or(path.len());
        let (path, after) = path.split_at(length);
        let name = path.rsplit(['/', '\\']).find(|name| !name.is_empty());
        redacted.push_str(name.unwrap_or("/"));
        rest = after;
    }
    redacted + rest
}

/// The offset of the first absolute path. `before` is the character before the text.
fn path_start(text: &str, before: Option<char>) -> Option<usize> {
    let mut before = before;
    for (at, character) in text.char_indices() {
        let rest = &text[at..];
        let may_start = before.is_none_or(|it| !it.is_alphanumeric() && !"/\\.-_*:<".contains(it))
            // As in `--library-path=/folder` and `/a:/b`.
            || (before == Some(':') && !rest.starts_with("//"));
        let is_unix = character == '/'
            && rest[1..].starts_with(|it: char| it.is_alphanumeric() || "._-".contains(it));
        let is_windows = character.is_ascii_alphabetic()
            && (rest[1..].starts_with(":\\")
                || rest[1..].starts_with(":/") && !rest[1..].starts_with("://"));
        if may_start && (is_unix || is_windows) {
            return Some(at);
        }
        before = Some(character);
    }
    None
}

fn is_end(character: char) -> bool {
    character.is_whitespace() || "\"'`,;()<>|".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::whole("/home/me/build/libmine.so", "libmine.so")]
    #[case::in_a_sentence(
        "the library calls free in /lib/x/libc.so.6 instead",
        "the library calls free in libc.so.6 instead"
    )]
    #[case::quoted("cannot open '/a/b.so': no", "cannot open 'b.so': no")]
    #[case::windows(r"C:\Users\me\mine.dll", "mine.dll")]
    #[case::windows_slashes("C:/Users/me/mine.dll", "mine.dll")]
    #[case::option("--heap=/opt/x/libc.so", "--heap=libc.so")]
    #[case::several("/a/b and /c/d", "b and d")]
    #[case::place(
        "/src/expected.toml:12: no longer fails",
        "expected.toml:12: no longer fails"
    )]
    #[case::address(
        "https://learn.microsoft.com/cpp/x#return-value",
        "https://learn.microsoft.com/cpp/x#return-value"
    )]
    #[case::ratio("given back 3/4", "given back 3/4")]
    #[case::relative("build/libmine.so", "build/libmine.so")]
    #[case::comment("a /* comment */ b", "a /* comment */ b")]
    #[case::folder("/home/me/", "me")]
    fn a_path_becomes_the_name_of_its_file(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(redact_text(text), wanted);
    }
}
