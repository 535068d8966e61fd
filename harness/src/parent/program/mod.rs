//! A program of the user's, which runs with an allocator in `LD_PRELOAD`.

mod image;
mod run;

pub use run::{Failure, Run};

use crate::text::input_error::InputError;
use crate::text::printable::shown;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A program that the loader starts with every preloaded library.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its file.
    path: PathBuf,
    arguments: Vec<OsString>,
    /// The file that the system starts: that of the program or, for a script, that of its
    /// interpreter.
    started: PathBuf,
    /// The loader that the started file names.
    loader: PathBuf,
}

impl Program {
    /// The program with this name or path, and these arguments.
    ///
    /// # Errors
    /// If there is no such program, or if `LD_PRELOAD` has no effect on it.
    pub fn find(name: &OsStr, arguments: &[OsString]) -> Result<Program, InputError> {
        let path = which::which(name).map_err(|_| not_found(name))?;
        let started = image::started(&path)?;
        let loader = image::loader(&started)?;
        Ok(Program {
            path,
            arguments: arguments.to_vec(),
            started,
            loader,
        })
    }

    /// The path of `library` in the program, as the loader finds it with `preload` in
    /// `LD_PRELOAD`. Does not run the program: only the loader.
    ///
    /// # Errors
    /// If the loader does not load the library into the program. A program then runs
    /// without it, and the loader only prints a message.
    pub fn path_of(&self, library: &OsStr, preload: Option<&OsStr>) -> Result<PathBuf, InputError> {
        let mut command = Command::new(&self.loader);
        command.arg("--list").arg(&self.started);
        let output = with_preload(&mut command, preload).output();
        let loader = self.loader.display();
        let output = output.map_err(|error| {
            let problem = format!("the loader {loader} cannot be started: {error}");
            InputError::new(problem, "check the installation of the C library")
        })?;
        let list = String::from_utf8_lossy(&output.stdout);
        let library = library.to_string_lossy();
        list.lines()
            .find_map(|line| listed(line, &library))
            .ok_or_else(|| {
                let said = String::from_utf8_lossy(&output.stderr);
                let said = shown(OsStr::new(said.trim()));
                let program = shown(self.path.as_os_str());
                InputError::new(
                    format!("{loader} does not load {library} into {program}: {said}"),
                    "name a library that this program can load; its path must have no space and no colon",
                )
            })
    }

    /// Runs the program once, with this library in `LD_PRELOAD`.
    ///
    /// # Errors
    /// If it fails, does not end in time, or the user interrupts it.
    pub fn run(&self, preload: Option<&OsStr>, timeout: Duration) -> Result<Run, Failure> {
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        run::run(with_preload(&mut command, preload), timeout)
    }
}

/// Sets `LD_PRELOAD`. A value from the user's environment could name another allocator.
fn with_preload<'a>(command: &'a mut Command, preload: Option<&OsStr>) -> &'a mut Command {
    match preload {
        Some(library) => command.env("LD_PRELOAD", library),
        None => command.env_remove("LD_PRELOAD"),
    }
}

/// The path in a line of the loader's list, if the line is about this library:
/// `NAME => PATH (0xADDRESS)`, or `PATH (0xADDRESS)` for a library given by its path.
fn listed(line: &str, library: &str) -> Option<PathBuf> {
    let (name, _address) = line.trim().rsplit_once(" (0x")?;
    let (name, path) = name.split_once(" => ").unwrap_or((name, name));
    (name == library).then(|| PathBuf::from(path))
}

fn not_found(name: &OsStr) -> InputError {
    let path = Path::new(name);
    let name = shown(name);
    match path.exists() && path.components().count() > 1 {
        true => InputError::new(
            format!("{name} is not a program: it is not a file that can be executed"),
            "name a program, or set its permission with chmod +x",
        ),
        false => InputError::new(
            format!("{name}: no such program"),
            "check the name, or give the path of the program",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("\tliba.so.2 => /lib/liba.so.2 (0x00007f)", Some("/lib/liba.so.2"))]
    #[case("\t/x/liba.so.2 (0x00007f)", None)]
    #[case("\tliba.so.2 => not found", None)]
    #[case("\tliba.so.20 => /lib/liba.so.20 (0x00007f)", None)]
    fn a_library_is_found_in_the_list_by_its_whole_name(
        #[case] line: &str,
        #[case] path: Option<&str>,
    ) {
        assert_eq!(listed(line, "liba.so.2"), path.map(PathBuf::from));
    }

    #[test]
    fn a_library_given_by_its_path_is_found_in_the_list() {
        let line = "\t/x y/liba.so (0x00007f)";
        assert_eq!(listed(line, "/x y/liba.so"), Some("/x y/liba.so".into()));
    }
}
