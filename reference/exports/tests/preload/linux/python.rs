//! Python runs its own tests of lists, dictionaries and JSON. With PYTHONMALLOC
//! every object is a block of the heap; by default Python puts objects into arenas.

use super::Subject;
use super::needs::is_program;
use super::room::Room;
use libtest_mimic::Failed;
use std::path::PathBuf;
use std::process::Command;

pub(super) const SUBJECT: Subject = Subject {
    name: "python",
    needs: || program().map(|_| ()),
    run,
};

const TESTS: [&str; 3] = ["test_list", "test_dict", "test_json"];

/// A Python that has its tests: the first one in PATH, or else the system's. Returns
/// the path of its program, because the one in PATH may be a script.
fn program() -> Result<PathBuf, String> {
    is_program(
        "python3".as_ref(),
        "python3 (Debian: apt-get install python3)",
    )?;
    let query = "import sys, test.test_list, test.test_dict, test.test_json; print(sys.executable)";
    let found = ["python3", "/usr/bin/python3"].iter().find_map(|python| {
        let output = Command::new(python).args(["-c", query]).output().ok()?;
        let path = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| path.trim().into())
    });
    found.ok_or_else(|| {
        "the tests of python3 not found, install libpython3-testsuite \
         (Debian 12: apt-get install libpython3.11-testsuite)"
            .into()
    })
}

fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    let program = program()?;
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let mut command = room.command(&program);
    command.env("PYTHONMALLOC", "malloc");
    command.args(["-m", "test"]).args(TESTS);
    let output = room.run(&name, &mut command)?;
    // The rest of the output has times in it.
    let verdict = "All 3 tests OK.";
    match String::from_utf8_lossy(&output).contains(verdict) {
        true => Ok(verdict.into()),
        false => Err(Failed::from(String::from_utf8_lossy(&output).into_owned())),
    }
}
