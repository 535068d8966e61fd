//! A short name for each library.

use crate::record::{Library, Run};

/// The name of each library's file with its version, or the name that the user gave if two
/// would be the same.
pub(super) fn titles(run: &Run) -> Vec<String> {
    let short: Vec<_> = run.candidates.iter().map(title).collect();
    let is_ambiguous = |title: &String| short.iter().filter(|it| *it == title).count() > 1;
    let libraries = run.candidates.iter().zip(&short);
    libraries
        .map(|(library, title)| match is_ambiguous(title) {
            true => library.name.clone(),
            false => title.clone(),
        })
        .collect()
}

fn title(library: &Library) -> String {
    let file = library.name.rsplit(['/', '\\']).next();
    let name = file.filter(|it| !it.is_empty()).unwrap_or(&library.name);
    match &library.version {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}
