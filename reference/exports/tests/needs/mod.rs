//! What must be there for a test, and what is said where it is not: it is named
//! as skipped, with what mends it; where it is required, it is a failure.

use libtest_mimic::{Failed, Trial};
use std::env::{self, consts};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of this program, in which Cargo leaves the library too.
pub(super) fn deps() -> PathBuf {
    let program = env::current_exe().expect("a program knows where it is");
    program.parent().expect("it is in a folder").to_owned()
}

/// The reference heap, as this system loads it.
pub(super) fn library() -> Result<PathBuf, String> {
    let file = format!("{}heapmin_crt{}", consts::DLL_PREFIX, consts::DLL_SUFFIX);
    existing(&[deps().join(file)], "cargo build")
}

/// This system's C compiler, with the options for its processor.
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

pub(super) fn is_program(name: &Path, package: &str) -> Result<(), String> {
    let found = Command::new(name).arg("--version").output();
    match found {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("{} not found, install {package}", name.display())),
    }
}

pub(super) fn existing(places: &[PathBuf], mend: &str) -> Result<PathBuf, String> {
    let found = places.iter().find(|place| place.is_file());
    let missing = || format!("{} not found, run {mend}", places[0].display());
    found.cloned().ok_or_else(missing)
}

/// Stands for the tests of `lane` that cannot be run for this `reason`. A word
/// of `required_by` in HEAPMIN_REQUIRE makes it a failure.
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
