//! Profiles: what is known of a library beyond its file. A new library needs a profile,
//! not code.

use super::errno_names::Numbering;
use super::inspect::Format;
use super::routines::ROUTINES;
use crate::text::input_error::InputError;
use crate::text::needed_version;
use crate::text::suggest::nearest;
use crate::text::toml_file::{not_toml, read};
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Where the file of a profile's library is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// In the system's folder of libraries, of Windows or of Wine.
    System,
    /// Built with this program, from fixtures/adapters.
    Adapter,
    /// Built with this program, from reference/.
    Reference,
    /// In no fixed place: the user gives its path.
    Path,
}

/// What is known of a library.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// The name on the command line: the profile's file name without `.toml`.
    #[serde(skip)]
    pub name: String,
    /// What library this is, in one line.
    pub title: String,
    /// The library's file name. For the reference: the name without the prefix and ending
    /// that differ between systems.
    #[serde(rename = "library")]
    pub file_name: String,
    /// Where that file is found.
    pub source: Source,
    /// The library's format; by default the host's.
    pub format: Option<Format>,
    /// The numbering of its `errno`.
    pub errno: Numbering,
    /// The library that contains its `errno`, if another one does.
    pub errno_library: Option<String>,
    /// The library that has the heap routines which this one lacks: a path or a name.
    pub heap: Option<String>,
    /// Another name by which the loader must find the same heap.
    pub alias: Option<String>,
    /// The file that the loader loads, if `library` is a name and not a file.
    pub stands_for: Option<String>,
    /// The side-by-side assembly to which it belongs. The loader then finds it only
    /// through a manifest that names the assembly.
    pub assembly: Option<String>,
    /// Another library that this one needs.
    #[serde(default, deserialize_with = "other_library")]
    pub needs: Option<Needs>,
    /// Environment variables that its probe needs.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Whether it can take the place of the system's heap in a process (`LD_PRELOAD`).
    #[serde(default)]
    pub stands_in: bool,
    /// Why the file may be missing, and where to get it.
    pub if_absent: Option<String>,
    /// What a file of this name is that exports nothing, and what to check instead.
    pub if_empty: Option<String>,
    /// The routines that it has under another name: that name, by the routine's name.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// The routines that it should export.
    #[serde(default)]
    pub promised: Vec<String>,
    /// The routines that it should no longer export.
    #[serde(default)]
    pub gone: Vec<String>,
    /// Names of the lists of known deviations that it shares with other libraries.
    #[serde(default)]
    pub shares: Vec<String>,
    /// Known deviations. The conformance package reads them from the text.
    #[serde(default, rename = "known")]
    _known: IgnoredAny,
    /// The file's name, for messages.
    #[serde(skip)]
    pub file: String,
    /// The whole text.
    #[serde(skip)]
    pub text: String,
}

/// Another library that must be installed.
#[derive(Clone, Debug)]
pub struct Needs {
    /// The file name by which the loader finds it.
    pub file: String,
    /// How to get it.
    pub install: String,
}

/// Reads the key `needs`: the version of this program that can read the profile, which
/// [`needed_version`] checks, or a table that may also name another library.
fn other_library<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Needs>, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        #[serde(rename = "heapmin")]
        version: Option<String>,
        file: Option<String>,
        install: Option<String>,
    }
    struct VersionOrTable;
    impl<'de> Visitor<'de> for VersionOrTable {
        type Value = Option<Needs>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str("a version of heapmin, or a table with `file` and `install`")
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<Option<Needs>, E> {
            Ok(None)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<Needs>, A::Error> {
            let map = serde::de::value::MapAccessDeserializer::new(map);
            let table = Table::deserialize(map)?;
            match (table.file, table.install) {
                (Some(file), Some(install)) => Ok(Some(Needs { file, install })),
                (None, None) if table.version.is_some() => Ok(None),
                _ => Err(A::Error::custom(
                    "`needs` must have both `file` and `install`",
                )),
            }
        }
    }
    deserializer.deserialize_any(VersionOrTable)
}

impl Profile {
    /// Reads a profile.
    ///
    /// ```
    /// use heapmin_harness::library::errno_names::Numbering;
    /// use heapmin_harness::library::profile::Profile;
    ///
    /// let text = "title = 'My runtime'\nlibrary = 'libmycrt.so'\nsource = 'path'\nerrno = 'host'\n";
    /// let profile = Profile::parse("mycrt", text)?;
    /// assert_eq!(profile.errno, Numbering::Host);
    ///
    /// assert!(Profile::parse("mycrt", "titel = 'My runtime'\n").is_err());
    /// # Ok::<(), heapmin_harness::text::input_error::InputError>(())
    /// ```
    ///
    /// # Errors
    /// If the text is not a profile; the message has the line.
    pub fn parse(name: &str, text: &str) -> Result<Profile, InputError> {
        Profile::parse_file(name, &format!("fixtures/profiles/{name}.toml"), text)
    }

    fn parse_file(name: &str, file: &str, text: &str) -> Result<Profile, InputError> {
        let profile: Profile = toml::from_str(text)
            .map_err(|error| not_toml(&format!("the profile {name}"), &error))?;
        let named = profile.promised.iter().chain(&profile.gone);
        for routine in named.chain(profile.names.keys()) {
            if !ROUTINES.contains(&routine.as_str()) {
                let near = nearest(routine, ROUTINES.iter().copied()).unwrap_or("malloc");
                let problem = format!("the profile {name} names a routine {routine}");
                let mend = format!("no known routine has this name; did you mean {near}?");
                return Err(InputError::new(problem, mend));
            }
        }
        Ok(Profile {
            name: name.to_owned(),
            file: file.to_owned(),
            text: text.to_owned(),
            ..profile
        })
    }

    /// Whether the library should export this routine.
    pub fn promises(&self, routine: &str) -> bool {
        self.promised.iter().any(|promised| promised == routine)
    }

    /// Whether the library should no longer export this routine.
    pub fn has_no(&self, routine: &str) -> bool {
        self.gone.iter().any(|gone| gone == routine)
    }

    /// Reads a profile from a file. The profile's name is the file name without `.toml`.
    ///
    /// # Errors
    /// If the file cannot be read or is not a profile.
    pub fn read(path: &Path) -> Result<Profile, InputError> {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let file = path.display().to_string();
        let text = read(path)?;
        needed_version::check(&file, &text)?;
        let profile = Profile::parse_file(&name, &file, &text);
        profile.map_err(|error| {
            InputError::new(format!("{}: {}", path.display(), error.problem), error.mend)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::io::Write;

    const SOUND: &str = "title = 'A'\nlibrary = 'a.dll'\nsource = 'system'\nerrno = 'msvc'\n";

    #[test]
    fn a_profile_is_named_after_its_file_and_keeps_its_text() {
        let text = format!("{SOUND}[[known]]\nclause = 'c'\nwhy = 'w'\n");
        let profile = Profile::parse("a", &text).unwrap();
        assert_eq!(profile.name, "a");
        assert_eq!(profile.file, "fixtures/profiles/a.toml");
        assert_eq!(profile.text, text);
    }

    #[rstest]
    #[case::version("needs = '0.1'", None)]
    #[case::library("needs = { file = 'l.so', install = 'i' }", Some("l.so"))]
    #[case::both("[needs]\nheapmin = '0.1'\nfile = 'l.so'\ninstall = 'i'", Some("l.so"))]
    #[case::version_in_a_table("needs = { heapmin = '0.1' }", None)]
    fn a_profile_may_need_a_version_and_another_library(
        #[case] needs: &str,
        #[case] library: Option<&str>,
    ) {
        let profile = Profile::parse("a", &format!("{SOUND}{needs}\n")).unwrap();
        assert_eq!(profile.needs.map(|it| it.file).as_deref(), library);
    }

    #[test]
    fn a_profile_for_a_newer_program_is_refused_by_its_version() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{SOUND}new = 1\nneeds = '99.1'\n").unwrap();
        let error = Profile::read(file.path()).unwrap_err();
        let place = format!("{}:6: the file needs heapmin 99.1", file.path().display());
        assert!(error.problem.starts_with(&place), "{error}");
    }

    #[rstest]
    #[case::half_of_a_library("needs = { file = 'l.so' }")]
    #[case::empty_needs("needs = {}")]
    #[case::misspelt_needs("needs = { fiel = 'l.so', install = 'i' }")]
    #[case::misspelt_key("titel = 'B'")]
    #[case::no_such_routine("gone = ['_heapst']")]
    #[case::other_name_of_no_routine("names = { _recaloc = 'mi_recalloc' }")]
    #[case::wrong_value("format = 'coff'")]
    #[case::not_toml("= = =")]
    fn a_wrong_profile_is_refused_by_name(#[case] line: &str) {
        let error = Profile::parse("a", &format!("{SOUND}{line}\n")).unwrap_err();
        assert!(error.problem.contains("the profile a"), "{error}");
    }
    // The test of `known` has the same cases. None may overflow the stack or take time
    // that grows with the square of the file's size.
    #[rstest]
    #[case::dotted(format!("a{} = 1", ".a".repeat(500_000)))]
    #[case::brackets("a = ".to_owned() + &"[".repeat(500_000))]
    #[case::braces("a = ".to_owned() + &"{a=".repeat(300_000))]
    #[case::heads(format!("[{}a]", "a.".repeat(500_000)))]
    #[case::list(format!("[[known]]\nwhy = 'w'\nclause = [{}]", "'c',\n".repeat(200_000)))]
    fn a_huge_file_is_refused_as_a_profile(#[case] text: String) {
        assert!(Profile::parse("p", &text).is_err());
    }
}
