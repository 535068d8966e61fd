//! SQLite makes a table of 200,000 rows, queries it, and deletes most rows.

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

/// The results of the queries, and the database file.
fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    let mut command = room.command("sqlite3");
    // The script is standard input, as if it were typed.
    command.args(["-batch", "-bail", "table.db"]);
    let script = fs::File::open(format!("{FILES}/table.sql"))?;
    let answers = room.run("sqlite3", command.stdin(script))?;
    if !answers.ends_with(b"\nok\n") {
        let answers = String::from_utf8_lossy(&answers).into_owned();
        return Err(Failed::from(answers));
    }
    Ok([answers, fs::read(room.folder.join("table.db"))?].concat())
}
