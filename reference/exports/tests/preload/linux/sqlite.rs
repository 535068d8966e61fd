//! SQLite makes a table of 200,000 rows, asks it, and takes most of it away.

use super::Subject;
use super::needs::is_program;
use super::room::{FILES, Room};
use libtest_mimic::Failed;
use std::fs;

pub(super) const SUBJECT: Subject = Subject {
    name: "sqlite",
    needs: || {
        is_program(
            "sqlite3".as_ref(),
            "sqlite3 (Debian: apt-get install sqlite3)",
        )
    },
    run,
};

/// Its answers, and the file.
fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    let mut command = room.command("sqlite3");
    // The shell reads the lines of a file as it would read a terminal's.
    command.args(["-batch", "-bail", "table.db"]);
    let script = fs::File::open(format!("{FILES}/table.sql"))?;
    let answers = room.run("sqlite3", command.stdin(script))?;
    if !answers.ends_with(b"\nok\n") {
        let answers = String::from_utf8_lossy(&answers).into_owned();
        return Err(Failed::from(answers));
    }
    Ok([answers, fs::read(room.folder.join("table.db"))?].concat())
}
