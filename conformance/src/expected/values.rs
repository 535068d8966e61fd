//! Checks the values of an entry's keys: versions, an address, a date. Each error names the
//! line of the value.

use super::place::Lines;
use super::versions::{Bound, Versions};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::version::Version;
use serde::Deserialize;
use toml::{Spanned, Value};

/// A table `since` or `until` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    wine: Option<Spanned<String>>,
    #[serde(rename = "library")]
    file: Option<Spanned<String>>,
}

impl Limit {
    /// The offset at which its last version ends, in a table with a head of its own.
    pub(super) fn end(&self) -> usize {
        let versions = self.wine.iter().chain(&self.file);
        versions.map(|it| it.span().end).fold(0, usize::max)
    }
}

/// Checks the values of a file.
pub(super) struct Values<'a> {
    /// The file's name for messages.
    pub file: &'a str,
    /// Its lines.
    pub lines: &'a Lines,
}

impl Values<'_> {
    /// The versions between two tables.
    pub(super) fn versions(
        &self,
        since: Option<&Spanned<Limit>>,
        until: Option<&Spanned<Limit>>,
    ) -> Result<Versions, InputError> {
        let bound = |limit| self.bound(limit).map(Option::unwrap_or_default);
        let versions = Versions {
            since: bound(since.map(|it| ("since", it)))?,
            until: bound(until.map(|it| ("until", it)))?,
        };
        match (versions.empty(), until) {
            (Some(of), Some(until)) => Err(self.error(
                until.span().start,
                format!("no version of {} is both since and before until", of.key()),
                "`since` is the first version that has the deviation, `until` the first that no longer has it",
            )),
            _ => Ok(versions),
        }
    }

    fn bound(&self, limit: Option<(&str, &Spanned<Limit>)>) -> Result<Option<Bound>, InputError> {
        let Some((key, limit)) = limit else {
            return Ok(None);
        };
        let Limit { wine, file } = limit.get_ref();
        if wine.is_none() && file.is_none() {
            let problem = format!("`{key}` has no version");
            let mend = format!("write {key} = {{ wine = \"10.0\" }}, or library in place of wine");
            return Err(self.error(limit.span().start, problem, &mend));
        }
        Ok(Some(Bound {
            wine: wine.as_ref().map(|it| self.version(it)).transpose()?,
            file: file.as_ref().map(|it| self.version(it)).transpose()?,
        }))
    }

    fn version(&self, text: &Spanned<String>) -> Result<Version, InputError> {
        Version::parse(text.get_ref()).ok_or_else(|| {
            self.error(
                text.span().start,
                format!("{:?} is not a version", text.get_ref()),
                "write numbers with dots between them, as in \"10.0\"",
            )
        })
    }

    /// The address of a bug report.
    pub(super) fn address(&self, text: Spanned<String>) -> Result<String, InputError> {
        let address = text.get_ref();
        let rest = address
            .strip_prefix("https://")
            .or_else(|| address.strip_prefix("http://"));
        let is_letter = |letter: char| letter.is_ascii_graphic() && !"\"<>\\^`{|}".contains(letter);
        let has_host = |rest: &str| rest.starts_with(|first: char| first.is_ascii_alphanumeric());
        match rest.is_some_and(|rest| has_host(rest) && rest.chars().all(is_letter)) {
            true => Ok(text.into_inner()),
            false => Err(self.error(
                text.span().start,
                format!("{address:?} in `bug` is not a web address"),
                "write the address of the bug report, as in \"https://bugs.winehq.org/show_bug.cgi?id=1\"",
            )),
        }
    }

    /// A day, as a TOML date: the parser has checked that it exists.
    pub(super) fn date(&self, value: Spanned<Value>) -> Result<String, InputError> {
        match value.get_ref() {
            Value::Datetime(it) if it.time.is_none() && it.offset.is_none() => Ok(it.to_string()),
            _ => Err(self.error(
                value.span().start,
                "`added` is not a date".into(),
                "write it without quotes and without a time, as in added = 2026-11-26",
            )),
        }
    }

    fn error(&self, at: usize, problem: String, mend: &str) -> InputError {
        let (file, line) = (self.file, self.lines.line(at));
        InputError::new(format!("{file}:{line}: {problem}"), mend)
    }
}

#[cfg(test)]
mod tests {
    use crate::expected::known::Expected;
    use rstest::rstest;

    fn entry(lines: &str) -> String {
        format!("[[known]]\nclause = 'c'\nwhy = 'w'\n{lines}\n")
    }

    #[rstest]
    #[case::wine("since = { wine = '8.0' }", " since Wine 8.0", "w")]
    #[case::of_the_library("until = { library = '10.0.26100' }", " until version 10.0.26100", "w")]
    #[case::both(
        "since = { wine = '9', library = '7.0' }\nuntil = { wine = '9.0.1' }",
        " since Wine 9 since version 7.0 until Wine 9.0.1",
        "w"
    )]
    #[case::own_table("[known.since]\nwine = '8.0'", " since Wine 8.0", "w")]
    #[case::bug(
        "bug = 'https://a.example/b?id=1#c'",
        "",
        "w (https://a.example/b?id=1#c)"
    )]
    #[case::added("added = 2024-02-29", "", "w (added 2024-02-29)")]
    #[case::bug_and_day(
        "added = 2026-11-26\nbug = 'http://a.example'",
        "",
        "w (http://a.example, added 2026-11-26)"
    )]
    fn a_value_is_read(#[case] lines: &str, #[case] versions: &str, #[case] reason: &str) {
        let known = &Expected::parse("f.toml", &entry(lines)).unwrap().known[0];
        assert_eq!(known.versions.to_string(), versions);
        assert_eq!(known.entry().reason(), reason);
    }

    #[rstest]
    #[case::no_version(
        "since = { wine = 'new' }",
        "f.toml:4: \"new\" is not a version; write numbers"
    )]
    #[case::empty_table("until = {}", "f.toml:4: `until` has no version; write until = { wine")]
    #[case::until_is_since(
        "since = { wine = '9.0' }\nuntil = { wine = '9' }",
        "f.toml:5: no version of wine is both since and before until; `since` is the first"
    )]
    #[case::until_before_since(
        "until = { library = '7.0' }\nsince = { library = '7.0.1' }",
        "f.toml:4: no version of library is both"
    )]
    #[case::unknown_key("since = { wnie = '9.0' }", "line 4")]
    #[case::unknown_key_is_named("since = { wnie = '9.0' }", "expected `wine` or `library`")]
    #[case::number("since = { wine = 9.0 }", "line 4")]
    #[case::no_address(
        "bug = '#44'",
        "f.toml:4: \"#44\" in `bug` is not a web address; write the"
    )]
    #[case::address_of_a_file("bug = 'file:///a'", "f.toml:4: ")]
    #[case::no_host("bug = 'https:///b'", "f.toml:4: ")]
    #[case::space_in_an_address("bug = 'https://a b'", "f.toml:4: ")]
    #[case::control_in_an_address("bug = \"https://a\\u001b[2J\"", "f.toml:4: ")]
    #[case::text_in_place_of_a_date(
        "added = '2026-11-26'",
        "f.toml:4: `added` is not a date; write it without"
    )]
    #[case::time("added = 2026-11-26T10:00:00", "f.toml:4: `added` is not a date")]
    #[case::no_such_day("added = 2026-02-29", "line 4")]
    fn a_wrong_value_is_refused_with_its_line(#[case] lines: &str, #[case] wanted: &str) {
        let error = Expected::parse("f.toml", &entry(lines)).unwrap_err();
        assert!(error.to_string().contains(wanted), "{error}");
    }

    #[rstest]
    fn an_entry_ends_after_its_last_value(
        #[values(
            "verdict = ['fail', 'crash']",
            "since = { wine = '8.0' }",
            "until = { library = '8.0' }",
            "bug = 'https://a.example'",
            "added = 2026-11-26",
            "[known.since]\nwine = '8.0'"
        )]
        last: &str,
    ) {
        let text = entry(last);
        let known = &Expected::parse("f.toml", &text).unwrap().known[0];
        assert_eq!(known.place.entry, 0..text.trim_end().len());
        assert_eq!(known.place.lines, (1, text.lines().count()));
    }
}
