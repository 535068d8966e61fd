//! Finds what can load a library on this machine: this system itself, or Wine with the
//! Windows build of this program.

use super::launch::Launch;
use super::runner::Runner;
use crate::library::inspect::{Format, Library};
use crate::text::input_error::InputError;
use crate::text::version::Version;
use crate::wire::channel::new_token;
use crate::wire::job::{CALIBRATION, Job};
use crate::wire::observation::{Ending, Event};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// The environment variable with the path of the Windows build of this program.
pub const WINDOWS_PROBE_VARIABLE: &str = "HEAPMIN_WINDOWS_PROBE";
const BUILD_WINDOWS_PROBE: &str =
    "build it (docs/guide/windows.md), or name it with --windows-probe or HEAPMIN_WINDOWS_PROBE";
const WINDOWS_TARGETS: [&str; 4] = [
    "x86_64-win7-windows-gnu",
    "x86_64-pc-windows-gnu",
    "x86_64-pc-windows-gnullvm",
    "x86_64-pc-windows-msvc",
];
/// The time limit for a start of Wine: the first one creates the Wine prefix, which is
/// slow.
const FIRST_START: Duration = Duration::from_secs(180);

/// The runners of this machine.
pub struct Runners {
    program: PathBuf,
    is_fenced: bool,
    memory: Option<u64>,
    build: &'static str,
    windows_probe: Option<PathBuf>,
    wine: OnceLock<Result<Runner, InputError>>,
}

impl Runners {
    /// `program` contains the probe and was built from `build`. `windows_probe` is the
    /// Windows build of it, if the user named one.
    pub fn new(program: PathBuf, build: &'static str, windows_probe: Option<PathBuf>) -> Runners {
        let variable = || std::env::var_os(WINDOWS_PROBE_VARIABLE).map(PathBuf::from);
        Runners {
            program,
            is_fenced: true,
            memory: None,
            build,
            windows_probe: windows_probe.or_else(variable),
            wine: OnceLock::new(),
        }
    }

    /// Probes get no fence.
    pub fn unfenced(self) -> Runners {
        Runners {
            is_fenced: false,
            ..self
        }
    }

    /// Each probe may hold at most this many bytes of memory.
    pub fn with_memory(self, bytes: u64) -> Runners {
        Runners {
            memory: Some(bytes),
            ..self
        }
    }

    /// The runner that can load this library.
    ///
    /// # Errors
    /// If no runner on this machine can.
    pub fn for_library(&self, path: &Path, library: &Library) -> Result<Runner, InputError> {
        let name = path.display();
        match library.format {
            format if format == Format::native() => Ok(Runner {
                wine: None,
                wine_version: None,
                program: self.program.clone(),
                is_fenced: self.is_fenced,
                memory: self.memory,
            }),
            Format::Pe if cfg!(target_os = "linux") => self
                .wine()
                .map_err(|error| InputError::new(format!("{name}: {}", error.problem), error.mend)),
            format => Err(InputError::new(
                format!("{name} is a {format} library, which this system cannot load"),
                "check it on a system that can load it",
            )),
        }
    }

    /// The folder where the loader finds libraries by name.
    ///
    /// # Errors
    /// If this machine has neither Windows nor Wine.
    pub fn system_libraries(
        &self,
        name: &str,
        format: Option<Format>,
    ) -> Result<PathBuf, InputError> {
        if format.unwrap_or(Format::native()) != Format::Pe {
            let problem = format!("this system has no folder in which {name} is found by name");
            return Err(InputError::new(problem, "give its path"));
        }
        if !cfg!(windows) {
            self.wine().map_err(|error| {
                InputError::new(format!("{name}: {}", error.problem), error.mend)
            })?;
        }
        Ok(windows_libraries())
    }

    /// The folder where Windows or Wine finds libraries by name, for a Windows library.
    pub fn folder_of_system_libraries(&self, format: Format) -> Option<PathBuf> {
        (format == Format::Pe).then(windows_libraries)
    }

    /// The folders where a build puts the reference library.
    ///
    /// # Errors
    /// If the library needs Wine and this machine has no Wine.
    pub fn reference_folders(
        &self,
        name: &str,
        format: Option<Format>,
    ) -> Result<Vec<PathBuf>, InputError> {
        let program = if format.unwrap_or(Format::native()) == Format::native() {
            self.program.clone()
        } else {
            self.wine()
                .map_err(|error| InputError::new(format!("{name}: {}", error.problem), error.mend))?
                .program
        };
        let folder = program.parent().unwrap_or(Path::new(".")).to_owned();
        // `cargo build` of the program alone puts it into deps.
        Ok(vec![folder.join("deps"), folder])
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

    /// Wine with the Windows build of this program. The first call checks that it starts.
    fn wine(&self) -> Result<Runner, InputError> {
        self.wine.get_or_init(|| self.find_wine()).clone()
    }

    fn find_wine(&self) -> Result<Runner, InputError> {
        let wine = ["wine", "wine64"]
            .iter()
            .find_map(|name| which::which(name).ok());
        let Some(wine) = wine else {
            return Err(InputError::new(
                "it is a Windows library, and wine was not found",
                "install Wine (Debian: `apt-get install wine wine64`)",
            ));
        };
        let runner = Runner {
            wine_version: wine_version(&wine),
            wine: Some(wine),
            program: self.find_windows_probe()?,
            is_fenced: false,
            memory: None,
        };
        self.check_build(&runner)?;
        Ok(runner)
    }

    fn find_windows_probe(&self) -> Result<PathBuf, InputError> {
        if let Some(named) = &self.windows_probe {
            if named.is_file() {
                return std::path::absolute(named).map_err(|error| {
                    InputError::new(format!("{}: {error}", named.display()), BUILD_WINDOWS_PROBE)
                });
            }
            let problem = format!("the Windows probe {}: no such file", named.display());
            return Err(InputError::new(problem, BUILD_WINDOWS_PROBE));
        }
        let folder = self.program.parent().unwrap_or(Path::new("."));
        let profile = folder.file_name().unwrap_or_default();
        let target = folder.parent().unwrap_or(Path::new("."));
        let mut places = vec![folder.join("heapmin.exe")];
        for name in [profile, "release".as_ref(), "debug".as_ref()] {
            places.extend(
                WINDOWS_TARGETS.map(|triple| target.join(triple).join(name).join("heapmin.exe")),
            );
        }
        places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
            InputError::new(
                "it is a Windows library, and the Windows build of heapmin (heapmin.exe) was not found",
                BUILD_WINDOWS_PROBE,
            )
        })
    }

    /// Checks that the probe starts and is built from the same sources as this program:
    /// otherwise it could run other cases than this program judges.
    fn check_build(&self, runner: &Runner) -> Result<(), InputError> {
        let seen = Launch::new(runner, FIRST_START).observe(&empty_job());
        let program = runner.program.display();
        let build = seen.events.iter().find_map(|event| match event {
            Event::Hello { build } => Some(build.as_str()),
            _ => None,
        });
        match build {
            Some(build) if build == self.build => Ok(()),
            Some(_) => Err(InputError::new(
                format!(
                    "the Windows build {program} is built from other sources than this program"
                ),
                "build it again (docs/guide/windows.md)",
            )),
            None => Err(InputError::new(
                format!(
                    "the Windows build {program} does not start under Wine: {:?}",
                    seen.ending
                ),
                "check that `wine cmd /c ver` works, and build it again (docs/guide/windows.md)",
            )),
        }
    }
}

/// A job that does a fixed piece of work; its time tells how fast this machine is.
pub fn calibration_job() -> Job {
    Job {
        case: CALIBRATION.into(),
        ..empty_job()
    }
}

fn windows_libraries() -> PathBuf {
    if cfg!(windows) {
        let root = std::env::var_os("SystemRoot").unwrap_or_else(|| "C:\\Windows".into());
        return PathBuf::from(root).join("System32");
    }
    wine_prefix().join("drive_c/windows/system32")
}

/// A job that only starts the probe.
fn empty_job() -> Job {
    Job {
        token: new_token(),
        ..Job::default()
    }
}

/// The version of this Wine; `None` if it does not say one.
fn wine_version(wine: &Path) -> Option<String> {
    let output = Command::new(wine).arg("--version").output().ok()?;
    version_in(&String::from_utf8_lossy(&output.stdout)).map(str::to_owned)
}

/// The version in what `wine --version` prints: `8.0` of `wine-8.0 (Debian 8.0~repack-4)`.
fn version_in(said: &str) -> Option<&str> {
    let said = said.strip_prefix("wine-")?;
    let end = said.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let version = said[..end.unwrap_or(said.len())].trim_end_matches('.');
    Version::parse(version).map(|_| version)
}

fn wine_prefix() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".wine");
    std::env::var_os("WINEPREFIX").map_or_else(home, PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::debian("wine-8.0 (Debian 8.0~repack-4)\n", Some("8.0"))]
    #[case::candidate_of_a_release("wine-10.0-rc2\n", Some("10.0"))]
    #[case::three_numbers("wine-8.0.2\n", Some("8.0.2"))]
    #[case::staging("wine-9.22 (Staging)\n", Some("9.22"))]
    #[case::of_a_commit("wine-10.3-112-g0d6a5e1\n", Some("10.3"))]
    #[case::no_end("wine-10.0", Some("10.0"))]
    #[case::no_version("wine-\n", None)]
    #[case::another_program("8.0\n", None)]
    fn the_version_of_wine_is_read_from_what_it_prints(
        #[case] said: &str,
        #[case] version: Option<&str>,
    ) {
        assert_eq!(version_in(said), version);
    }
}
