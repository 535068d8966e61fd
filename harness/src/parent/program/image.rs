//! Whether the file of a program lets a preloaded library replace `malloc`.

use crate::text::input_error::InputError;
use crate::text::printable::shown;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Object, ObjectSymbol};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A script may name another script as its interpreter. The kernel follows this many.
const SCRIPTS: usize = 4;
const SET_USER_ID: u32 = 0o4000;
const SET_GROUP_ID: u32 = 0o2000;

/// The file that the system starts for a program: the program itself or, for a script,
/// its interpreter.
///
/// # Errors
/// If it cannot be read, or if scripts name each other as interpreters.
pub(super) fn started(program: &Path) -> Result<PathBuf, InputError> {
    let mut path = program.to_owned();
    for _ in 0..=SCRIPTS {
        match interpreter(&path).map_err(|error| unreadable(&path, &error))? {
            Some(next) => path = next,
            None => return Ok(path),
        }
    }
    Err(InputError::new(
        format!(
            "{}: too many scripts name each other as interpreters",
            shown(program.as_os_str())
        ),
        "name the interpreter itself",
    ))
}

/// The interpreter in the first line of a script; `None` for another file.
fn interpreter(path: &Path) -> std::io::Result<Option<PathBuf>> {
    // The kernel reads this many bytes, too.
    let mut head = Vec::new();
    File::open(path)?.take(256).read_to_end(&mut head)?;
    let Some(line) = head.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.split(|byte| byte.is_ascii_whitespace());
    let word = words.find(|word| !word.is_empty()).unwrap_or_default();
    Ok(Some(OsStr::from_bytes(word).into()))
}

/// The loader that an executable file names.
///
/// # Errors
/// If the file is no ELF executable, or if `LD_PRELOAD` has no effect on its blocks.
pub(super) fn loader(path: &Path) -> Result<PathBuf, InputError> {
    let name = shown(path.as_os_str());
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    if gains_rights(&metadata, user.as_raw(), group.as_raw()) {
        return Err(InputError::new(
            format!(
                "LD_PRELOAD has no effect on {name}: it is a set-user-id or set-group-id program"
            ),
            "run a copy of it without these permissions",
        ));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    let file = object::File::parse(&*bytes)
        .ok()
        .filter(|file| file.format() == object::BinaryFormat::Elf);
    let Some(file) = file else {
        return Err(InputError::new(
            format!("{name} is neither an ELF program nor a script that begins with #!"),
            "name a program for this system",
        ));
    };
    let loader = match &file {
        object::File::Elf32(file) => named_loader(file.elf_header(), &bytes),
        object::File::Elf64(file) => named_loader(file.elf_header(), &bytes),
        _ => None,
    };
    let Some(loader) = loader else {
        return Err(InputError::new(
            format!("LD_PRELOAD has no effect on {name}: it is linked statically"),
            "link it dynamically",
        ));
    };
    if has_own_malloc(&file) {
        return Err(InputError::new(
            format!("LD_PRELOAD has no effect on {name}: it has its own malloc"),
            "build it without its own allocator",
        ));
    }
    Ok(loader)
}

/// Whether a process of this user and group has more rights in this program. The loader
/// then ignores `LD_PRELOAD`.
fn gains_rights(file: &Metadata, user: u32, group: u32) -> bool {
    file.mode() & SET_USER_ID != 0 && file.uid() != user
        || file.mode() & SET_GROUP_ID != 0 && file.gid() != group
}

fn named_loader<H: FileHeader>(header: &H, bytes: &[u8]) -> Option<PathBuf> {
    let endian = header.endian().ok()?;
    let mut segments = header.program_headers(endian, bytes).ok()?.iter();
    let name = segments.find_map(|segment| segment.interpreter(endian, bytes).ok()?)?;
    Some(OsStr::from_bytes(name).into())
}

/// Whether the program contains `malloc`. The loader finds a routine of the program before
/// one of a preloaded library.
fn has_own_malloc(file: &object::File<'_>) -> bool {
    let mut symbols = file.dynamic_symbols().chain(file.symbols());
    symbols.any(|symbol| !symbol.is_undefined() && symbol.name() == Ok("malloc"))
}

fn unreadable(path: &Path, error: &std::io::Error) -> InputError {
    let name = shown(path.as_os_str());
    InputError::new(
        format!("{name} cannot be read: {error}"),
        "check the path and the permissions",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[rstest]
    #[case("#!/bin/sh\necho", "/bin/sh")]
    #[case("#! /usr/bin/env -S x\n", "/usr/bin/env")]
    #[case("#!\t/bin/sh", "/bin/sh")]
    fn the_interpreter_of_a_script_is_started(#[case] text: &str, #[case] name: &str) {
        let (_folder, path) = file(text);
        assert_eq!(interpreter(&path).unwrap(), Some(name.into()));
    }

    #[test]
    fn a_file_that_is_no_script_is_started_itself() {
        let (_folder, path) = file("\x7fELF");
        assert_eq!(started(&path).unwrap(), path);
    }

    #[test]
    fn a_script_that_interprets_itself_is_refused() {
        let (_folder, path) = file("");
        fs::write(&path, format!("#!{}\n", path.display())).unwrap();
        let error = started(&path).unwrap_err();
        assert!(error.problem.contains("too many scripts"), "{error}");
    }

    #[rstest]
    #[case::of_another_user(0o4755, 1, 0, true)]
    #[case::of_another_group(0o2755, 0, 1, true)]
    #[case::of_the_same_user_and_group(0o6755, 0, 0, false)]
    #[case::without_the_bits(0o755, 1, 1, false)]
    fn a_program_gains_rights_if_it_runs_as_another_user_or_group(
        #[case] mode: u32,
        #[case] other_user: u32,
        #[case] other_group: u32,
        #[case] gains: bool,
    ) {
        let (_folder, path) = file("");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        let user = metadata.uid() + other_user;
        let group = metadata.gid() + other_group;
        assert_eq!(gains_rights(&metadata, user, group), gains);
    }
}
