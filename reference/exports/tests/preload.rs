//! Unchanged programs run on the reference heap (`LD_PRELOAD`): the scripts of
//! reference/preload. Each must say the same with and without it, and its
//! program must be seen to take `malloc` from our library.
//!
//! A script begins with what it `needs` and with a `proof`: a command, and part
//! of the name of the file that must be bound to our `malloc` when it runs.
//!
//! What cannot be done here is named as skipped, with the reason and what
//! mends it. With HEAPMIN_REQUIRE=all it is a failure instead.

use libtest_mimic::{Arguments, Failed, Trial};
use std::env::{self, consts};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

const HERE: &str = env!("CARGO_MANIFEST_DIR");

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if consts::OS != "linux" {
        eprintln!("skipped: LD_PRELOAD is for Linux");
        return libtest_mimic::run(&arguments, Vec::new()).exit_code();
    }
    let folder = Path::new(HERE).join("../preload");
    let entries = fs::read_dir(&folder).expect("the scripts are part of the repository");
    let files = entries.map(|entry| entry.expect("a readable folder").path());
    let scripts = files.filter(|path| path.extension().is_some_and(|ending| ending == "sh"));
    let trials = scripts.map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A script, and what its head says.
struct Script {
    name: String,
    path: PathBuf,
    proof: String,
    bound: String,
}

fn trial(path: PathBuf) -> Trial {
    let name = path.file_stem().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let text = fs::read_to_string(&path).expect("a script");
    let head = |word: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(word));
        let parts = line.and_then(|line| line.split_once(" -- "));
        let (command, rest) = parts.unwrap_or_else(|| panic!("{name}.sh has no line `{word}`"));
        (command.to_owned(), rest.to_owned())
    };
    let (needs, mend) = head("# needs: ");
    let (proof, bound) = head("# proof: ");
    let title = format!("preload::{name}");
    let is_there = shell(&needs).output();
    if !is_there.is_ok_and(|output| output.status.success()) {
        let reason = format!("`{needs}` fails, {mend}");
        let required = env::var("HEAPMIN_REQUIRE").unwrap_or_default();
        if required.split(',').any(|named| named == "all") {
            return Trial::test(title, || Err(Failed::from(reason)));
        }
        eprintln!("skipped: {title}: {reason}");
        return Trial::test(title, || Ok(())).with_ignored_flag(true);
    }
    let script = Script {
        name,
        path,
        proof,
        bound,
    };
    Trial::test(title, move || script.run())
}

impl Script {
    fn run(&self) -> Result<(), Failed> {
        let library = library()?;
        let proof = |preload| self.is_bound(&library, preload);
        if proof(false)? || !proof(true)? {
            let Script { proof, bound, .. } = self;
            let reason = format!("`{proof}`: {bound} does not take malloc from {library:?}");
            return Err(Failed::from(reason));
        }
        let usual = self.say(None)?;
        let ours = self.say(Some(&library))?;
        match usual == ours {
            true => Ok(()),
            false => Err(Failed::from(format!("without:\n{usual}\nwith:\n{ours}"))),
        }
    }

    /// Whether the loader tells that the program takes `malloc` from our library.
    fn is_bound(&self, library: &Path, preload: bool) -> Result<bool, Failed> {
        let folder = scratch(&format!("{}-proof", self.name))?;
        let mut command = shell(&self.proof);
        command.current_dir(&folder).env("LD_DEBUG", "bindings");
        command.env("LD_DEBUG_OUTPUT", folder.join("bindings"));
        if preload {
            command.env("LD_PRELOAD", library);
        }
        succeed(&mut command)?;
        let to = format!(" to {} ", library.display());
        for entry in fs::read_dir(folder)? {
            let text = String::from_utf8_lossy(&fs::read(entry?.path())?).into_owned();
            let mut lines = text.lines().filter(|line| line.contains("symbol `malloc'"));
            let from = |line: &str| {
                Some(
                    line.split_once("binding file ")?
                        .1
                        .split_once(&to)?
                        .0
                        .to_owned(),
                )
            };
            if lines.any(|line| from(line).is_some_and(|file| file.contains(&self.bound))) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the script prints, in a folder of its own.
    fn say(&self, preload: Option<&Path>) -> Result<String, Failed> {
        let folder = scratch(&self.name)?;
        let mut command = shell(&fs::read_to_string(&self.path)?);
        command.current_dir(folder);
        if let Some(library) = preload {
            command.env("LD_PRELOAD", library);
        }
        let output = succeed(&mut command)?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The library, which Cargo leaves beside this program.
fn library() -> Result<PathBuf, Failed> {
    let program = env::current_exe()?;
    let file = format!("{}heapmin_crt{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    Ok(program.with_file_name(file).canonicalize()?)
}

fn scratch(name: &str) -> Result<PathBuf, Failed> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("preload-{name}"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-euc", command]);
    shell.env("SOURCES", Path::new(HERE).join("../preload"));
    shell
}

/// Runs a command, and gives its own words if it fails.
fn succeed(command: &mut Command) -> Result<Output, Failed> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(output);
    }
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    let status = output.status;
    Err(Failed::from(format!("{command:?}: {status}\n{words}")))
}
