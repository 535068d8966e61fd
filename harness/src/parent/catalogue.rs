//! Turns an argument of the user's into a candidate: finds its file, inspects it and
//! finds a runner.

use super::candidate::Candidate;
use super::runners::Runners;
use super::stage::Stage;
use super::target::Target;
use crate::library::identity::Identity;
use crate::library::inspect::{Format, Library, inspect};
use crate::library::profile::{Profile, Source};
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use crate::text::suggest::{names_beside, nearest};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The profiles that an argument can name.
pub struct Catalogue {
    /// The profiles that this program contains.
    pub profiles: Vec<Profile>,
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
    /// file. `name:x86` is the library of the profile for another processor than that of
    /// this program. `profile`, if given, replaces what is known of the library; it does
    /// not change which file that is.
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
        let (name, arch) = self.name_and_arch(argument);
        let is_known = self.profiles.iter().any(|profile| profile.name == name);
        let is_path = !is_known && looks_like_a_path(argument);
        let named = match (is_path, profile) {
            (true, _) => None,
            (false, Some(_)) if self.profile(name).is_err() => None,
            (false, _) => Some(self.profile(name).map_err(|error| {
                let problem = format!("{argument} is not a file, and {}", error.problem);
                InputError::new(problem, self.nearest_or(name, error.mend))
            })?),
        };
        match named {
            Some(named) => {
                let candidate = self.by_name(argument, named, arch, runners)?;
                Ok(match profile {
                    Some(profile) => candidate.judged_by(profile.clone()),
                    None => candidate,
                })
            }
            None => self.by_path(argument.as_ref(), profile, runners),
        }
    }

    /// The known library, or the library file in this folder, that the user probably meant; or
    /// else `otherwise`.
    fn nearest_or(&self, wrong: &str, otherwise: String) -> String {
        let files = names_beside(Path::new(wrong));
        let files = files.iter().filter(|name| has_library_ending(name));
        let names = self.profiles.iter().map(|profile| profile.name.as_str());
        match nearest(wrong, names.chain(files.map(String::as_str))) {
            Some(near) => format!("did you mean {near}?"),
            None => otherwise,
        }
    }

    /// The name of a profile and a processor in `name:arch`. Else the whole argument and
    /// the processor of this program.
    fn name_and_arch<'a>(&self, argument: &'a str) -> (&'a str, &'a str) {
        match argument.split_once(':') {
            Some((name, arch)) if self.profiles.iter().any(|it| it.name == name) => (name, arch),
            _ => (argument, std::env::consts::ARCH),
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
        let profile = profile
            .or_else(|| self.profile_of(&path, &library))
            .cloned();
        check_exports(&path, &library, profile.as_ref())?;
        let runner = runners.for_library(&path, &library)?;
        let system_libraries = runners.folder_of_system_libraries(&runner.target);
        let stage = Stage::new(&path, &library, profile.as_ref(), &runner)?;
        let (load_name, environment, runner) = match &stage {
            Some(stage) => (
                stage.load_name(&runner)?,
                stage.environment(&path, &runner),
                stage.runner(&runner),
            ),
            None => (runner.path_for_loader(&path)?, Vec::new(), runner),
        };
        Ok(Candidate {
            stands_in: profile.as_ref().is_some_and(|profile| profile.stands_in),
            profile,
            load_name,
            environment,
            stage,
            system_libraries,
            ..Candidate::of_file(shown(argument), path, library, identity, runner)
        })
    }

    /// The profile of a file: that of its original name, or else that of its present name.
    fn profile_of(&self, path: &Path, library: &Library) -> Option<&Profile> {
        let present = path.file_name()?.to_string_lossy().into_owned();
        let names = library.original_name.iter().chain([&present]);
        names.map(|name| name.to_lowercase()).find_map(|name| {
            let fits =
                |profile: &&Profile| profile.file_name == name && profile.stands_for.is_none();
            self.profiles.iter().find(fits)
        })
    }

    fn by_name(
        &self,
        argument: &str,
        profile: Profile,
        arch: &str,
        runners: &Runners,
    ) -> Result<Candidate, InputError> {
        let format = profile.format.unwrap_or(Format::native());
        check_arch(argument, arch)?;
        let target = Target::new(format, arch);
        let path = locate(&profile, &target, runners)?;
        let (mut library, identity) = inspect_with_identity(&path)?;
        if profile.source == Source::System {
            // A program that loads it by name gets these routines.
            let forwarded = library.forwarded.iter().map(|(name, _)| name.clone());
            library.exports.extend(forwarded);
        }
        check_exports(&path, &library, Some(&profile))?;
        let runner = runners.for_library(&path, &library)?;
        let system_libraries = runners.folder_of_system_libraries(&runner.target);
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
            stands_in: profile.stands_in,
            profile: Some(profile),
            load_name,
            environment,
            system_libraries,
            ..Candidate::of_file(argument.to_owned(), path, library, identity, runner)
        })
    }
}

/// Refuses a misspelt processor.
fn check_arch(argument: &str, arch: &str) -> Result<(), InputError> {
    const USUAL: [&str; 3] = ["x86", "x86_64", "aarch64"];
    match nearest(arch, USUAL) {
        Some(near) if near != arch => Err(InputError::new(
            format!("{argument}: no processor is called {arch}"),
            format!("did you mean {near}?"),
        )),
        _ => Ok(()),
    }
}

/// Finds the file of a profile.
fn locate(profile: &Profile, target: &Target, runners: &Runners) -> Result<PathBuf, InputError> {
    let name = &profile.name;
    let file = profile.stands_for.as_ref().unwrap_or(&profile.file_name);
    let place = match profile.source {
        Source::Reference => return runners.reference(name, target, file),
        Source::Adapter if target.is_native() => return runners.adapter(file),
        Source::Adapter => {
            let problem = format!("{name}: an adapter is built for {} only", Target::native());
            return Err(InputError::new(
                problem,
                format!("leave out :{}", target.arch),
            ));
        }
        Source::Path => {
            let problem = format!("the profile {name} does not say where its file is");
            let mend = format!("give the path: `heapmin check path/to/{file}`");
            return Err(InputError::new(problem, mend));
        }
        Source::System => runners.system_libraries(name, target)?.join(file),
    };
    if place.is_file() {
        return Ok(place);
    }
    let place = shown(place.as_os_str());
    let why = profile.if_absent.as_deref().map(|why| format!(" ({why})"));
    let why = why.unwrap_or_default();
    Err(InputError::new(
        format!("{name}: {file} was not found: there is no {place}{why}"),
        format!("give its path: `heapmin check path/to/{file}`"),
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
    let forwarded = library
        .forwarded
        .iter()
        .find(|(routine, _)| routine == "_heapmin");
    if let Some((_, other)) = forwarded {
        return Err(InputError::new(
            format!("{name} forwards _heapmin to another library"),
            format!("check {}", shown(other.as_ref())),
        ));
    }
    if library.exports.is_empty() {
        let if_empty = profile.and_then(|profile| profile.if_empty.clone());
        let mend = if_empty.unwrap_or_else(|| {
            "export _heapmin and the other heap routines from the library".into()
        });
        return Err(InputError::new(format!("{name} exports nothing"), mend));
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
    argument.contains(['/', '\\']) || has_library_ending(argument) || Path::new(argument).exists()
}

fn has_library_ending(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ["so", "dll", "dylib"].iter().any(|known| ending == *known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::inspect::Maker;
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
    #[case::usual("x86", None)]
    #[case::rare("riscv64", None)]
    #[case::rarer("arm", None)]
    #[case::misspelt("x68", Some("x86"))]
    #[case::hyphen("x86-64", Some("x86_64"))]
    #[case::other_name("arm64", Some("aarch64"))]
    fn a_misspelt_processor_is_refused(#[case] arch: &str, #[case] near: Option<&str>) {
        let mend = check_arch("a", arch).err().map(|error| error.mend);
        assert_eq!(mend, near.map(|near| format!("did you mean {near}?")));
    }

    fn dll(original_name: Option<&str>) -> Library {
        Library {
            format: Format::Pe,
            arch: "x86_64".into(),
            exports: Vec::new(),
            forwarded: Vec::new(),
            version: None,
            original_name: original_name.map(str::to_owned),
            maker: Maker::Microsoft,
            own_calls: Vec::new(),
            needs: Vec::new(),
        }
    }

    fn profile(name: &str, more: &str) -> Profile {
        let text = format!(
            "title = 'A'\nlibrary = '{name}.dll'\nsource = 'system'\nerrno = 'msvc'\n{more}"
        );
        Profile::parse(name, &text).unwrap()
    }

    #[rstest]
    #[case::its_own_name("MSVCR100.dll", None, Some("msvcr100"))]
    #[case::renamed("msvcr100.dll", Some("MSVCR100_CLR0400.dll"), Some("msvcr100_clr0400"))]
    #[case::unknown_original("msvcr100.dll", Some("VsVersion.dll"), Some("msvcr100"))]
    #[case::renamed_to_an_unknown_name("crt.dll", Some("msvcr100.dll"), Some("msvcr100"))]
    #[case::unknown("crt.dll", None, None)]
    #[case::only_a_name_for_the_loader("set.dll", None, None)]
    fn the_original_name_of_a_file_decides_its_profile(
        #[case] file: &str,
        #[case] original: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let catalogue = Catalogue {
            profiles: vec![
                profile("msvcr100", ""),
                profile("msvcr100_clr0400", ""),
                profile("set", "stands-for = 'msvcr100.dll'\n"),
            ],
        };
        let found = catalogue.profile_of(Path::new("/d").join(file).as_path(), &dll(original));
        assert_eq!(found.map(|profile| profile.name.as_str()), expected);
    }

    #[test]
    fn a_library_without_a_heap_is_refused_with_what_it_is() {
        let refused = |library: &Library, profile: Option<&Profile>| {
            check_exports(Path::new("a.dll"), library, profile)
                .unwrap_err()
                .to_string()
        };
        let empty = dll(None);
        assert!(refused(&empty, None).contains("export _heapmin"));
        let stub = profile("a", "if-empty = 'a stub'\n");
        assert!(refused(&empty, Some(&stub)).contains("exports nothing; a stub"));
        let forwards = Library {
            forwarded: vec![("_heapmin".into(), "b.dll".into())],
            ..empty
        };
        assert!(refused(&forwards, Some(&stub)).contains("check b.dll"));
    }
}
