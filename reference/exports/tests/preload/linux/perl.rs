//! Perl fills large hashes, sorts them, and splits texts.

use super::Subject;
use super::needs::is_program;
use super::room::{FILES, Room};
use libtest_mimic::Failed;

pub(super) const SUBJECT: Subject = Subject {
    name: "perl",
    needs: || is_program("perl".as_ref(), "perl (Debian: apt-get install perl)"),
    run,
};

fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    let mut command = room.command("perl");
    room.run("perl", command.arg(format!("{FILES}/words.pl")))
}
