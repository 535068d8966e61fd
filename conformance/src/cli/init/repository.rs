//! The repository around the current folder, and paths in it.

use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::{on_one_line, shown};
use std::path::{Component, Path, PathBuf};

/// The folder from which a CI system runs.
pub(super) struct Repository {
    /// The nearest folder with `.git`, or else the current folder.
    pub(super) root: PathBuf,
    /// Whether it is the current folder.
    pub(super) is_current: bool,
}

impl Repository {
    /// The repository of the current folder.
    ///
    /// # Errors
    /// If the current folder cannot be found.
    pub(super) fn here() -> Result<Repository, InputError> {
        let here = std::env::current_dir().and_then(|it| it.canonicalize());
        let here = here.map_err(|error| {
            let problem = format!("the current folder cannot be found: {error}");
            InputError::new(problem, "go to a folder that exists")
        })?;
        // In a submodule or a second work tree, `.git` is a file.
        let root = here.ancestors().find(|it| it.join(".git").exists());
        let root = root.unwrap_or(&here).to_owned();
        let is_current = root == here;
        Ok(Repository { root, is_current })
    }

    /// A path as seen from the root, with `/` between its parts. A path outside the repository
    /// stays absolute.
    ///
    /// # Errors
    /// If a workflow cannot have the name.
    pub(super) fn place_of(&self, path: &Path) -> Result<String, InputError> {
        let absolute = absolute(path);
        let place = match absolute.strip_prefix(&self.root) {
            Ok(inside) => slashes(inside),
            Err(_) => absolute
                .to_str()
                .map(|it| it.trim_start_matches(r"\\?\").to_owned()),
        };
        let is_fit = |it: &String| on_one_line(it) == **it && it.trim() == *it;
        place.filter(is_fit).ok_or_else(|| {
            InputError::new(
                format!(
                    "a workflow cannot have the name {}",
                    shown(path.as_os_str())
                ),
                "rename the file: UTF-8, no control characters, no space at its ends",
            )
        })
    }

    /// As [`Repository::place_of`], for a path that must be inside.
    ///
    /// # Errors
    /// If it is outside.
    pub(super) fn inside(&self, path: &Path) -> Result<String, InputError> {
        let absolute = absolute(path);
        // After a folder that does not exist, `..` is still there.
        let is_resolved = !absolute.components().any(|it| it == Component::ParentDir);
        if is_resolved && absolute.starts_with(&self.root) && absolute != self.root {
            return self.place_of(path);
        }
        let (path, root) = (shown(path.as_os_str()), shown(self.root.as_os_str()));
        Err(InputError::new(
            format!("{path} is not a file in the repository, {root}"),
            "name a file in it",
        ))
    }

    /// The command that usually builds such a repository; `None` if none is known.
    pub(super) fn build_command(&self) -> Option<&'static str> {
        const KNOWN: [(&str, &str); 7] = [
            ("CMakeLists.txt", "cmake -B build && cmake --build build"),
            ("meson.build", "meson setup build && meson compile -C build"),
            ("configure", "./configure && make"),
            ("Makefile", "make"),
            ("makefile", "make"),
            ("GNUmakefile", "make"),
            ("Cargo.toml", "cargo build --release"),
        ];
        let found = KNOWN
            .iter()
            .find(|(file, _)| self.root.join(file).is_file());
        found.map(|(_, command)| *command)
    }
}

/// The absolute path of a file. Links and `..` in its folder are resolved, so that it can be
/// compared with the root; a link that is the file itself keeps its name.
fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        // The path ends in `..`.
        return absolute.canonicalize().unwrap_or(absolute);
    };
    // The last folders may not exist yet.
    for existing in folder.ancestors() {
        if let (Ok(real), Ok(new)) = (existing.canonicalize(), folder.strip_prefix(existing)) {
            return real.join(new).join(name);
        }
    }
    absolute
}

fn slashes(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    match parts?.as_slice() {
        [] => Some(".".into()),
        parts => Some(parts.join("/")),
    }
}
