//! Finds the name that the user probably meant.

use super::printable::shown;
use std::path::Path;

/// The name that is most similar to `wrong`, in any letter case; `None` if no name is similar.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        // The usual likeness of short names with two letters exchanged is low.
        match strsim::osa_distance(&wrong, &name) {
            1 => 0.99,
            _ => strsim::jaro_winkler(&wrong, &name),
        }
    };
    names
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What to do about a path that does not exist: the file or folder in the same folder whose
/// name is similar, or else `otherwise`.
pub fn path_or(wrong: &Path, otherwise: &str) -> String {
    match nearest_path(wrong) {
        Some(near) => format!("did you mean {near}?"),
        None => otherwise.to_owned(),
    }
}

fn nearest_path(wrong: &Path) -> Option<String> {
    if wrong.exists() {
        return None;
    }
    let name = wrong.file_name()?.to_str()?;
    let names = names_beside(wrong);
    let near = nearest(name, names.iter().map(String::as_str))?;
    Some(shown(wrong.with_file_name(near).as_os_str()))
}

/// The names in the folder of a path.
pub(crate) fn names_beside(path: &Path) -> Vec<String> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string());
    names.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::misspelt("libmien.so", "did you mean FOLDER/libmine.so?")]
    #[case::without_its_ending("libmine", "did you mean FOLDER/libmine.so?")]
    #[case::it_exists("libmine.so", "check it")]
    #[case::other("zzz", "check it")]
    #[case::no_folder("no/such.so", "check it")]
    fn a_path_that_does_not_exist_gets_the_nearest_name_of_its_folder(
        #[case] wrong: &str,
        #[case] mend: &str,
    ) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libmine.so"), "").unwrap();
        std::fs::write(folder.path().join("README"), "").unwrap();
        let path = folder.path().join(wrong);
        let place = folder.path().to_str().unwrap();
        assert_eq!(path_or(&path, "check it").replace(place, "FOLDER"), mend);
    }

    #[rstest]
    #[case("ucrtbsae", Some("ucrtbase"))]
    #[case("msvcr12", Some("msvcr120"))]
    #[case::short("crt", Some("ctr"))]
    #[case::letter_case("UCRTBASE", Some("ucrtbase"))]
    #[case("zzz", None)]
    fn the_nearest_name_is_suggested(#[case] wrong: &str, #[case] name: Option<&str>) {
        assert_eq!(
            nearest(wrong, ["msvcrt", "msvcr120", "ucrtbase", "ctr"]),
            name
        );
    }
}
