//! A library whose fork handler takes a lock, while a thread that has the lock allocates:
//! `fork_lock.c` and `forks.c`.

use super::Subject;
use super::room::{FILES, Room, compile};
use libtest_mimic::Failed;
use std::path::Path;

pub(super) const SUBJECT: Subject = Subject {
    name: "forks",
    // Only a C compiler, which all of these tests need.
    needs: || Ok(()),
    run,
};

fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    let (library, program) = (
        room.folder.join("libforklock.so"),
        room.folder.join("forks.exe"),
    );
    let options = ["-shared", "-fPIC", "-pthread"];
    compile(&Path::new(FILES).join("fork_lock.c"), &library, &options)?;
    let library = library.display().to_string();
    let options = [library.as_str(), "-pthread", "-Wl,-rpath,$ORIGIN"];
    compile(&Path::new(FILES).join("forks.c"), &program, &options)?;
    room.run("forks.exe", &mut room.command(&program))
}
