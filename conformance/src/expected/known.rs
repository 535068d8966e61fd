//! Entries about a candidate's results, with their places in their files. Profiles, shared
//! lists and `--expected` files contain them.

use super::place::{Lines, Place};
use super::values::{Limit, Values};
use super::versions::Versions;
use crate::clause::Verdict;
use crate::promises::present;
use crate::record::Entry as Recorded;
use heapmin_harness::library::inspect::Maker;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::needed_version;
use heapmin_harness::text::toml_file::not_toml;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::ops::Range;
use toml::{Spanned, Value};

/// A known deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The clause that the library breaks.
    pub clause: String,
    /// If given, the entry applies only to this case of the clause.
    pub case: Option<String>,
    /// If given, the entry applies only to this maker's library.
    pub maker: Option<Maker>,
    /// If given, the entry applies only to libraries for this processor.
    pub arch: Option<Arch>,
    /// If given, the entry applies only to the candidate with this name.
    pub candidate: Option<String>,
    /// The verdicts that are expected: a deviation, or what comes and goes. `pass` may be
    /// one of several.
    pub verdicts: Vec<String>,
    /// The versions to which the entry applies.
    pub versions: Versions,
    /// The address of the bug report.
    pub bug: Option<String>,
    /// The day on which the entry was written, `2026-11-26`.
    pub added: Option<String>,
    /// The reason, in a sentence.
    pub why: String,
    /// The line of the key `until`.
    pub until_line: Option<usize>,
    /// The entry's place in its file.
    pub place: Place,
}

/// A processor for which a library is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arch {
    /// 32-bit x86.
    X86,
    /// 64-bit x86.
    #[serde(rename = "x86_64")]
    X8664,
    /// 64-bit Arm.
    Aarch64,
}

impl Arch {
    /// The name, as a library's file is described by it.
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86 => "x86",
            Arch::X8664 => "x86_64",
            Arch::Aarch64 => "aarch64",
        }
    }
}

/// A clause that was judged when the file was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The clause.
    pub clause: String,
    /// If given, the entry applies only to the candidate with this name.
    pub candidate: Option<String>,
    /// The entry's place in its file.
    pub place: Place,
}

impl Known {
    /// Whether this entry is of this clause and case.
    pub fn is_of(&self, clause: &str, case: &str) -> bool {
        self.clause == clause && self.case.as_deref().is_none_or(|known| known == case)
    }

    /// Whether the entry expects this verdict.
    pub fn expects(&self, verdict: Verdict) -> bool {
        self.verdicts.iter().any(|name| name == verdict.name())
    }

    /// The entry as records have it.
    pub fn entry(&self) -> Recorded {
        Recorded {
            file: self.place.file.clone(),
            line: self.place.line,
            why: self.why.clone(),
            bug: self.bug.clone(),
            added: self.added.clone(),
        }
    }
}

/// The contents of a file given with `--expected`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The known deviations.
    pub known: Vec<Known>,
    /// The clauses that must be judged.
    pub judged: Vec<Judged>,
}

impl Expected {
    /// Parses the text of such a file. `file` is its name for messages.
    ///
    /// # Errors
    /// If the text has another form. The message names the line.
    pub fn parse(file: &str, text: &str) -> Result<Expected, InputError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Sections {
            /// It was checked before.
            #[serde(rename = "needs")]
            _needs: Option<String>,
            #[serde(default)]
            known: Vec<Spanned<Entry>>,
            #[serde(default)]
            judged: Vec<Spanned<JudgedEntry>>,
        }
        needed_version::check(file, text)?;
        let sections: Sections = toml::from_str(text).map_err(|error| not_toml(file, &error))?;
        let lines = Lines::of(text);
        let judged = sections.judged.into_iter();
        let judged = judged.flat_map(|entry| judged_places(entry, file, &lines));
        Ok(Expected {
            known: known_places(sections.known, file, text)?,
            judged: judged.collect(),
        })
    }
}

/// Parses a list of known deviations that profiles share. `file` is its name for messages.
///
/// # Errors
/// If the text has another form. The message names the line.
pub fn parse_list(file: &str, text: &str) -> Result<Vec<Known>, InputError> {
    let expected = Expected::parse(file, text)?;
    match expected.judged.first() {
        None => Ok(expected.known),
        Some(entry) => Err(InputError::new(
            format!("{}: a shared list has no [[judged]] entries", entry.place),
            "delete the entry",
        )),
    }
}

/// Parses the `[[known]]` entries of a profile, which contains other keys too. `file` is
/// its name for messages.
///
/// # Errors
/// If an entry has another form. The message names the line.
pub fn parse_known(file: &str, text: &str) -> Result<Vec<Known>, InputError> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        known: Vec<Spanned<Entry>>,
    }
    let list: List = toml::from_str(text).map_err(|error| not_toml(file, &error))?;
    known_places(list.known, file, text)
}

/// An entry as it is written in a file: for one clause, or for several with one reason.
#[derive(Deserialize)]
#[serde(try_from = "Keys")]
struct Entry(Keys);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Keys {
    clause: Spanned<Names>,
    case: Option<Spanned<Names>>,
    maker: Option<Spanned<Maker>>,
    arch: Option<Spanned<Arch>>,
    candidate: Option<Spanned<String>>,
    verdict: Option<Spanned<Names>>,
    since: Option<Spanned<Limit>>,
    until: Option<Spanned<Limit>>,
    bug: Option<Spanned<String>>,
    added: Option<Spanned<Value>>,
    why: Spanned<String>,
}

impl Keys {
    /// The offset at which the last value ends.
    fn end(&self) -> usize {
        fn end<T>(value: &Option<Spanned<T>>) -> usize {
            value.as_ref().map_or(0, |it| it.span().end)
        }
        let limits = self.since.iter().chain(&self.until);
        let ends = [
            self.clause.span().end,
            end(&self.case),
            end(&self.maker),
            end(&self.arch),
            end(&self.candidate),
            end(&self.verdict),
            end(&self.since),
            end(&self.until),
            limits.map(|it| it.get_ref().end()).fold(0, usize::max),
            end(&self.bug),
            end(&self.added),
            self.why.span().end,
        ];
        ends.into_iter().fold(0, usize::max)
    }
}

impl TryFrom<Keys> for Entry {
    type Error = &'static str;

    fn try_from(keys: Keys) -> Result<Entry, &'static str> {
        let is_list = |names: &Spanned<Names>| matches!(names.get_ref(), Names::List(_));
        match is_list(&keys.clause) && keys.case.as_ref().is_some_and(is_list) {
            true => Err("a list of clauses and a list of cases: write an entry for each clause"),
            false => Ok(Entry(keys)),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct JudgedEntry {
    clause: Spanned<Names>,
    candidate: Option<Spanned<String>>,
}

/// One name, or a list of them.
enum Names {
    One(String),
    List(Vec<Spanned<String>>),
}

impl Names {
    /// Each name, with the range of its bytes if it is in a list.
    fn each(&self) -> Vec<(&str, Option<Range<usize>>)> {
        match self {
            Names::One(name) => vec![(name, None)],
            Names::List(names) => names
                .iter()
                .map(|name| (name.get_ref().as_str(), Some(name.span())))
                .collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct OneOrList;
        impl<'de> Visitor<'de> for OneOrList {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name, or a list of names")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names::One(name.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                if names.is_empty() {
                    return Err(A::Error::custom("the list is empty"));
                }
                Ok(Names::List(names))
            }
        }
        deserializer.deserialize_any(OneOrList)
    }
}

/// The deviations of these entries: one for each clause and case that an entry names.
///
/// # Errors
/// If a value is wrong. The message names its line.
fn known_places(
    entries: Vec<Spanned<Entry>>,
    file: &str,
    text: &str,
) -> Result<Vec<Known>, InputError> {
    let lines = Lines::of(text);
    let mut known = Vec::new();
    for spanned in entries {
        let head = spanned.span();
        let Entry(keys) = spanned.into_inner();
        let values = Values {
            file,
            lines: &lines,
        };
        let bytes = head.start..keys.end().max(head.end);
        let until_line = keys.until.as_ref().map(|it| lines.line(it.span().start));
        let whole = Known {
            clause: String::new(),
            case: None,
            maker: keys.maker.map(Spanned::into_inner),
            arch: keys.arch.map(Spanned::into_inner),
            candidate: keys.candidate.map(Spanned::into_inner),
            verdicts: match &keys.verdict {
                Some(verdicts) => {
                    let verdicts = verdicts.get_ref().each().into_iter();
                    verdicts.map(|(verdict, _)| verdict.to_owned()).collect()
                }
                None => vec!["fail".into()],
            },
            versions: values.versions(keys.since.as_ref(), keys.until.as_ref())?,
            bug: keys.bug.map(|bug| values.address(bug)).transpose()?,
            added: keys.added.map(|date| values.date(date)).transpose()?,
            why: keys.why.into_inner(),
            until_line,
            place: Place::default(),
        };
        let cases: Vec<_> = match &keys.case {
            None => vec![(None, None)],
            Some(cases) => {
                let cases = cases.get_ref().each().into_iter();
                cases
                    .map(|(case, at)| (Some(case.to_owned()), at))
                    .collect()
            }
        };
        for (clause, clause_bytes) in keys.clause.get_ref().each() {
            known.extend(cases.iter().map(|(case, case_bytes)| Known {
                clause: present(clause).to_owned(),
                case: case.clone(),
                place: lines.place(
                    file,
                    bytes.clone(),
                    clause_bytes.clone().or_else(|| case_bytes.clone()),
                ),
                ..whole.clone()
            }));
        }
    }
    Ok(known)
}

fn judged_places(spanned: Spanned<JudgedEntry>, file: &str, lines: &Lines) -> Vec<Judged> {
    let head = spanned.span();
    let entry = spanned.into_inner();
    let end = entry.candidate.as_ref().map_or(0, |it| it.span().end);
    let bytes = head.start..head.end.max(entry.clause.span().end).max(end);
    let names = entry.clause.get_ref().each().into_iter();
    let judged = names.map(|(clause, in_list)| Judged {
        clause: present(clause).to_owned(),
        candidate: entry.candidate.as_ref().map(|it| it.get_ref().clone()),
        place: lines.place(file, bytes.clone(), in_list),
    });
    judged.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TEXT: &str = "\
# A comment.

[[known]]
clause = 'a'
why = '''
two
lines'''

[[known]] # another
why = 'w'
clause = [
    'b', # why b
    'c', 'd',
]

[[known]]
clause = 'e'
case = ['x',
  'y']
why = 'w'

[[judged]]
clause = ['a',
  'b']
candidate = 'l.so'
";

    #[test]
    fn each_entry_has_its_lines() {
        let expected = Expected::parse("f.toml", TEXT).unwrap();
        let places: Vec<_> = expected
            .known
            .iter()
            .map(|known| (&known.clause[..], known.place.line, known.place.lines))
            .collect();
        assert_eq!(
            places,
            [
                ("a", 3, (3, 7)),
                ("b", 12, (9, 14)),
                ("c", 13, (9, 14)),
                ("d", 13, (9, 14)),
                ("e", 18, (16, 20)),
                ("e", 19, (16, 20)),
            ]
        );
        assert_eq!(expected.known[0].place.to_string(), "f.toml:3");
        assert_eq!(
            &TEXT[expected.known[5].place.in_list.clone().unwrap()],
            "'y'"
        );
        let judged = &expected.judged[1];
        assert_eq!((judged.place.line, judged.place.lines), (24, (22, 25)));
        assert_eq!(judged.candidate.as_deref(), Some("l.so"));
    }

    // No text may overflow the stack or take time that grows with the square of its length.
    #[rstest]
    #[case::dotted(format!("a{} = 1", ".a".repeat(500_000)), false)]
    #[case::brackets("a = ".to_owned() + &"[".repeat(500_000), false)]
    #[case::braces("a = ".to_owned() + &"{a=".repeat(300_000), false)]
    #[case::heads(format!("[{}a]", "a.".repeat(500_000)), false)]
    #[case::list(format!("[[known]]\nwhy = 'w'\nclause = [{}]", "'c',\n".repeat(200_000)), true)]
    fn a_huge_file_is_parsed_or_refused(#[case] text: String, #[case] is_valid: bool) {
        let expected = Expected::parse("f.toml", &text);
        assert_eq!(expected.is_ok(), is_valid);
        if let Err(error) = expected {
            assert!(error.problem.len() < 2000, "{}", error.problem.len());
        }
    }

    #[rstest]
    #[case::misspelt_key("[[known]]\nclause = 'c'\nwy = 'w'\n", "line 3")]
    #[case::no_reason("\n[[known]]\nclause = 'c'\n", "line 2")]
    #[case::empty_list("[[known]]\nwhy = 'w'\nclause = []\n", "line 3")]
    #[case::not_a_name("[[known]]\nwhy = 'w'\nclause = 7\n", "line 3")]
    #[case::the_expected_form_is_named(
        "[[known]]\nwhy = 'w'\nclause = 7\n",
        "expected a name, or a list of names"
    )]
    #[case::not_a_name_in_a_list("[[known]]\nwhy = 'w'\nclause = ['c',\n7]\n", "line 4")]
    #[case::unknown_maker("[[known]]\nwhy = 'w'\nclause = 'c'\nmaker = 'me'\n", "line 4")]
    #[case::unknown_arch("[[known]]\nwhy = 'w'\nclause = 'c'\narch = 'x64'\n", "line 4")]
    #[case::lists_of_both("[[known]]\nwhy = 'w'\nclause = ['c', 'd']\ncase = ['x']\n", "line 1")]
    #[case::reason_in_a_judged_entry("[[judged]]\nclause = 'c'\nwhy = 'w'\n", "line 3")]
    #[case::unknown_key_is_named("[[known]]\nclause = 'c'\nwy = 'w'\n", "unknown field `wy`")]
    fn an_error_in_a_file_is_reported_with_its_line(#[case] text: &str, #[case] line: &str) {
        let error = Expected::parse("f.toml", text).unwrap_err();
        assert!(error.problem.starts_with("f.toml"), "{error}");
        assert!(error.problem.contains(line), "{error}");
    }

    // At least 200 characters of a long line are kept.
    #[rstest]
    #[case::short(10)]
    #[case::long(2000)]
    fn a_long_error_message_is_cut(#[case] length: usize) {
        let key = "k".repeat(length);
        let error = Expected::parse("f.toml", &format!("{key} = 1\n")).unwrap_err();
        let (line, message) = (format!("{key} = 1"), error.problem);
        assert!(message.contains("line 1"), "{message}");
        assert_eq!(message.contains(&line), length < 1000, "{message}");
        assert!(message.contains("unknown field"), "{message}");
        let letters = message.matches('k').count();
        assert!(letters >= length.min(200) && letters < 1000, "{message}");
    }
}
