//! Turns an argument of the user's into a candidate: finds its file, inspects it and
//! finds a runner.

use super::candidate::{Candidate, Loading};
use super::runners::Runners;
use super::stage::Stage;
use crate::library::identity::Identity;
use crate::library::inspect::{Format, Library, inspect};
use crate::library::profile::{Profile, Source};
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use crate::text::suggest::nearest;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The profiles and files that an argument can name.
pub struct Catalogue {
    /// The profiles that this program contains.
    pub profiles: Vec<Profile>,
    /// The adapters that were built with this program: library name and path.
    pub adapters: Vec<(String, PathBuf)>,
}

impl Catalogue {
    /// The profile with this name, or in this file if the name ends in `.toml`.
    ///
    /// # Errors
    /// If no profile has the name. The message suggests the nearest name.
    pub fn profile(&self, name: &str) -> Result<Profile, InputError> {
        if name.ends_with(".toml") {
            return Profile::read(Path::new(name));
        }
        if let Some(profile) = self.profiles.iter().find(|profile| profile.name == name) {
            return Ok(profile.clone());
        }
        let names = || self.profiles.iter().map(|profile| profile.name.as_str());
        let mend = match nearest(name, names()) {
            Some(near) => format!("did you mean {near}?"),
            None => "`heapmin list --candidates` shows the known names".into(),
        };
        Err(InputError::new(
            format!("no profile is called {name}"),
            mend,
        ))
    }

    /// Turns an argument into a candidate. The argument is the name of a profile or
    /// the path of a file. If `name` is both, it means the profile; `./name` means the
    /// file. `profile`, if given, replaces what is known of the library; it does not
    /// change which file that is.
    ///
    /// # Errors
    /// If it is neither, the file is not a library, the library has no heap, or no
    /// runner on this machine can load it.
    pub fn candidate(
        &self,
        argument: impl AsRef<OsStr>,
        profile: Option<&Profile>,
        runners: &Runners,
    ) -> Result<Candidate, InputError> {
        let argument = argument.as_ref();
        // Names of profiles are UTF-8, so any other argument is a path.
        let Some(argument) = argument.to_str() else {
            return self.by_path(argument, profile, runners);
        };
        let is_known = self.profiles.iter().any(|profile| profile.name == argument);
        let is_path = !is_known && looks_like_a_path(argument);
        let named = match (is_path, profile) {
            (true, _) => None,
            (false, Some(_)) if self.profile(argument).is_err() => None,
            (false, _) => Some(self.profile(argument).map_err(|error| {
                let problem = format!("{argument} is not a file, and {}", error.problem);
                InputError::new(problem, error.mend)
            })?),
        };
        match named {
            Some(named) => {
                let candidate = self.by_name(argument, named, runners)?;
                Ok(match profile {
                    Some(profile) => candidate.judged_by(profile.clone()),
                    None => candidate,
                })
            }
            None => self.by_path(argument.as_ref(), profile, runners),
        }
    }

    fn by_path(
        &self,
        argument: &OsStr,
        profile: Option<&Profile>,
        runners: &Runners,
    ) -> Result<Candidate, InputError> {
        let path = std::path::absolute(argument).map_err(|error| {
            let problem = format!("{}: {error}", shown(argument));
            InputError::new(problem, "name a library file")
        })?;
        let (library, identity) = inspect_with_identity(&path)?;
        let profile = profile.cloned().or_else(|| {
            let file_name = path.file_name()?.to_string_lossy().to_lowercase();
            let fits =
                |profile: &&Profile| profile.file_name == file_name && profile.stands_for.is_none();
            self.profiles.iter().find(fits).cloned()
        });
        check_architecture(&path, &library)?;
        check_exports(&path, &library, profile.as_ref())?;
        let runner = runners.for_library(&path, &library)?;
        let system_libraries = runners.folder_of_system_libraries(library.format);
        let stage = Stage::new(&path, &library, &runner)?;
        let (load_name, environment, runner) = match &stage {
            Some(stage) => (
                runner.path_for_loader(&stage.staged_path())?,
                stage.environment(&path, &runner),
                stage.runner(&runner),
            ),
            None => (runner.path_for_loader(&path)?, Vec::new(), runner),
        };
        Ok(Candidate {
            name: shown(argument),
            path,
            identity,
            image: library,
            stands_in: profile.as_ref().is_some_and(|profile| profile.stands_in),
            profile,
            load_name,
            runner,
            environment,
            stage,
            heap: None,
            search_folders: Vec::new(),
            system_libraries,
            loading: Loading::NotTried,
        })
    }

    fn by_name(
        &self,
        argument: &str,
        profile: Profile,
        runners: &Runners,
    ) -> Result<Candidate, InputError> {
        let path = self.locate(&profile, runners)?;
        let (library, identity) = inspect_with_identity(&path)?;
        check_architecture(&path, &library)?;
        check_exports(&path, &library, Some(&profile))?;
        let runner = runners.for_library(&path, &library)?;
        let system_libraries = runners.folder_of_system_libraries(library.format);
        let environment: Vec<_> = profile.environment.clone().into_iter().collect();
        if let Some(needs) = &profile.needs {
            runners
                .check_loadable(&runner, &needs.file, &environment)
                .map_err(|reason| {
                    let problem = format!("{argument}: {} cannot be loaded ({reason})", needs.file);
                    InputError::new(problem, format!("install it: {}", needs.install))
                })?;
        }
        let load_name = match profile.source {
            // By name, as a program loads it.
            Source::System => profile.file_name.clone().into(),
            _ => runner.path_for_loader(&path)?,
        };
        Ok(Candidate {
            name: argument.to_owned(),
            path,
            identity,
            image: library,
            stands_in: profile.stands_in,
            profile: Some(profile),
            load_name,
            runner,
            environment,
            stage: None,
            heap: None,
            search_folders: Vec::new(),
            system_libraries,
            loading: Loading::NotTried,
        })
    }

    /// Finds the file of a profile.
    fn locate(&self, profile: &Profile, runners: &Runners) -> Result<PathBuf, InputError> {
        let name = &profile.name;
        let file = profile.stands_for.as_ref().unwrap_or(&profile.file_name);
        let (places, mend): (Vec<PathBuf>, _) = match profile.source {
            Source::Path => {
                let problem = format!("the profile {name} does not say where its file is");
                let mend = format!("give the path: `heapmin check path/to/{file}`");
                return Err(InputError::new(problem, mend));
            }
            Source::System => {
                let folder = runners.system_libraries(name, profile.format)?;
                let mend = format!("give its path: `heapmin check path/to/{file}`");
                (vec![folder.join(file)], mend)
            }
            Source::Adapter => {
                let named = self.adapters.iter().filter(|(library, _)| library == file);
                let mend = "build heapmin on Linux with a C compiler, from its repository";
                (named.map(|(_, path)| path.clone()).collect(), mend.into())
            }
            Source::Reference => {
                let folders = runners.reference_folders(name, profile.format)?;
                let file = library_file_name(file, profile.format.unwrap_or(Format::native()));
                let places = folders.iter().map(|folder| folder.join(&file));
                (places.collect(), "build it: `cargo build --release`".into())
            }
        };
        if let Some(found) = places.iter().find(|path| path.is_file()) {
            return Ok(found.clone());
        }
        let looked: Vec<_> = places
            .iter()
            .map(|path| format!("no {}", shown(path.as_os_str())))
            .collect();
        let why = profile.if_absent.as_deref().map(|why| format!(" ({why})"));
        let problem = format!(
            "{name}: {file} was not found: there is {}{}",
            looked.join(" and "),
            why.unwrap_or_default()
        );
        Err(InputError::new(problem, mend))
    }
}

fn check_architecture(path: &Path, library: &Library) -> Result<(), InputError> {
    let (name, theirs, ours) = (
        shown(path.as_os_str()),
        &library.arch,
        std::env::consts::ARCH,
    );
    if theirs == ours {
        return Ok(());
    }
    Err(InputError::new(
        format!("{name} is for {theirs}, and this heapmin for {ours}"),
        format!("name a library for {ours}, or use a heapmin built for {theirs}"),
    ))
}

/// Checks that the library is a CRT heap: some export has `heapmin` in its name. A
/// library that exports `_heapmin` under a decorated name is one, and is judged.
/// So is one whose profile gives another name for `_heapmin`.
fn check_exports(
    path: &Path,
    library: &Library,
    profile: Option<&Profile>,
) -> Result<(), InputError> {
    let is_named = profile.is_some_and(|profile| profile.names.contains_key("_heapmin"));
    if is_named || library.exports.iter().any(|name| name.contains("heapmin")) {
        return Ok(());
    }
    let name = shown(path.as_os_str());
    if library.exports.is_empty() {
        return Err(InputError::new(
            format!("{name} exports nothing"),
            "export _heapmin and the other heap routines from the library",
        ));
    }
    let mend =
        if library.format == Format::Elf && library.exports.iter().any(|name| name == "malloc") {
            "export it too, or write an adapter for the allocator (docs/guide/candidates.md)"
        } else {
            "name a C runtime library, or export the routine undecorated"
        };
    Err(InputError::new(
        format!("{name} does not export _heapmin"),
        mend,
    ))
}

/// Inspects a file. The identity is that of the file before it was read: a change
/// during the inspection is then noticed later.
fn inspect_with_identity(path: &Path) -> Result<(Library, Identity), InputError> {
    let identity = Identity::of(path);
    let library = inspect(path)?;
    let identity = identity.map_err(|error| {
        let problem = format!("{}: {error}", shown(path.as_os_str()));
        InputError::new(problem, "check the path")
    })?;
    Ok((library, identity))
}

pub(super) fn looks_like_a_path(argument: &str) -> bool {
    let ending = Path::new(argument).extension();
    argument.contains(['/', '\\'])
        || ending.is_some_and(|ending| ["so", "dll", "dylib"].iter().any(|known| ending == *known))
        || Path::new(argument).exists()
}

/// The file name that a build gives a library of this format.
fn library_file_name(stem: &str, format: Format) -> String {
    match format {
        Format::Elf => format!("lib{stem}.so"),
        Format::Pe => format!("{stem}.dll"),
        Format::Macho => format!("lib{stem}.dylib"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("./heap", true)]
    #[case("C:\\Windows\\x", true)]
    #[case("heap.so", true)]
    #[case("heap.dll", true)]
    #[case("heap.dylib", true)]
    #[case("heap.txt", false)]
    #[case("ucrtbase", false)]
    #[case("Cargo.toml", true)] // a file in the folder where tests run
    fn a_path_is_distinguished_from_a_name(#[case] argument: &str, #[case] is_path: bool) {
        assert_eq!(looks_like_a_path(argument), is_path);
    }

    #[rstest]
    #[case(Format::Elf, "libx.so")]
    #[case(Format::Pe, "x.dll")]
    #[case(Format::Macho, "libx.dylib")]
    fn the_format_decides_the_file_name(#[case] format: Format, #[case] name: &str) {
        assert_eq!(library_file_name("x", format), name);
    }
}
