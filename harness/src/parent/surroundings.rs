//! What a candidate needs beside its own file: the library of its heap, folders in which
//! the loader searches, and environment variables.

use super::candidate::{Candidate, Heap};
use super::catalogue::{Catalogue, looks_like_a_path};
use super::runner::Runner;
use crate::library::inspect::{Format, inspect};
use crate::library::profile::Source;
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use crate::text::suggest::path_or;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// What the user gives for every candidate of a run.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The library of the heap: a path, the name of a profile, or a name for the loader.
    pub heap: Option<OsString>,
    /// Folders in which the loader searches for libraries that a candidate needs.
    pub search_folders: Vec<PathBuf>,
    /// Environment variables for the probe.
    pub environment: Vec<(String, String)>,
}

impl Surroundings {
    /// The candidate with these surroundings. The heap of its profile is used unless the
    /// user named another one.
    ///
    /// # Errors
    /// If a folder does not exist, or if the library of the heap is unsuitable.
    pub fn of(&self, candidate: Candidate, catalogue: &Catalogue) -> Result<Candidate, InputError> {
        let profile = candidate.profile.as_ref();
        let of_profile = profile.and_then(|profile| profile.heap.as_ref());
        let heap = self.heap.clone().or_else(|| of_profile.map(Into::into));
        let heap = heap.map(|name| heap_of(&name, &candidate, catalogue));
        let mut environment = candidate.environment.clone();
        let of_profile = profile.iter().flat_map(|profile| &profile.environment);
        for (name, value) in of_profile {
            if !environment.iter().any(|(known, _)| known == name) {
                environment.push((name.clone(), value.clone()));
            }
        }
        environment.extend(self.environment.iter().cloned());
        if let Some(path) = self.search_path(&candidate.runner, &environment)? {
            environment.retain(|(name, _)| *name != path.0);
            environment.push(path);
        }
        Ok(Candidate {
            heap: heap.transpose()?,
            environment,
            search_folders: self.search_folders.clone(),
            ..candidate
        })
    }

    /// The variable that names the folders in which the loader searches, with these
    /// folders before those that it already has.
    fn search_path(
        &self,
        runner: &Runner,
        environment: &[(String, String)],
    ) -> Result<Option<(String, String)>, InputError> {
        if self.search_folders.is_empty() {
            return Ok(None);
        }
        let (variable, separator) = match runner.target.format {
            _ if runner.is_wine() => ("WINEPATH", ";"),
            Format::Pe => ("PATH", ";"),
            Format::Macho => ("DYLD_LIBRARY_PATH", ":"),
            Format::Elf => ("LD_LIBRARY_PATH", ":"),
        };
        let mut folders = Vec::new();
        for folder in &self.search_folders {
            let name = shown(folder.as_os_str());
            if !folder.is_dir() {
                let problem = format!("--library-path {name}: no such folder");
                return Err(InputError::new(problem, path_or(folder, "check the path")));
            }
            let absolute = std::path::absolute(folder).map_err(|error| {
                let problem = format!("--library-path {name}: {error}");
                InputError::new(problem, "check the path")
            })?;
            let folder = runner.path_for_loader(&absolute)?.into_string();
            let folder = folder.ok().filter(|folder| !folder.contains(separator));
            folders.push(folder.ok_or_else(|| {
                let problem = format!(
                    "--library-path {name}: the name is not UTF-8, or has a {separator:?}, at which {variable} is split"
                );
                InputError::new(problem, "rename the folder")
            })?);
        }
        let given = environment.iter().rev().find(|(name, _)| name == variable);
        let before = given.map(|(_, value)| value.clone());
        let before = before.or_else(|| std::env::var(variable).ok());
        // An empty name in the variable would mean the current folder.
        folders.extend(before.filter(|before| !before.is_empty()));
        Ok(Some((variable.to_owned(), folders.join(separator))))
    }
}

/// The library that has a candidate's heap.
fn heap_of(name: &OsStr, candidate: &Candidate, catalogue: &Catalogue) -> Result<Heap, InputError> {
    let shown_name = shown(name);
    let text = name.to_str();
    let profile = catalogue.profiles.iter().find(|it| text == Some(&it.name));
    let load_name = match profile {
        Some(profile) if profile.source == Source::System => profile.file_name.clone().into(),
        _ if text.is_none_or(looks_like_a_path) => {
            let path = std::path::absolute(name).map_err(|error| {
                let problem = format!("--heap {shown_name}: {error}");
                InputError::new(problem, "name a library file")
            })?;
            let image = match path.is_file() {
                true => Some(inspect(&path)?),
                // The loader finds some libraries by their file name alone.
                false if path.file_name() == Some(name) => None,
                false => {
                    let problem = format!("--heap {shown_name}: no such file");
                    return Err(InputError::new(problem, path_or(&path, "check the path")));
                }
            };
            let Some(image) = image else {
                return Ok(by_loader_name(name));
            };
            let (own, other) = (&candidate.image, &image);
            if (own.format, &own.arch) != (other.format, &other.arch) {
                let kind = |format: Format, arch: &str| format!("{format} {arch}");
                return Err(InputError::new(
                    format!(
                        "--heap {shown_name} is {}, and {} is {}",
                        kind(other.format, &other.arch),
                        candidate.name,
                        kind(own.format, &own.arch)
                    ),
                    "name a library that one process can load with the candidate",
                ));
            }
            return Ok(Heap {
                name: shown_name,
                load_name: candidate.runner.path_for_loader(&path)?,
                exports: Some(image.exports),
            });
        }
        _ => name.to_owned(),
    };
    Ok(by_loader_name(&load_name))
}

/// A heap that the loader finds by name. The trial shows what it exports.
fn by_loader_name(name: &OsStr) -> Heap {
    Heap {
        name: shown(name),
        load_name: name.to_owned(),
        exports: None,
    }
}
