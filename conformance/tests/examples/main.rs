//! Runs the commands in the READMEs of `docs/examples`, and compares what they print with what
//! the READMEs say. One test for each block of commands: `c::2`.
//!
//! A block with a line `<!-- needs: PROGRAM, install INSTRUCTION -->` before it is skipped if the
//! program is missing. With HEAPMIN_REQUIRE=all it then fails. Other words require what has to be
//! fetched: `genuine` Microsoft's libraries, `python` Python for Windows, `clang` clang.
//!
//! The commands of a README run in order, in a copy of its folder. Those of `rust` run in the
//! folder itself, which belongs to this workspace, and `cargo test` as `cargo test --workspace`:
//! it takes the dependencies that the other tests have built already. Cargo then looks for a target
//! in every package, so `finds_its_target` checks that the command as written finds it.

mod block;
mod compare;

use block::{Block, blocks};
use compare::differences;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

const FOLDERS: [&str; 4] = ["c", "dotnet", "python", "rust"];
/// The folder that is not copied.
const MEMBER: &str = "rust";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if !cfg!(target_os = "linux") {
        eprintln!("skipped: the commands of docs/examples are for Linux");
        return ExitCode::SUCCESS;
    }
    let mut trials: Vec<_> = FOLDERS.iter().flat_map(|name| trials_of(name)).collect();
    trials.push(Trial::test("only_what_may_vary_may_differ", compare::check));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples")
}

/// The blocks of a README, and what became of those that ran. A block may need what those
/// before it made, so they run in order.
struct Readme {
    name: &'static str,
    blocks: Vec<Block>,
    copy: Option<tempfile::TempDir>,
    results: Vec<Result<(), String>>,
}

impl Readme {
    fn result(&mut self, number: usize) -> Result<(), String> {
        while self.results.len() <= number {
            let next = self.results.len();
            let result = match missing(&self.blocks[next]) {
                None => self.run(next),
                Some((why, _)) => Err(why),
            };
            self.results.push(result);
        }
        self.results[number].clone()
    }
}

fn trials_of(name: &'static str) -> Vec<Trial> {
    let text = std::fs::read_to_string(examples().join(name).join("README.md"));
    let text = text.unwrap_or_else(|error| panic!("docs/examples/{name}/README.md: {error}"));
    let blocks = blocks(&text);
    assert!(
        !blocks.is_empty(),
        "docs/examples/{name}/README.md has no commands"
    );
    let lacks: Vec<_> = blocks.iter().map(missing).collect();
    let readme = Arc::new(Mutex::new(Readme {
        name,
        blocks,
        copy: None,
        results: Vec::new(),
    }));
    let trial = |(number, missing): (usize, Option<Missing>)| {
        let title = format!("{name}::{}", number + 1);
        match missing {
            Some((missing, word)) if is_required(word) => {
                Trial::test(title, || Err(missing.into()))
            }
            Some((missing, _)) => {
                eprintln!("skipped: {title}: {missing}");
                Trial::test(title, || Ok(())).with_ignored_flag(true)
            }
            None => {
                let readme = readme.clone();
                Trial::test(title, move || {
                    let mut readme = readme.lock().unwrap_or_else(|error| error.into_inner());
                    readme.result(number).map_err(Failed::from)
                })
            }
        }
    };
    lacks.into_iter().enumerate().map(trial).collect()
}

fn is_required(word: &str) -> bool {
    let required = std::env::var("HEAPMIN_REQUIRE").unwrap_or_default();
    required.split(',').any(|named| named == word)
}

/// Why a block cannot run here, and the word of HEAPMIN_REQUIRE that requires it.
type Missing = (String, &'static str);

/// What a block lacks. Of several, one that is required.
fn missing(block: &Block) -> Option<Missing> {
    let lacks = block.needs.iter().filter_map(|need| {
        let file = need.program.strip_prefix("$HEAPMIN_SOURCE/");
        let is_there = match file {
            Some(file) => absolute("..").join(file).is_file(),
            None => which::which(&need.program).is_ok(),
        };
        let word = match (need.program.as_str(), file) {
            // Large, and gcc builds the same.
            ("clang", _) => "clang",
            (_, Some(file)) if file.starts_with("target/genuine/") => "genuine",
            (_, Some(file)) if file.starts_with("target/python-windows/") => "python",
            _ => "all",
        };
        let what = format!("{} not found, install it: {}", need.program, need.install);
        (!is_there).then_some((what, word))
    });
    lacks.min_by_key(|(_, word)| !is_required(word))
}

impl Readme {
    /// Runs the commands of a block and compares what they print.
    fn run(&mut self, number: usize) -> Result<(), String> {
        let name = self.name;
        let folder = match name {
            MEMBER => examples().join(name),
            _ => self.copy().map_err(|error| error.to_string())?,
        };
        for command in &self.blocks[number].commands {
            let line = match name {
                MEMBER => {
                    finds_its_target(&command.line, &folder)?;
                    command.line.replace("cargo test", "cargo test --workspace")
                }
                _ => command.line.clone(),
            };
            let output = Command::new("bash")
                .args(["-c", &format!("exec 2>&1; {line}")])
                .current_dir(&folder)
                .env("PATH", path())
                .env("HEAPMIN_INCLUDE", absolute("../reference/include"))
                .env("HEAPMIN_LIB", libraries())
                .env("HEAPMIN_SOURCE", absolute(".."))
                .env_remove("HEAPMIN_UPDATE")
                .env("WINEDEBUG", "-all")
                .stdin(Stdio::null())
                .output()
                .map_err(|error| format!("bash: {error}"))?;
            let printed = String::from_utf8_lossy(&output.stdout).replace('\r', "");
            if let Some(difference) = differences(&command.output, &printed) {
                return Err(format!(
                    "docs/examples/{name}/README.md, line {}: {}\n{difference}\nit printed:\n{printed}",
                    command.number, command.line
                ));
            }
        }
        Ok(())
    }

    /// A copy of the folder, whose path has a space.
    fn copy(&mut self) -> std::io::Result<PathBuf> {
        if let Some(copy) = &self.copy {
            return Ok(copy.path().to_owned());
        }
        let copy = tempfile::Builder::new().prefix("an example").tempdir()?;
        for entry in examples().join(self.name).read_dir()? {
            let entry = entry?;
            std::fs::copy(entry.path(), copy.path().join(entry.file_name()))?;
        }
        Ok(self.copy.insert(copy).path().to_owned())
    }
}

/// Checks that the package of `-p`, or else that of the folder, has the target of `--test`.
fn finds_its_target(line: &str, folder: &Path) -> Result<(), String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let value = |option| {
        let mut pairs = words.windows(2);
        pairs.find(|pair| pair[0] == option).map(|pair| pair[1])
    };
    let Some(target) = value("--test") else {
        return Ok(());
    };
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(folder)
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| {
        let printed = String::from_utf8_lossy(&output.stderr);
        format!("cargo metadata: {error}\n{printed}")
    })?;
    let manifest = folder.join("Cargo.toml");
    let manifest = manifest.canonicalize().map_err(|error| error.to_string())?;
    let is_meant = |package: &&Value| match value("-p") {
        Some(name) => package["name"] == name,
        None => package["manifest_path"].as_str().map(Path::new) == Some(&manifest),
    };
    let has_target = (metadata["packages"].as_array().into_iter().flatten())
        .filter(is_meant)
        .flat_map(|package| package["targets"].as_array().into_iter().flatten())
        .any(|it| it["name"] == target && it["kind"][0] == "test");
    match has_target {
        true => Ok(()),
        false => Err(format!(
            "{line}: its package has no test target {target}; name the package with -p"
        )),
    }
}

fn absolute(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    path.canonicalize().expect("a folder of the repository")
}

/// The folder of the reference's shared library.
fn libraries() -> PathBuf {
    let program = std::env::current_exe().expect("this program");
    program.parent().expect("it is in a folder").to_owned()
}

/// The path of programs, with `heapmin` first.
fn path() -> std::ffi::OsString {
    let heapmin = Path::new(env!("CARGO_BIN_EXE_heapmin"));
    let mut folders = vec![heapmin.parent().expect("it is in a folder").to_owned()];
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    std::env::join_paths(folders).expect("no folder has a colon")
}
