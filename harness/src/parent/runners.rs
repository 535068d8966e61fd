//! Finds what can load a library on this machine: this system itself, or Wine with the
//! Windows build of this program.

use super::launch::Launch;
use super::runner::Runner;
use crate::library::inspect::{Format, Library};
use crate::text::input_error::InputError;
use crate::wire::channel::new_token;
use crate::wire::job::Job;
use crate::wire::observation::{Ending, Event};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// Names an explicit Windows build of this program.
pub const WINDOWS_PROBE_VARIABLE: &str = "HEAPMIN_WINDOWS_PROBE";
const BUILD_WINDOWS_PROBE: &str =
    "build it (docs/guide/windows.md), or name it with --windows-probe or HEAPMIN_WINDOWS_PROBE";
const WINDOWS_TARGETS: [&str; 4] = [
    "x86_64-win7-windows-gnu",
    "x86_64-pc-windows-gnu",
    "x86_64-pc-windows-gnullvm",
    "x86_64-pc-windows-msvc",
];
/// The first start of Wine makes its prefix, which takes a while.
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
    /// `program` has the probe in it and was built from `build`;
    /// `windows_probe` is the Windows build of it, if the user named one.
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

    /// The same without a fence around any probe.
    pub fn unfenced(self) -> Runners {
        Runners {
            is_fenced: false,
            ..self
        }
    }

    /// The same with probes that may hold so many bytes, and no more.
    pub fn with_memory(self, bytes: u64) -> Runners {
        Runners {
            memory: Some(bytes),
            ..self
        }
    }

    /// What can load a library of this format.
    ///
    /// # Errors
    /// If nothing here can.
    pub fn for_library(&self, path: &Path, library: &Library) -> Result<Runner, InputError> {
        let name = path.display();
        match library.format {
            format if format == Format::native() => Ok(Runner {
                wine: None,
                program: self.program.clone(),
                is_fenced: self.is_fenced,
                memory: self.memory,
            }),
            Format::Pe if cfg!(target_os = "linux") => self
                .wine()
                .map_err(|error| InputError::new(format!("{name}: {}", error.problem), error.mend)),
            format => Err(InputError::new(
                format!("{name} is a {format} library, which this system cannot load"),
                "check it on a system that can",
            )),
        }
    }

    /// The folder in which the loader finds libraries by name.
    ///
    /// # Errors
    /// If there is no Windows and no Wine here.
    pub fn system_libraries(
        &self,
        name: &str,
        format: Option<Format>,
    ) -> Result<PathBuf, InputError> {
        if format.unwrap_or(Format::native()) != Format::Pe {
            let problem = format!("{name} has no folder to be found in by name on this system");
            return Err(InputError::new(problem, "give its path"));
        }
        if cfg!(windows) {
            let root = std::env::var_os("SystemRoot").unwrap_or_else(|| "C:\\Windows".into());
            return Ok(PathBuf::from(root).join("System32"));
        }
        self.wine()
            .map_err(|error| InputError::new(format!("{name}: {}", error.problem), error.mend))?;
        Ok(wine_prefix().join("drive_c/windows/system32"))
    }

    /// The folders in which a build leaves the reference library.
    ///
    /// # Errors
    /// If it is the Windows one and there is no Wine here.
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
        // `cargo build` of the program alone leaves it in deps.
        Ok(vec![folder.join("deps"), folder])
    }

    /// Whether a library that a candidate needs can be loaded, in a probe of its own.
    ///
    /// # Errors
    /// The loader's message if it cannot.
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

    /// Wine with the Windows build of this program, seen to start.
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

    /// A probe from other sources would act out other cases than are judged here.
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
                format!("the Windows build {program} comes from other sources than this program"),
                "build it again (docs/guide/windows.md)",
            )),
            None => Err(InputError::new(
                format!(
                    "the Windows build {program} does not start under Wine: {:?}",
                    seen.ending
                ),
                "see whether `wine cmd /c ver` works, and build it again (docs/guide/windows.md)",
            )),
        }
    }
}

/// A job that only starts the probe.
fn empty_job() -> Job {
    Job {
        token: new_token(),
        ..Job::default()
    }
}

fn wine_prefix() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".wine");
    std::env::var_os("WINEPREFIX").map_or_else(home, PathBuf::from)
}
