//! The core file of a process that died (Linux). The system's settings decide where it goes;
//! they are read and never changed.

use heapmin_harness::text::input_error::InputError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::{self, DirEntry};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::SystemTime;

/// The system's setting.
const PATTERN: &str = "/proc/sys/kernel/core_pattern";

/// Lets this process, and those that it starts, write core files of any size.
///
/// # Errors
/// If the hard limit forbids core files.
pub fn allow() -> Result<(), InputError> {
    let maximum = getrlimit(Resource::Core).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    if maximum == Some(0) || setrlimit(Resource::Core, limit).is_err() {
        return Err(InputError::new(
            "the system forbids core files for this process (`ulimit -Hc` is 0)",
            "raise the hard limit, for example in /etc/security/limits.conf",
        ));
    }
    Ok(())
}

/// Where the core file of a process is, and how to open it. `started` is when the process
/// began.
pub fn account(status: ExitStatus, started: SystemTime, program: &Path) -> String {
    let pattern = fs::read_to_string(PATTERN).unwrap_or_default();
    account_of(status, started, program, pattern.trim_end())
}

fn account_of(status: ExitStatus, started: SystemTime, program: &Path, pattern: &str) -> String {
    if status.signal().is_none() {
        return "no core file: the process was not killed by a signal".into();
    }
    let program = program.display();
    if let Some(receiver) = pattern.strip_prefix('|') {
        let name = receiver.split(' ').next().unwrap_or(receiver);
        let how = match name.ends_with("systemd-coredump") {
            true => "`coredumpctl debug` opens the newest one".to_owned(),
            false => format!("see its documentation; gdb {program} CORE opens one"),
        };
        return format!("the system passes core files to {name} ({PATTERN}): {how}");
    }
    if !status.core_dumped() {
        return format!(
            "the process was killed ({status}), and the system wrote no core file; its place would be {pattern} ({PATTERN})"
        );
    }
    match newest_core(&folder(pattern), started) {
        Some(core) => format!(
            "core file: {}; to open it: gdb {program} {}",
            core.display(),
            core.display()
        ),
        None => format!("the system wrote a core file by the pattern {pattern} ({PATTERN})"),
    }
}

/// The folder of core files. A relative pattern is in the current folder.
fn folder(pattern: &str) -> PathBuf {
    let parent = Path::new(pattern).parent().unwrap_or(Path::new(""));
    let here = std::env::current_dir().unwrap_or_default();
    here.join(parent)
}

/// The newest core file in a folder that is not older than a moment.
fn newest_core(folder: &Path, since: SystemTime) -> Option<PathBuf> {
    let written = |entry: &DirEntry| entry.metadata().and_then(|it| it.modified()).ok();
    fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| written(entry).is_some_and(|time| time >= since))
        .filter(|entry| is_core(&entry.path()))
        .max_by_key(written)
        .map(|entry| entry.path())
}

/// Whether a file is an ELF core file.
fn is_core(path: &Path) -> bool {
    const TYPE_OF_CORE: u8 = 4;
    let mut start = [0; 18];
    let file = fs::File::open(path);
    let is_read = file
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok();
    is_read && start.starts_with(b"\x7fELF") && start[16..].contains(&TYPE_OF_CORE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn killed() -> ExitStatus {
        const CORE_DUMPED: i32 = 0x80;
        ExitStatus::from_raw(11 | CORE_DUMPED)
    }

    fn of(status: ExitStatus, pattern: &str) -> String {
        let program = Path::new("/bin/heapmin");
        account_of(status, SystemTime::UNIX_EPOCH, program, pattern)
    }

    #[test]
    fn a_core_file_is_found_by_the_folder_of_the_pattern() {
        let folder = tempfile::tempdir().unwrap();
        let core = folder.path().join("core.heapmin.7");
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(16, 0);
        bytes.extend([4, 0]);
        fs::write(&core, &bytes).unwrap();
        bytes[16] = 3;
        fs::write(folder.path().join("library.so"), &bytes).unwrap();
        let pattern = format!("{}/core.%e.%p", folder.path().display());
        let core = core.display();
        let words = format!("core file: {core}; to open it: gdb /bin/heapmin {core}");
        assert_eq!(of(killed(), &pattern), words);
    }

    #[test]
    fn a_pattern_with_a_program_is_named() {
        let words = of(killed(), "|/lib/systemd/systemd-coredump %P %u");
        assert!(words.contains("/lib/systemd/systemd-coredump"), "{words}");
        assert!(words.contains("coredumpctl"), "{words}");
        let words = of(killed(), "|/usr/share/apport/apport %p");
        assert!(!words.contains("coredumpctl"), "{words}");
    }

    #[test]
    fn a_process_that_ended_by_itself_has_no_core_file() {
        assert!(of(ExitStatus::from_raw(0), "core").starts_with("no core file"));
        let without = ExitStatus::from_raw(11);
        assert!(of(without, "core").contains("wrote no core file"));
    }
}
