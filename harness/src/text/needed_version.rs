//! The key `needs` of a TOML file: the first version of this program that understands the
//! file.

use super::input_error::InputError;
use super::version::Version;
use serde::Deserialize;
use toml::{Spanned, Value};

/// The version of this program.
const OWN: &str = env!("CARGO_PKG_VERSION");

/// Checks that this program is new enough for a file. It is called before the file is read
/// otherwise, because an older program does not know the keys of a newer file. `name` is the
/// file's.
///
/// # Errors
/// If the file needs a newer version, or its `needs` is not a version.
pub fn check(name: &str, text: &str) -> Result<(), InputError> {
    #[derive(Deserialize)]
    struct Head {
        needs: Option<Spanned<Value>>,
    }
    // What else may be wrong with the text is found when it is read.
    let Ok(Head { needs: Some(needs) }) = toml::from_str(text) else {
        return Ok(());
    };
    let line = 1 + text[..needs.span().start].matches('\n').count();
    let needed = match needs.get_ref() {
        Value::String(version) => version,
        // In a profile, `needs` is also the table of another library.
        Value::Table(table) => match table.get("heapmin") {
            Some(Value::String(version)) => version,
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    match Version::parse(needed) {
        Some(version) if Some(&version) <= Version::parse(OWN).as_ref() => Ok(()),
        Some(version) => Err(InputError::new(
            format!("{name}:{line}: the file needs heapmin {version} or later, this is {OWN}"),
            format!("install heapmin {version} or later"),
        )),
        None => Err(InputError::new(
            format!("{name}:{line}: {needed:?} in `needs` is not a version"),
            format!("write numbers with dots between them, as in {OWN:?}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::no_needs("title = 'A'\n", Ok(()))]
    #[case::this_version(&format!("needs = {OWN:?}\n"), Ok(()))]
    #[case::older_version("needs = '0.0.1'\n", Ok(()))]
    #[case::newer_version(
        "# A comment.\nneeds = '99.1'\n",
        Err("f.toml:2: the file needs heapmin 99.1 or later, this is ")
    )]
    #[case::with_unknown_keys(
        "[[known]]\nclauses = 7\n[new]\n[needs]\nheapmin = '99.1'\n",
        Err("f.toml:4: the file needs heapmin 99.1 or later, this is ")
    )]
    #[case::no_version(
        "needs = 'new'\n",
        Err("f.toml:1: \"new\" in `needs` is not a version")
    )]
    #[case::other_library("[needs]\nfile = 'a.so'\n", Ok(()))]
    #[case::not_toml("needs = '99.1'\n= =\n", Ok(()))]
    fn a_file_that_needs_a_newer_program_is_refused(
        #[case] text: &str,
        #[case] wanted: Result<(), &str>,
    ) {
        let seen = check("f.toml", text).map_err(|error| error.problem);
        match wanted {
            Ok(()) => assert_eq!(seen, Ok(())),
            Err(start) => assert!(
                seen.clone().is_err_and(|it| it.starts_with(start)),
                "{seen:?}"
            ),
        }
    }
}
