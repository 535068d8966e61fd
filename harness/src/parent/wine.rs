//! Wine on this machine: its program, its version and its folders.

use super::runner::Starter;
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use crate::text::version::Version;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Wine, as the user named it or as the path has it.
///
/// # Errors
/// If it is not there.
pub(super) fn find(named: Option<&Path>) -> Result<Starter, InputError> {
    let path = match named {
        Some(named) => which::which(named).map_err(|error| {
            let problem = format!("--wine {}: {error}", shown(named.as_os_str()));
            InputError::new(problem, "name the program that starts Wine")
        })?,
        None => ["wine", "wine64"]
            .iter()
            .find_map(|name| which::which(name).ok())
            .ok_or_else(|| {
                InputError::new(
                    "it is a Windows library, and wine was not found",
                    "install Wine (Debian: `apt-get install wine wine64`)",
                )
            })?,
    };
    Ok(Starter::Wine(path))
}

/// The version that a Wine program reports.
pub(super) fn version(wine: &Path) -> Option<String> {
    let mut command = Command::new(wine);
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let output = command.output().ok()?;
    number(&String::from_utf8_lossy(&output.stdout))
}

/// The number in what `wine --version` prints: `wine-8.0 (Debian 8.0~repack-4)`.
fn number(printed: &str) -> Option<String> {
    let rest = printed.trim_start().strip_prefix("wine-")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let number = rest[..end.unwrap_or(rest.len())].trim_end_matches('.');
    Version::parse(number).map(|_| number.to_owned())
}

/// The folder where Windows or Wine finds libraries for a processor by name.
pub(super) fn system_folder(arch: &str) -> PathBuf {
    let windows = match cfg!(windows) {
        true => {
            let root = std::env::var_os("SystemRoot");
            PathBuf::from(root.unwrap_or_else(|| "C:\\Windows".into()))
        }
        false => prefix().join("drive_c/windows"),
    };
    // A Windows for 64 bits has the libraries for 32 bits in a folder of their own.
    let for_32_bits = windows.join("SysWOW64");
    let for_32_bits = match for_32_bits.is_dir() {
        true => for_32_bits,
        false => windows.join("syswow64"),
    };
    match arch == "x86" && for_32_bits.is_dir() {
        true => for_32_bits,
        false if cfg!(windows) => windows.join("System32"),
        false => windows.join("system32"),
    }
}

fn prefix() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_default().join(".wine");
    std::env::var_os("WINEPREFIX").map_or_else(home, PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::debian("wine-8.0 (Debian 8.0~repack-4)\n", Some("8.0"))]
    #[case::candidate("wine-10.0-rc2\n", Some("10.0"))]
    #[case::staging("wine-9.22.1 (Staging)\n", Some("9.22.1"))]
    #[case::git("wine-10.3-45-g0123abc", Some("10.3"))]
    #[case::another_program("Python 3.11\n", None)]
    #[case::no_number("wine-", None)]
    fn the_version_is_the_number_that_wine_prints(
        #[case] printed: &str,
        #[case] version: Option<&str>,
    ) {
        assert_eq!(number(printed).as_deref(), version);
    }
}
