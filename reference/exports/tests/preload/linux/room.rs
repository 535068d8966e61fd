//! A room to run a program in: an empty folder, few environment variables, and one of
//! two heaps.

use super::needs::{compiler, library};
use super::proof::is_on_the_reference;
use libtest_mimic::Failed;
use std::cell::Cell;
use std::env::{self, consts};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The C sources and scripts of this test.
pub(super) const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/preload/programs");
/// The limit for one command, which ends a program that waits for a lock forever. Even
/// on a busy machine, no program here takes a tenth of it.
const SECONDS: &str = "200";

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Heap {
    Reference,
    /// The reference with `HEAPMIN_MISUSE=abort`.
    Checked,
    System,
}

impl Heap {
    pub(super) fn name(self) -> &'static str {
        match self {
            Heap::Reference => "reference",
            Heap::Checked => "checked",
            Heap::System => "system",
        }
    }
}

/// The libraries to load before a program.
#[derive(Clone)]
pub(super) struct Preload {
    /// The heap.
    pub runtime: PathBuf,
    /// The library that reports on which heap the program ran (`witness.c`). It is loaded
    /// before the heap.
    pub witness: PathBuf,
}

impl Preload {
    /// Returns an error if something is missing that all programs need.
    pub(super) fn prepare() -> Result<Self, String> {
        let runtime = library()?;
        native_compiler()?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("preload");
        let witness = folder.join("libwitness.so");
        fs::create_dir_all(&folder).expect("Cargo's temporary folder is writable");
        let source = Path::new(FILES).join("witness.c");
        let options = ["-shared", "-fPIC", "-ldl"];
        // If this fails, nothing is missing: the source is wrong.
        compile(&source, &witness, &options).unwrap_or_else(|error| panic!("{error}"));
        Ok(Self { runtime, witness })
    }

    /// An empty room for a program on this heap.
    pub(super) fn room(&self, name: &str, heap: Heap) -> Result<Room, Failed> {
        let preloaded = match heap {
            Heap::Reference | Heap::Checked => vec![self.witness.clone(), self.runtime.clone()],
            Heap::System => vec![self.witness.clone()],
        };
        let title = format!("{name}-{}", heap.name());
        Room::new(&title, heap, &self.runtime, &preloaded)
    }
}

fn native_compiler() -> Result<Command, String> {
    compiler(&format!("{}-unknown-linux-gnu", consts::ARCH))
}

/// Builds a C program of this test for this system.
pub(super) fn compile(source: &Path, to: &Path, options: &[&str]) -> Result<(), String> {
    let mut compile = native_compiler()?;
    compile.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror"]);
    compile.arg(source).arg("-o").arg(to).args(options);
    let output = compile.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(format!("{}: {}\n{text}", source.display(), output.status))
        }
    }
}

pub(super) struct Room {
    pub folder: PathBuf,
    heap: Heap,
    runtime: PathBuf,
    /// The value of LD_PRELOAD.
    preloaded: String,
    taken: Cell<Duration>,
}

impl Room {
    pub(super) fn new(
        title: &str,
        heap: Heap,
        runtime: &Path,
        preloaded: &[PathBuf],
    ) -> Result<Self, Failed> {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("preload")
            .join(title);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let preloaded: Vec<_> = preloaded
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        Ok(Self {
            folder,
            heap,
            runtime: runtime.to_owned(),
            preloaded: preloaded.join(":"),
            taken: Cell::new(Duration::ZERO),
        })
    }

    /// The total time that the programs in this room took.
    pub(super) fn taken(&self) -> Duration {
        self.taken.get()
    }

    /// A command that runs a program here, with the environment variables that it needs.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("timeout");
        command.arg(SECONDS).arg(program.as_ref());
        command.current_dir(&self.folder).stdin(Stdio::null());
        command.env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        command.env("HOME", &self.folder);
        command.env("TMPDIR", &self.folder);
        command.env("LC_ALL", "C");
        command.env("LD_PRELOAD", &self.preloaded);
        command.env("WITNESS_WRITES_TO", self.testimony());
        if self.heap == Heap::Checked {
            command.env("HEAPMIN_MISUSE", "abort");
        }
        command
    }

    fn testimony(&self) -> PathBuf {
        self.folder.join("testimony")
    }

    /// Runs a command and returns its standard output. Fails unless the command succeeds
    /// and all its processes ran on the heap of this room.
    pub(super) fn run(&self, name: &str, command: &mut Command) -> Result<Vec<u8>, Failed> {
        let started = Instant::now();
        let output = command.output()?;
        self.taken.set(self.taken.get() + started.elapsed());
        let stderr = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let stdout = String::from_utf8_lossy(&output.stdout);
            return Err(Failed::from(format!(
                "{command:?}: {}\n{stdout}{stderr}",
                output.status
            )));
        }
        let proof = self.proof(name);
        match (self.heap, proof) {
            (Heap::Reference | Heap::Checked, Ok(())) | (Heap::System, Err(_)) => Ok(output.stdout),
            (Heap::Reference | Heap::Checked, Err(error)) => {
                Err(Failed::from(format!("{command:?}: {error}\n{stderr}")))
            }
            (Heap::System, Ok(())) => Err(Failed::from(format!(
                "{command:?}: ran on the reference heap instead of the system's heap"
            ))),
        }
    }

    /// Returns an error unless all programs so far, and `name` among them, ran on the
    /// reference heap.
    pub(super) fn proof(&self, name: &str) -> Result<(), String> {
        // Without a witness the file does not exist.
        let testimony = fs::read_to_string(self.testimony()).unwrap_or_default();
        is_on_the_reference(&testimony, name, &self.runtime)
    }
}
