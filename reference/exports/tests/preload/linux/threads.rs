//! Threads that resize and free each other's blocks, while the process forks
//! and calls `_heapmin`: `threads.c`.

use super::Subject;
use super::room::{FILES, Room, compile};
use libtest_mimic::Failed;
use std::path::Path;

pub(super) const SUBJECT: Subject = Subject {
    name: "threads",
    // Only a C compiler, which all of these tests need.
    needs: || Ok(()),
    run,
};

fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    let program = room.folder.join("threads.exe");
    let source = Path::new(FILES).join("threads.c");
    compile(&source, &program, &["-ldl", "-pthread"])?;
    room.run("threads.exe", &mut room.command(&program))
}
