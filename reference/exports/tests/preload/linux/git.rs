//! Git makes a repository, clones it, repacks it and checks it.

use super::Subject;
use super::needs::is_program;
use super::room::{FILES, Room};
use libtest_mimic::Failed;

pub(super) const SUBJECT: Subject = Subject {
    name: "git",
    needs: || is_program("git".as_ref(), "git (Debian: apt-get install git)"),
    run,
};

fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    let mut command = room.command("sh");
    command.arg(format!("{FILES}/repository.sh"));
    // The system's settings must not change the result.
    command.env("GIT_CONFIG_NOSYSTEM", "1");
    room.run("git", &mut command)
}
