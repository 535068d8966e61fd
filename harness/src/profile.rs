//! Profiles: what is known of a library. New libraries are added by a
//! profile, not by code.

use crate::errno_names::Numbering;
use crate::input_error::InputError;
use crate::inspect::{Format, Maker};
use crate::probe::crt::ROUTINES;
use crate::suggest::nearest;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::path::Path;

/// Where a library is found by its profile's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// In the system's folder of libraries: Windows', or Wine's.
    System,
    /// Built with this program, from fixtures/adapters.
    Adapter,
    /// Built with this program, from reference/.
    Reference,
    /// Nowhere in particular: it is always given by path.
    Path,
}

/// What is known of a library.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The name on the command line; the file's name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// One line: what library this is.
    pub title: String,
    /// The library's file name; for the reference, the name that each system
    /// decorates in its own way.
    #[serde(rename = "library")]
    pub file_name: String,
    /// Where that file is.
    pub source: Source,
    /// Its format; the host's own if not given.
    pub format: Option<Format>,
    /// Whose numbers its `errno` holds.
    pub errno: Numbering,
    /// The library that has its `errno`, if it has none itself.
    pub errno_library: Option<String>,
    /// Another name under which the same heap must be reached.
    pub alias: Option<String>,
    /// For a name that the loader resolves and that is no file: the file
    /// behind it.
    pub stands_for: Option<String>,
    /// Another library that this one loads.
    pub needs: Option<Needs>,
    /// Environment variables that its probe needs.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Why the file may not be there, and where it comes from.
    pub if_absent: Option<String>,
    /// The routines that it should export.
    #[serde(default)]
    pub promised: Vec<String>,
    /// The routines that it should no longer export.
    #[serde(default)]
    pub gone: Vec<String>,
    /// Lists of known deviations that it shares with other libraries, by name.
    #[serde(default)]
    pub shares: Vec<String>,
    /// Known deviations.
    #[serde(default, deserialize_with = "known")]
    pub known: Vec<Known>,
}

/// Another library that must be installed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Needs {
    /// Its file name, as the loader finds it.
    pub file: String,
    /// How to get it.
    pub install: String,
}

/// A known deviation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The clause that is broken.
    pub clause: String,
    /// Only in this case of the clause.
    pub case: Option<String>,
    /// Only in the library of this maker.
    pub maker: Option<Maker>,
    /// What comes out.
    pub verdict: String,
    /// Why, in a sentence.
    pub why: String,
}

/// Known deviations as a file has them: of one clause, or of several for one
/// reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    clause: OneOrMore,
    case: Option<String>,
    maker: Option<Maker>,
    #[serde(default = "fail")]
    verdict: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a clause's id, or a list of them")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

fn fail() -> String {
    "fail".into()
}

/// Reads entries and gives a deviation for each clause that they name.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Known>, D::Error> {
    let entries = Vec::<Entry>::deserialize(deserializer)?;
    let each = |entry: Entry| {
        let clauses = match entry.clause {
            OneOrMore::One(clause) => vec![clause],
            OneOrMore::More(clauses) => clauses,
        };
        clauses.into_iter().map(move |clause| Known {
            clause,
            case: entry.case.clone(),
            maker: entry.maker,
            verdict: entry.verdict.clone(),
            why: entry.why.clone(),
        })
    };
    Ok(entries.into_iter().flat_map(each).collect())
}

impl Known {
    /// Whether this entry speaks of this clause, case and maker.
    pub fn applies(&self, clause: &str, case: &str, maker: Maker) -> bool {
        self.clause == clause
            && self.case.as_deref().is_none_or(|known| known == case)
            && self.maker.is_none_or(|known| known == maker)
    }
}

/// A file with nothing but known deviations: one given with `--expected`, or
/// a list that profiles share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    #[serde(default, deserialize_with = "known")]
    known: Vec<Known>,
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// If the text is not a profile; the message has the line.
    pub fn parse(name: &str, text: &str) -> Result<Profile, InputError> {
        let profile: Profile = toml::from_str(text)
            .map_err(|error| not_toml(&format!("the profile {name}"), &error))?;
        for routine in profile.promised.iter().chain(&profile.gone) {
            if !ROUTINES.contains(&routine.as_str()) {
                let near = nearest(routine, ROUTINES.iter().copied()).unwrap_or("malloc");
                let problem = format!("the profile {name} names a routine {routine}");
                let mend = format!("there is no such routine here; did you mean {near}?");
                return Err(InputError::new(problem, mend));
            }
        }
        Ok(Profile {
            name: name.to_owned(),
            ..profile
        })
    }

    /// Adds the deviations of the lists that it shares. `lists` are their
    /// names and texts.
    ///
    /// # Errors
    /// If there is no list of that name, or it has something else in it.
    pub fn with_shared(mut self, lists: &[(&str, &str)]) -> Result<Profile, InputError> {
        for name in &std::mem::take(&mut self.shares) {
            let Some((_, text)) = lists.iter().find(|(known, _)| known == name) else {
                let names: Vec<_> = lists.iter().map(|(name, _)| *name).collect();
                return Err(InputError::new(
                    format!(
                        "the profile {} shares a list {name} that is not there",
                        self.name
                    ),
                    format!("the lists are {}", names.join(", ")),
                ));
            };
            let list: Expected = toml::from_str(text)
                .map_err(|error| not_toml(&format!("the list {name}"), &error))?;
            self.known.extend(list.known);
        }
        Ok(self)
    }

    /// Whether it should export a routine.
    pub fn promises(&self, routine: &str) -> bool {
        self.promised.iter().any(|promised| promised == routine)
    }

    /// Whether it should no longer export a routine.
    pub fn has_no(&self, routine: &str) -> bool {
        self.gone.iter().any(|gone| gone == routine)
    }

    /// Reads a profile from a file; its name is the file's, without `.toml`.
    ///
    /// # Errors
    /// If the file cannot be read or is not a profile.
    pub fn read(path: &Path) -> Result<Profile, InputError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let profile = Profile::parse(&name, &read(path)?);
        profile.map_err(|error| {
            InputError::new(format!("{}: {}", path.display(), error.problem), error.mend)
        })
    }
}

/// Reads a file of known deviations.
///
/// # Errors
/// If the file cannot be read or has something else in it.
pub fn read_expected(path: &Path) -> Result<Vec<Known>, InputError> {
    let expected: Expected = toml::from_str(&read(path)?)
        .map_err(|error| not_toml(&path.display().to_string(), &error))?;
    Ok(expected.known)
}

fn read(path: &Path) -> Result<String, InputError> {
    std::fs::read_to_string(path).map_err(|error| {
        let name = path.display();
        InputError::new(format!("{name} cannot be read: {error}"), "check the path")
    })
}

fn not_toml(name: &str, error: &toml::de::Error) -> InputError {
    InputError::new(
        format!(
            "{name} cannot be understood: {}",
            error.to_string().trim_end()
        ),
        "docs/candidates.md shows what it may hold",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SOUND: &str = "title = 'A'\nlibrary = 'a.dll'\nsource = 'system'\nerrno = 'msvc'\n";

    #[test]
    fn a_profile_is_read() {
        let known = "[[known]]\nclause = 'c'\nmaker = 'wine'\nwhy = 'w'\n";
        let profile = Profile::parse("a", &format!("{SOUND}{known}")).unwrap();
        assert_eq!(profile.name, "a");
        let known = &profile.known[0];
        assert_eq!(known.verdict, "fail");
        assert!(known.applies("c", "any", Maker::Wine));
        assert!(!known.applies("c", "any", Maker::Microsoft));
        assert!(!known.applies("d", "any", Maker::Wine));
    }

    #[test]
    fn one_reason_may_stand_for_several_clauses_and_several_libraries() {
        let list = "[[known]]\nclause = ['d', 'e']\nverdict = 'crash'\nwhy = 'w'\n";
        let text = format!("{SOUND}shares = ['l']\n[[known]]\nclause = 'c'\nwhy = 'v'\n");
        let profile = Profile::parse("a", &text).unwrap();
        assert!(profile.clone().with_shared(&[]).is_err());
        let profile = profile.with_shared(&[("l", list)]).unwrap();
        let seen: Vec<_> = profile
            .known
            .iter()
            .map(|known| (&known.clause[..], &known.verdict[..]))
            .collect();
        assert_eq!(seen, [("c", "fail"), ("d", "crash"), ("e", "crash")]);
    }

    #[rstest]
    #[case::misspelt_key("titel = 'B'")]
    #[case::no_such_routine("gone = ['_heapst']")]
    #[case::wrong_value("format = 'coff'")]
    #[case::no_reason("[[known]]\nclause = 'c'")]
    #[case::not_toml("= = =")]
    fn a_wrong_profile_is_refused_with_its_place(#[case] line: &str) {
        let error = Profile::parse("a", &format!("{SOUND}{line}\n")).unwrap_err();
        assert!(error.problem.contains("the profile a"), "{error}");
    }
}
