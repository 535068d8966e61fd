//! What a test needs from this machine. If it is missing, the test is reported as
//! skipped, with the reason and a remedy; if it is required, the test fails.

use libtest_mimic::{Failed, Trial};
use std::env::{self, consts};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of this test program. Cargo puts the library there too.
pub(super) fn deps() -> PathBuf {
    let program = env::current_exe().expect("the path of this program");
    program
        .parent()
        .expect("a program lies in a folder")
        .to_owned()
}

/// The path of the reference heap's shared library.
pub(super) fn library() -> Result<PathBuf, String> {
    let file = format!("{}heapmin_crt{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    existing(&[deps().join(file)], "cargo build")
}

/// This system's C compiler, with the options for this processor.
pub(super) fn compiler(target: &str) -> Result<Command, String> {
    let mut build = cc::Build::new();
    build.target(target).host(target).opt_level(1);
    let compiler = build.cargo_metadata(false).try_get_compiler();
    let compiler = compiler
        .map(|compiler| compiler.to_command())
        .map_err(|error| format!("no C compiler ({error}), install gcc"))?;
    is_program(compiler.get_program().as_ref(), "gcc")?;
    Ok(compiler)
}

/// Returns an error that names the `package` to install if there is no such program.
pub(super) fn is_program(name: &Path, package: &str) -> Result<(), String> {
    let found = Command::new(name).arg("--version").output();
    match found {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{} not found, install {package}", name.display())),
    }
}

/// The first of these files that exists, or an error that names the `remedy`.
pub(super) fn existing(paths: &[PathBuf], remedy: &str) -> Result<PathBuf, String> {
    let found = paths.iter().find(|path| path.is_file());
    let missing = || format!("{} not found, run {remedy}", paths[0].display());
    found.cloned().ok_or_else(missing)
}

/// A test in place of those of `lane` that cannot run, for this `reason`. It is
/// ignored, or fails if HEAPMIN_REQUIRE has a word of `required_by`.
pub(super) fn missing(lane: &str, name: &str, reason: String, required_by: &[&str]) -> Trial {
    let required = env::var("HEAPMIN_REQUIRE").unwrap_or_default();
    if required.split(',').any(|word| required_by.contains(&word)) {
        let failing = move || Err(Failed::from(reason));
        return Trial::test(format!("{lane}::is-there::{name}"), failing);
    }
    eprintln!("skipped: {reason}");
    let skipped = Trial::test(format!("{lane}::skipped::{name}"), || Ok(()));
    skipped.with_ignored_flag(true)
}
