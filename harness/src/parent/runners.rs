//! Finds what can load a library on this machine. That follows from what the library was
//! built for: this system itself, Wine, an emulator of another processor, or a command of
//! the user's. Each needs this program built for the library's target, which has the probe.

use super::installed::{Installed, Missing};
use super::launch::Launch;
use super::runner::{Runner, Starter};
use super::target::Target;
use super::wine;
use crate::library::inspect::{Format, Library, arch_of_program};
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use crate::text::suggest::path_or;
use crate::wire::channel::new_token;
use crate::wire::job::{CALIBRATION, Job};
use crate::wire::observation::{Ending, Event, Observation};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// The environment variable with the path of the Windows build of this program.
pub const WINDOWS_PROBE_VARIABLE: &str = "HEAPMIN_WINDOWS_PROBE";
/// The time limit for a start of a runner: the first one of Wine creates the Wine prefix,
/// which is slow.
const FIRST_START: Duration = Duration::from_secs(180);

/// What the user chose of the runners.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The Windows build of this program.
    pub windows_probe: Option<PathBuf>,
    /// The program that starts Wine.
    pub wine: Option<PathBuf>,
    /// A command that starts the probe, with its arguments.
    pub command: Option<Vec<String>>,
    /// Probes get no fence.
    pub is_unfenced: bool,
    /// How many bytes of memory each fenced probe may hold.
    pub memory: Option<u64>,
}

/// The runners of this machine.
pub struct Runners {
    installed: Installed,
    build: &'static str,
    choice: Choice,
    /// What was found for each target, which is tried once.
    found: Mutex<HashMap<Target, Result<Runner, InputError>>>,
}

impl Runners {
    /// The runners for a program that was built from the sources `build`.
    pub fn new(installed: Installed, build: &'static str, choice: Choice) -> Runners {
        let variable = || std::env::var_os(WINDOWS_PROBE_VARIABLE).map(PathBuf::from);
        let windows_probe = choice.windows_probe.clone().or_else(variable);
        Runners {
            installed,
            build,
            choice: Choice {
                windows_probe,
                ..choice
            },
            found: Mutex::default(),
        }
    }

    /// The runner that can load this library.
    ///
    /// # Errors
    /// If no runner on this machine can.
    pub fn for_library(&self, path: &Path, library: &Library) -> Result<Runner, InputError> {
        self.for_target(&Target::of(library)).map_err(|error| {
            let name = shown(path.as_os_str());
            InputError::new(format!("{name}: {}", error.problem), error.mend)
        })
    }

    /// The runner for a target. The first call checks that it starts.
    ///
    /// # Errors
    /// If there is no such runner on this machine.
    pub fn for_target(&self, target: &Target) -> Result<Runner, InputError> {
        let mut found = self.found.lock().expect("no holder panics");
        let entry = found.entry(target.clone());
        entry.or_insert_with(|| self.find(target)).clone()
    }

    /// The folder where the loader finds libraries by name.
    ///
    /// # Errors
    /// If this machine has neither Windows nor Wine.
    pub fn system_libraries(&self, name: &str, target: &Target) -> Result<PathBuf, InputError> {
        if !target.is_windows() {
            let problem = format!("this system has no folder in which {name} is found by name");
            return Err(InputError::new(problem, "give its path"));
        }
        if !cfg!(windows) {
            self.for_target(target).map_err(|error| {
                InputError::new(format!("{name}: {}", error.problem), error.mend)
            })?;
        }
        Ok(wine::system_folder(&target.arch))
    }

    /// The folder where Windows or Wine finds libraries by name, for a Windows library.
    pub fn folder_of_system_libraries(&self, target: &Target) -> Option<PathBuf> {
        let is_windows = target.is_windows();
        is_windows.then(|| wine::system_folder(&target.arch))
    }

    /// The path of the reference for a target.
    ///
    /// # Errors
    /// If it is not found, or if the library needs Wine and this machine has no Wine.
    pub fn reference(
        &self,
        name: &str,
        target: &Target,
        stem: &str,
    ) -> Result<PathBuf, InputError> {
        let runner = self
            .for_target(target)
            .map_err(|error| InputError::new(format!("{name}: {}", error.problem), error.mend))?;
        // A probe that the user named has it beside it.
        let beside = runner.program.with_file_name(target.shared_library(stem));
        if !target.is_native() && beside.is_file() {
            return Ok(beside);
        }
        self.installed.shared_library(target, stem).map_err(|missing| match missing {
            Missing::Cache(error) => error,
            Missing::Places(places) => {
                let first = places.first().map(|place| shown(place.as_os_str()));
                let file = target.shared_library(stem);
                InputError::new(
                    format!(
                        "{name}: {file} was not found: there is no {}, and none in the other places",
                        first.unwrap_or(file.clone())
                    ),
                    format!("build it: `.ci/build-for {target} --release`, or see docs/guide/runners.md"),
                )
            }
        })
    }

    /// The path of an adapter that this program contains.
    ///
    /// # Errors
    /// If it cannot be written to the user's cache, or if this program does not contain it.
    pub fn adapter(&self, file: &str) -> Result<PathBuf, InputError> {
        let stem = file.strip_prefix("lib").unwrap_or(file);
        let stem = stem.split('.').next().unwrap_or(stem);
        self.installed
            .shared_library(&Target::native(), stem)
            .map_err(|missing| match missing {
                Missing::Cache(error) => error,
                Missing::Places(_) => InputError::new(
                    format!("this program was built without {file}"),
                    "build heapmin on Linux with a C compiler, from its repository",
                ),
            })
    }

    /// Tries to load a library that a candidate needs, in a separate probe.
    ///
    /// # Errors
    /// The loader's message if the library cannot be loaded.
    pub fn check_loadable(
        &self,
        runner: &Runner,
        library: &str,
        environment: &[(String, String)],
    ) -> Result<(), String> {
        let job = Job {
            load_name: library.into(),
            ..empty_job()
        };
        let launch = Launch::new(runner, FIRST_START).with_environment(environment);
        let seen = launch.observe(&job);
        match (seen.load_failure(), &seen.ending) {
            (Some(reason), _) => Err(reason.to_owned()),
            (None, Ending::Done) => Ok(()),
            (None, ending) => Err(format!("{ending:?}")),
        }
    }

    fn find(&self, target: &Target) -> Result<Runner, InputError> {
        let starter = self.starter(target)?;
        let runner = Runner {
            is_fenced: !self.choice.is_unfenced,
            memory: self.choice.memory,
            program: self.program(target)?,
            target: target.clone(),
            wine_version: match &starter {
                Starter::Wine(path) => wine::version(path),
                _ => None,
            },
            starter,
            sees_memory: true,
            frees_threads: true,
        };
        // This program needs no check that it is itself.
        if !(target.is_native() && runner.is_this_system()) {
            self.check_build(&runner)?;
        }
        Ok(runner)
    }

    /// What starts a program of this target.
    fn starter(&self, target: &Target) -> Result<Starter, InputError> {
        if let Some(words) = &self.choice.command {
            return Ok(Starter::Command(words.clone()));
        }
        let own = Target::native();
        if *target == own {
            return Ok(Starter::System);
        }
        let is_32_of_64 = (own.arch.as_str(), target.arch.as_str()) == ("x86_64", "x86");
        match (target.format, own.format) {
            (Format::Pe, Format::Pe) if is_32_of_64 => Ok(Starter::System),
            (Format::Pe, Format::Elf) if cfg!(target_os = "linux") => {
                if !matches!(target.arch.as_str(), "x86" | "x86_64") {
                    let problem = format!("it is a Windows library for {}", target.arch);
                    return Err(InputError::new(problem, "check it on Windows"));
                }
                wine::find(self.choice.wine.as_deref())
            }
            (Format::Elf, Format::Elf) if is_32_of_64 => Ok(Starter::System),
            (Format::Elf, Format::Elf) if cfg!(target_os = "linux") => emulator(&target.arch),
            (format, _) if format == own.format => Err(InputError::new(
                format!(
                    "it is for {}, and this heapmin for {}",
                    target.arch, own.arch
                ),
                format!(
                    "name a library for {}, or use a heapmin built for {}",
                    own.arch, target.arch
                ),
            )),
            (format, _) => Err(InputError::new(
                format!("it is a {format} library, which this system cannot load"),
                "check it on a system that can load it",
            )),
        }
    }

    /// This program, built for the target.
    fn program(&self, target: &Target) -> Result<PathBuf, InputError> {
        let build = self.build_advice(target);
        let named = self
            .choice
            .windows_probe
            .as_ref()
            .filter(|_| target.is_windows());
        if let Some(named) = named {
            if !named.is_file() {
                let problem = format!("the Windows probe {}: no such file", named.display());
                return Err(InputError::new(problem, path_or(named, &build)));
            }
            // A probe for another processor may be for another library of this run.
            if arch_of_program(named).is_none_or(|arch| arch == target.arch) {
                return std::path::absolute(named).map_err(|error| {
                    InputError::new(format!("{}: {error}", named.display()), build)
                });
            }
        }
        let places = self.installed.places_of_program(target);
        places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
            let what = match (target.is_windows(), target.arch == std::env::consts::ARCH) {
                (true, true) => "a Windows library, and the Windows build of heapmin (heapmin.exe)".into(),
                (true, false) => format!("a Windows library for {}, and the build of heapmin for it ({target}/heapmin.exe)", target.arch),
                (false, _) => format!("a library for {}, and the build of heapmin for it ({target}/heapmin)", target.arch),
            };
            InputError::new(format!("it is {what} was not found"), build)
        })
    }

    /// What to do if this program is not there for a target.
    fn build_advice(&self, target: &Target) -> String {
        if !Target::others().contains(target) {
            let arch = &target.arch;
            return format!(
                "build heapmin for {arch} with Cargo (docs/guide/runners.md), and put it there"
            );
        }
        let places = self.installed.places_of_program(target);
        let folder = places.first().and_then(|place| place.parent());
        let folder = folder.map(|it| shown(it.as_os_str())).unwrap_or_default();
        let name = match target.is_windows() {
            true => ", or name the program with --windows-probe or HEAPMIN_WINDOWS_PROBE",
            false => "",
        };
        format!(
            "build it in the repository of heapmin (`.ci/build-for {target} --release`); for an installed heapmin, copy the result to {folder}{name} (docs/guide/runners.md)"
        )
    }

    /// Checks that the probe starts and is built from the same sources as this program:
    /// otherwise it could run other cases than this program judges.
    fn check_build(&self, runner: &Runner) -> Result<(), InputError> {
        let seen = Launch::new(runner, FIRST_START).observe(&empty_job());
        let target = &runner.target;
        let program = runner.program.display();
        let what = match target.is_windows() {
            true => "the Windows build".to_owned(),
            false => format!("the build for {target},"),
        };
        match build_of(&seen) {
            Some(build) if build == self.build => Ok(()),
            Some(_) => Err(InputError::new(
                format!("{what} {program} is built from other sources than this program"),
                format!("build it again: {}", build_command(target)),
            )),
            None => {
                let under = match &runner.starter {
                    Starter::System => String::new(),
                    Starter::Wine(_) => " under Wine".into(),
                    Starter::Emulator { path, .. } => format!(" under {}", path.display()),
                    Starter::Command(words) => format!(" by `{}`", words.join(" ")),
                };
                Err(InputError::new(
                    format!("{what} {program} does not start{under}: {}", why_not(&seen)),
                    start_advice(runner),
                ))
            }
        }
    }
}

/// Why a probe did not start, in words.
fn why_not(seen: &Observation) -> String {
    match &seen.ending {
        Ending::Died(how) | Ending::Failed(how) => how.clone(),
        ending => format!("{ending:?}"),
    }
}

/// The sources from which a probe was built, if it started.
fn build_of(seen: &Observation) -> Option<&str> {
    seen.events.iter().find_map(|event| match event {
        Event::Hello { build, .. } => Some(build.as_str()),
        _ => None,
    })
}

/// The emulator for programs of another processor.
fn emulator(arch: &str) -> Result<Starter, InputError> {
    let name = match arch {
        "x86" => "qemu-i386".to_owned(),
        arch => format!("qemu-{arch}"),
    };
    let found = which::which(&name).or_else(|_| which::which(format!("{name}-static")));
    let path = found.map_err(|_| {
        InputError::new(
            format!("it is for {arch}, and {name} was not found"),
            format!("install an emulator (Debian: `{}`)", install_emulator(arch)),
        )
    })?;
    // Debian has the C library of another processor here.
    let root = PathBuf::from(format!("/usr/{arch}-linux-gnu"));
    Ok(Starter::Emulator {
        path,
        root: root.is_dir().then_some(root),
    })
}

fn install_emulator(arch: &str) -> String {
    match arch {
        "aarch64" => "apt-get install qemu-user libc6-arm64-cross".into(),
        _ => "apt-get install qemu-user".into(),
    }
}

fn build_command(target: &Target) -> String {
    format!("`.ci/build-for {target} --release`, docs/guide/runners.md")
}

/// What to do if this program is there and does not start.
fn start_advice(runner: &Runner) -> String {
    let target = &runner.target;
    match &runner.starter {
        Starter::Wine(_) if target.arch == "x86" => "install Wine for 32 bits (Debian: `dpkg --add-architecture i386 && apt-get update && apt-get install wine32:i386`), and use a new prefix, since it does not start in one that was made without it (`export WINEPREFIX=~/.wine-32`)".into(),
        Starter::Wine(_) => format!("check that `wine cmd /c ver` works; if not, use a new prefix (`export WINEPREFIX=~/.wine-new`); if it does, build it again ({})", build_command(target)),
        Starter::Emulator { .. } => format!("install the libraries that it needs (Debian: `{}`)", install_emulator(&target.arch)),
        Starter::Command(_) => "check the command of --runner: it must start the program that follows it, and pass on its input and output".into(),
        Starter::System if cfg!(windows) => "this system does not start programs for this processor: use a Windows that does, or a Wine for 32 bits".into(),
        Starter::System => "install the libraries that it needs (Debian: `apt-get install libc6-i386`)".into(),
    }
}

/// A job that does a fixed piece of work; its time tells how fast this machine is.
pub fn calibration_job() -> Job {
    Job {
        case: CALIBRATION.into(),
        ..empty_job()
    }
}

/// A job that only starts the probe.
fn empty_job() -> Job {
    Job {
        token: new_token(),
        ..Job::default()
    }
}
