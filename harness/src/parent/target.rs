//! What a library or a program was built for: a system and a processor.

use crate::library::inspect::{Format, Library};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A system, by the format of its libraries, and a processor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The format of the system's libraries.
    pub format: Format,
    /// The processor, as Rust names it: `x86_64`, `x86`, `aarch64`.
    pub arch: String,
}

impl Target {
    /// A target.
    pub fn new(format: Format, arch: &str) -> Target {
        Target {
            format,
            arch: arch.to_owned(),
        }
    }

    /// The target of this program.
    pub fn native() -> Target {
        Target::new(Format::native(), std::env::consts::ARCH)
    }

    /// The target of a library.
    pub fn of(library: &Library) -> Target {
        Target::new(library.format, &library.arch)
    }

    /// The targets that `heapmin doctor` reports, besides this program's own.
    pub fn others() -> Vec<Target> {
        let known = [
            (Format::Pe, "x86_64"),
            (Format::Pe, "x86"),
            (Format::Elf, "x86_64"),
            (Format::Elf, "x86"),
            (Format::Elf, "aarch64"),
        ];
        let known = known.map(|(format, arch)| Target::new(format, arch));
        let own = Target::native();
        // A system cannot run a Unix program of another system.
        let is_other = |it: &Target| {
            *it != own
                && match it.format {
                    Format::Elf => cfg!(target_os = "linux"),
                    Format::Pe => cfg!(any(windows, target_os = "linux")),
                    Format::Macho => false,
                }
        };
        known.into_iter().filter(is_other).collect()
    }

    /// Whether it is this program's own target.
    pub fn is_native(&self) -> bool {
        *self == Target::native()
    }

    /// Whether its programs are Windows programs.
    pub fn is_windows(&self) -> bool {
        self.format == Format::Pe
    }

    /// The file name of this program, built for the target.
    pub fn program(&self) -> &'static str {
        if self.is_windows() {
            "heapmin.exe"
        } else {
            "heapmin"
        }
    }

    /// The file name that a build gives a library.
    pub fn shared_library(&self, stem: &str) -> String {
        match self.format {
            Format::Elf => format!("lib{stem}.so"),
            Format::Pe => format!("{stem}.dll"),
            Format::Macho => format!("lib{stem}.dylib"),
        }
    }

    /// Rust's names of the target, the one that the project's own script builds first.
    pub fn triples(&self) -> Vec<String> {
        let arch = match self.arch.as_str() {
            "x86" => "i686",
            arch => arch,
        };
        let systems: &[&str] = match self.format {
            Format::Elf => &["unknown-linux-gnu", "unknown-linux-musl"],
            Format::Pe => &[
                "win7-windows-gnu",
                "pc-windows-gnu",
                "pc-windows-gnullvm",
                "pc-windows-msvc",
            ],
            Format::Macho => &["apple-darwin"],
        };
        let triple = |system: &&str| format!("{arch}-{system}");
        systems.iter().map(triple).collect()
    }
}

/// The name of the target's folder, such as `windows-x86`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = match self.format {
            Format::Elf if cfg!(unix) && self.format == Format::native() => std::env::consts::OS,
            Format::Elf => "linux",
            Format::Pe => "windows",
            Format::Macho => "macos",
        };
        write!(f, "{system}-{}", self.arch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Format::Elf, "libx.so")]
    #[case(Format::Pe, "x.dll")]
    #[case(Format::Macho, "libx.dylib")]
    fn the_format_decides_the_file_name(#[case] format: Format, #[case] name: &str) {
        assert_eq!(Target::new(format, "x86").shared_library("x"), name);
    }

    #[test]
    fn a_target_has_the_names_of_its_folder_and_of_rust() {
        let target = Target::new(Format::Pe, "x86");
        assert_eq!(target.to_string(), "windows-x86");
        assert_eq!(target.triples()[0], "i686-win7-windows-gnu");
        assert_eq!(target.program(), "heapmin.exe");
    }

    #[test]
    fn the_own_target_is_no_other() {
        assert!(Target::native().is_native());
        assert!(!Target::others().contains(&Target::native()));
    }
}
