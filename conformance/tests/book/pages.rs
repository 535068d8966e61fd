//! The pages of the book.

use std::path::{Path, PathBuf};

/// The folder of the book.
pub(crate) fn book() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Every Markdown file of the book, in the order of their paths.
pub(crate) fn all() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    below(&book(), &mut pages);
    pages.sort();
    pages
}

fn below(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            below(&path, into);
        } else if path.extension().is_some_and(|it| it == "md") {
            into.push(path);
        }
    }
}

pub(crate) fn read(page: &Path) -> String {
    std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

#[cfg(target_os = "linux")]
/// Returns the path from the root of the repository, for messages.
pub(crate) fn name(page: &Path) -> String {
    let inside = page.strip_prefix(book()).expect("a page of the book");
    format!("docs/{}", inside.display())
}
