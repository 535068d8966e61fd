//! Builds every program of reference/programs against the reference library and
//! runs it: with this system's C compiler, and with MinGW under Wine. Each pair is
//! one test: `programs::malloc::gcc`, `programs::malloc::mingw`.
//!
//! A test that cannot run here is reported as skipped, with the reason and a
//! remedy. With HEAPMIN_REQUIRE=all it fails instead.

mod needs;

use libtest_mimic::{Arguments, Failed, Trial};
use needs::{compiler, deps, existing, is_program, library, missing};
use std::env::consts;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const MINGW: &str = "x86_64-w64-mingw32-gcc";

/// A compiler, and what is needed to run its programs.
struct Toolchain {
    name: &'static str,
    compiler: Command,
    /// The library, which is copied to the folder of each program.
    runtime: PathBuf,
    /// Further options for the linker.
    options: &'static [&'static str],
    /// The command that runs a program, if the system cannot run it directly.
    runner: Option<&'static str>,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (name, toolchain) in [("gcc", native()), ("mingw", mingw())] {
        match toolchain {
            Ok(toolchain) => trials.extend(all_programs(Arc::new(toolchain))),
            Err(reason) => trials.push(missing("programs", name, reason, &["all"])),
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn native() -> Result<Toolchain, String> {
    let target = match consts::OS {
        "linux" => format!("{}-unknown-linux-gnu", consts::ARCH),
        "macos" => format!("{}-apple-darwin", consts::ARCH),
        system => {
            return Err(format!(
                "the headers and programs are not tested with compilers of {system}; use {MINGW} on Linux"
            ));
        }
    };
    Ok(Toolchain {
        name: "gcc",
        compiler: compiler(&target)?,
        runtime: library()?,
        options: match consts::OS {
            "linux" => &["-Wl,-rpath,$ORIGIN", "-ldl", "-pthread"],
            _ => &["-Wl,-rpath,@loader_path"],
        },
        runner: None,
    })
}

fn mingw() -> Result<Toolchain, String> {
    is_program(MINGW.as_ref(), "gcc-mingw-w64-x86-64")?;
    is_program("wine".as_ref(), "wine wine64")?;
    // target/PROFILE/deps
    let targets = deps().join("../../x86_64-win7-windows-gnu");
    let paths = ["release", "debug"].map(|profile| targets.join(profile).join("heapmin_crt.dll"));
    Ok(Toolchain {
        name: "mingw",
        compiler: Command::new(MINGW),
        runtime: existing(&paths, ".ci/build-for windows-x86_64 --release")?,
        options: &[],
        runner: Some("wine"),
    })
}

fn all_programs(toolchain: Arc<Toolchain>) -> Vec<Trial> {
    let folder = Path::new(HERE).join("../programs");
    let entries = fs::read_dir(folder).expect("the programs are part of the repository");
    let sources = entries.map(|entry| entry.expect("a readable folder").path());
    let programs = sources.filter(|path| path.extension().is_some_and(|ending| ending == "c"));
    let trials = programs.map(|source| {
        let name = source.file_stem().unwrap_or_default().to_string_lossy();
        let toolchain = toolchain.clone();
        let title = format!("programs::{name}::{}", toolchain.name);
        Trial::test(title, move || build_and_run(&toolchain, &source))
    });
    trials.collect()
}

fn build_and_run(toolchain: &Toolchain, source: &Path) -> Result<(), Failed> {
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let folder = format!("{}/{name}-{}", env!("CARGO_TARGET_TMPDIR"), toolchain.name);
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let library = folder.join(toolchain.runtime.file_name().unwrap_or_default());
    fs::copy(&toolchain.runtime, library)?;

    let program = folder.join(format!("{name}.exe"));
    let mut compile = Command::new(toolchain.compiler.get_program());
    compile.args(toolchain.compiler.get_args());
    compile.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I"]);
    compile.arg(Path::new(HERE).join("../include"));
    compile.arg(source).arg("-o").arg(&program);
    // This folder also holds the DLL's import library. MinGW's linker must find it:
    // with the DLL alone, the system's libraries would come first.
    let folder = toolchain.runtime.parent();
    compile
        .arg("-L")
        .arg(folder.expect("a file lies in a folder"));
    compile.arg("-lheapmin_crt");
    succeed(compile.args(toolchain.options))?;

    let mut run = match toolchain.runner {
        Some(runner) => {
            let mut run = Command::new(runner);
            run.arg(&program);
            run
        }
        None => Command::new(&program),
    };
    succeed(run.env("WINEDEBUG", "-all"))
}

/// Runs a command. If it fails, the error has its output.
fn succeed(command: &mut Command) -> Result<(), Failed> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Err(Failed::from(format!(
        "{command:?}: {}\n{text}",
        output.status
    )))
}
