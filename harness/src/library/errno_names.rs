//! Error numbers and their names. Microsoft's runtime and the hosts number errors
//! differently, so verdicts compare names.

use serde::{Deserialize, Serialize};

/// The numbering that a candidate's `errno` uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Numbering {
    /// Microsoft's: `ENOSYS` is 40.
    Msvc,
    /// The host's: on Linux `ENOSYS` is 38.
    Host,
}

/// Source: *errno Constants*.
const MSVC: &[(i32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (5, "EIO"),
    (9, "EBADF"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (22, "EINVAL"),
    (34, "ERANGE"),
    (40, "ENOSYS"),
];

#[cfg(unix)]
const HOST: &[(i32, &str)] = &[
    (libc::EPERM, "EPERM"),
    (libc::ENOENT, "ENOENT"),
    (libc::EIO, "EIO"),
    (libc::EBADF, "EBADF"),
    (libc::ENOMEM, "ENOMEM"),
    (libc::EACCES, "EACCES"),
    (libc::EINVAL, "EINVAL"),
    (libc::ERANGE, "ERANGE"),
    (libc::ENOSYS, "ENOSYS"),
];
#[cfg(not(unix))]
const HOST: &[(i32, &str)] = MSVC;

impl Numbering {
    fn table(self) -> &'static [(i32, &'static str)] {
        match self {
            Numbering::Msvc => MSVC,
            Numbering::Host => HOST,
        }
    }

    /// The other numbering.
    pub fn other(self) -> Numbering {
        match self {
            Numbering::Msvc => Numbering::Host,
            Numbering::Host => Numbering::Msvc,
        }
    }

    /// Whose numbers they are, for a sentence.
    pub fn whose(self) -> &'static str {
        match self {
            Numbering::Msvc => "Microsoft's",
            Numbering::Host => "this system's",
        }
    }

    /// Its name in profiles.
    pub fn key(self) -> &'static str {
        match self {
            Numbering::Msvc => "msvc",
            Numbering::Host => "host",
        }
    }

    /// The number of a name; `None` for a name that is not in the table.
    pub fn number(self, name: &str) -> Option<i32> {
        let entry = self.table().iter().find(|entry| entry.1 == name)?;
        Some(entry.0)
    }

    /// A number with its name, as reports show it: `ENOSYS (40)`, `77`.
    pub fn describe(self, number: i32) -> String {
        match self.table().iter().find(|entry| entry.0 == number) {
            Some((_, name)) => format!("{name} ({number})"),
            None => number.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enosys_is_40_for_microsoft_and_38_on_linux() {
        assert_eq!(Numbering::Msvc.number("ENOSYS"), Some(40));
        #[cfg(target_os = "linux")]
        assert_eq!(Numbering::Host.number("ENOSYS"), Some(38));
        assert_eq!(Numbering::Msvc.describe(22), "EINVAL (22)");
        assert_eq!(Numbering::Msvc.describe(77), "77");
    }
}
