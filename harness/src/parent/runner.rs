//! What runs a probe, as data: [`super::runners`] finds it and [`super::launch`] uses it.

use super::target::Target;
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What starts the program that contains the probe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Starter {
    /// This system itself.
    System,
    /// The Wine with this path.
    Wine(PathBuf),
    /// An emulator of another processor, which makes system calls of this system.
    Emulator {
        /// Its path.
        path: PathBuf,
        /// The folder with the libraries of that processor, if they are in one.
        root: Option<PathBuf>,
    },
    /// A command of the user's: a program with its arguments.
    Command(Vec<String>),
}

/// What runs a probe.
#[derive(Clone, Debug)]
pub struct Runner {
    /// What starts the program.
    pub starter: Starter,
    /// The version of Wine, such as `8.0`, if Wine runs the program and reports one.
    pub wine_version: Option<String>,
    /// What the program was built for.
    pub target: Target,
    /// The program that contains the probe.
    pub program: PathBuf,
    /// Whether there is a fence around the probe; see [`crate::wire::fence`]. Under Wine, it
    /// is the memory limit alone: Wine's own processes need what the rest forbids.
    pub is_fenced: bool,
    /// How many bytes of memory a fenced probe may hold, if the user gave a limit.
    pub memory: Option<u64>,
    /// Whether a control saw that memory falls when it is released, so that figures of
    /// memory mean something. Else no figure is taken.
    pub sees_memory: bool,
    /// Whether a control saw that no memory stays for threads that ended. An emulator may keep
    /// some of its own.
    pub frees_threads: bool,
}

impl Starter {
    /// The command before the program: empty for this system itself.
    pub fn words(&self) -> Vec<OsString> {
        match self {
            Starter::System => Vec::new(),
            Starter::Wine(path) => vec![path.into()],
            Starter::Emulator { path, root } => {
                let root = root.iter();
                let root = root.flat_map(|root| ["-L".into(), OsString::from(root)]);
                std::iter::once(path.into()).chain(root).collect()
            }
            Starter::Command(words) => words.iter().map(OsString::from).collect(),
        }
    }
}

impl Runner {
    /// The command that runs the program, for the report. Empty if this system runs the
    /// program itself.
    pub fn command(&self) -> Vec<String> {
        let words = self.starter.words();
        words.iter().map(|word| shown(word)).collect()
    }

    /// What runs the program, in words: `Wine 8.0, /usr/bin/wine`. Empty if this system does.
    pub fn description(&self) -> String {
        let command = self.command().join(" ");
        match (&self.starter, &self.wine_version) {
            (Starter::Wine(_), Some(version)) => format!("Wine {version}, {command}"),
            (Starter::Wine(_), None) => format!("Wine, {command}"),
            _ => command,
        }
    }

    /// Whether a Windows program runs on another system.
    pub fn is_wine(&self) -> bool {
        self.target.is_windows() && !cfg!(windows)
    }

    /// Whether all processes in the probe's group may be killed with it. Not under Wine: the
    /// first Wine process is the parent of Wine's servers, which other processes need.
    pub fn owns_group(&self) -> bool {
        !self.is_wine()
    }

    /// Whether this system loads the probe itself.
    pub fn is_this_system(&self) -> bool {
        self.starter == Starter::System
    }

    /// The path in the notation of the probe's system.
    ///
    /// # Errors
    /// If that notation cannot express the path.
    pub fn path_for_loader(&self, path: &Path) -> Result<OsString, InputError> {
        if !self.is_wine() {
            return Ok(path.into());
        }
        let Some(text) = path.to_str() else {
            let problem = format!("{}: the name is not UTF-8", shown(path.as_os_str()));
            return Err(InputError::new(problem, "rename the file to a UTF-8 name"));
        };
        // Wine shows the whole file system as drive Z.
        Ok(format!("Z:{}", text.replace('/', "\\")).into())
    }
}
