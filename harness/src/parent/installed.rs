//! The files that belong to this program: the same program for other targets, the reference
//! and the adapters.
//!
//! They are searched for in the folder that `HEAPMIN_DATA` names, in the folder of the
//! program, and in `../lib/heapmin` from there; in each, in a folder with the name of the
//! target. What the program itself contains is written to the user's cache.

use super::target::Target;
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The environment variable with the folder of these files.
pub const DATA_VARIABLE: &str = "HEAPMIN_DATA";

/// A file that this program contains.
#[derive(Clone, Copy, Debug)]
pub struct Embedded {
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// Finds the files that belong to this program.
#[derive(Debug)]
pub struct Installed {
    program: PathBuf,
    embedded: Vec<Embedded>,
}

impl Installed {
    /// The files of the program with this path, which contains some of them.
    pub fn new(program: PathBuf, embedded: Vec<Embedded>) -> Installed {
        Installed { program, embedded }
    }

    /// The path of this program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The places where this program is searched for, built for the target.
    pub fn places_of_program(&self, target: &Target) -> Vec<PathBuf> {
        if target.is_native() {
            return vec![self.program.clone()];
        }
        let name = target.program();
        let folders = self.folders(target).into_iter();
        folders.map(|folder| folder.join(name)).collect()
    }

    /// The path of a library of this program, built for the target: the reference, or an
    /// adapter. The error has the places where it was searched for.
    ///
    /// # Errors
    /// If it is not found, or if the user's cache cannot be written.
    pub fn shared_library(&self, target: &Target, stem: &str) -> Result<PathBuf, Missing> {
        let name = target.shared_library(stem);
        let data = data_folder(target).map(|folder| folder.join(&name));
        if let Some(found) = data.filter(|path| path.is_file()) {
            return Ok(found);
        }
        let is_it = |file: &&Embedded| target.is_native() && file.name == name;
        if let Some(file) = self.embedded.iter().find(is_it) {
            return unpack(file).map_err(Missing::Cache);
        }
        let places: Vec<_> = self
            .folders(target)
            .iter()
            .map(|it| it.join(&name))
            .collect();
        match places.iter().find(|path| path.is_file()) {
            Some(found) => Ok(found.clone()),
            None => Err(Missing::Places(places)),
        }
    }

    /// The folders in which files for the target are searched for, in this order.
    fn folders(&self, target: &Target) -> Vec<PathBuf> {
        let here = self.program.parent().unwrap_or(Path::new("."));
        let name = target.to_string();
        let mut folders: Vec<_> = data_folder(target).into_iter().collect();
        folders.push(here.join(&name));
        // Two programs of one name cannot be in one folder: there it is the usual one.
        if target.is_native() || target.is_windows() && target.arch == std::env::consts::ARCH {
            folders.push(here.to_owned());
        }
        folders.push(here.join("../lib/heapmin").join(&name));
        folders.extend(build_folders(here, target));
        folders
    }
}

/// Why a library of this program is not there.
#[derive(Debug)]
pub enum Missing {
    /// It is in none of these places.
    Places(Vec<PathBuf>),
    /// This program contains it, and cannot write it.
    Cache(InputError),
}

/// The target's folder in the folder that the user names.
fn data_folder(target: &Target) -> Option<PathBuf> {
    let data = std::env::var_os(DATA_VARIABLE).filter(|data| !data.is_empty())?;
    Some(PathBuf::from(data).join(target.to_string()))
}

/// Where Cargo puts what it builds for a target, if this program is in the folder of a
/// Cargo profile: `target/release` or `target/TRIPLE/release`.
fn build_folders(here: &Path, target: &Target) -> Vec<PathBuf> {
    let profile = here.file_name().unwrap_or_default();
    let Some(parent) = here.parent() else {
        return Vec::new();
    };
    let is_triple = |folder: &Path| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        Target::others()
            .into_iter()
            .chain([Target::native()])
            .any(|target| target.triples().iter().any(|triple| *triple == name))
    };
    let root = match parent.parent() {
        Some(root) if is_triple(parent) => root,
        _ => parent,
    };
    let mut folders = Vec::new();
    for profile in [profile, "release".as_ref(), "debug".as_ref()] {
        for triple in target.triples() {
            folders.push(root.join(triple).join(profile));
        }
    }
    folders.dedup();
    folders
}

/// Writes a file that this program contains to the user's cache, unless it is there.
///
/// # Errors
/// If it cannot be written.
fn unpack(file: &Embedded) -> Result<PathBuf, InputError> {
    let mut hash = DefaultHasher::new();
    file.bytes.hash(&mut hash);
    let folder = cache().join(format!("heapmin/{:016x}", hash.finish()));
    let path = folder.join(file.name);
    let is_there = std::fs::read(&path).is_ok_and(|bytes| bytes == file.bytes);
    if is_there {
        return Ok(path);
    }
    let write = || -> std::io::Result<()> {
        std::fs::create_dir_all(&folder)?;
        // Another process may write it at the same time, or have loaded an older one.
        let mut new = tempfile::NamedTempFile::new_in(&folder)?;
        new.write_all(file.bytes)?;
        new.persist(&path)?;
        Ok(())
    };
    write().map_err(|error| {
        InputError::new(
            format!("{} cannot be written: {error}", shown(path.as_os_str())),
            "set XDG_CACHE_HOME (Windows: LOCALAPPDATA) to a folder that can be written",
        )
    })?;
    Ok(path)
}

/// The folder for files that a program can make again.
fn cache() -> PathBuf {
    let named = |variable: &str| {
        let folder = std::env::var_os(variable).map(PathBuf::from);
        folder.filter(|folder| folder.is_absolute())
    };
    let of_user = match cfg!(windows) {
        true => named("LOCALAPPDATA"),
        false => named("XDG_CACHE_HOME").or_else(|| Some(std::env::home_dir()?.join(".cache"))),
    };
    of_user.unwrap_or_else(std::env::temp_dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::inspect::Format;

    fn installed(program: &str) -> Installed {
        Installed::new(program.into(), Vec::new())
    }

    #[test]
    fn a_program_in_bin_has_its_files_beside_it_and_in_lib() {
        let target = Target::new(Format::Pe, "x86");
        let places = installed("/usr/bin/heapmin").places_of_program(&target);
        let place = |path: &str| places.iter().position(|it| it == Path::new(path));
        let beside = place("/usr/bin/windows-x86/heapmin.exe");
        let lib = place("/usr/bin/../lib/heapmin/windows-x86/heapmin.exe");
        assert!(beside.is_some() && beside < lib, "{places:?}");
        // That would be the program for the usual processor.
        assert_eq!(place("/usr/bin/heapmin.exe"), None);
    }

    #[test]
    fn a_built_program_finds_the_builds_for_other_targets() {
        let target = Target::new(Format::Pe, "x86");
        let built = Path::new("/t/i686-win7-windows-gnu/release/heapmin.exe");
        for program in [
            "/t/release/heapmin",
            "/t/aarch64-unknown-linux-gnu/release/heapmin",
        ] {
            let places = installed(program).places_of_program(&target);
            assert!(places.iter().any(|it| it == built), "{places:?}");
        }
    }

    #[test]
    fn the_own_program_is_this_one() {
        let own = installed("/bin/h").places_of_program(&Target::native());
        assert_eq!(own, [Path::new("/bin/h")]);
    }
}
