//! `HEAPMIN_MISUSE=abort` ends a program that misuses a block, and no other program.

use super::room::{FILES, Heap, Preload, Room, compile};
use super::{Subject, git, perl, threads};
use libtest_mimic::{Failed, Trial};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Output;

/// How a program of this test ends.
#[derive(Clone, Copy)]
enum End {
    /// With this message, in which `{}` is the address of the block.
    Message(&'static str),
    /// By an access to a page without access.
    NoAccess,
    /// With status 0.
    Normal,
}
use End::{Message, NoAccess, Normal};

const PAST: End = Message("block {} of 24 bytes was written past its end");
const BEFORE: End = Message("block {} was written before its start");
const NO_BLOCK: End = Message("free of {}, which is no live block");

/// The ways to misuse a block in `misuse.c`.
const WAYS: [(&str, End); 30] = [
    ("free twice", Message("double free of {}")),
    ("free twice, large", Message("double free of {}")),
    (
        "free twice, with others between",
        Message("double free of {}"),
    ),
    (
        "free twice, with a handler of SIGABRT",
        Message("double free of {}"),
    ),
    ("free the stack", NO_BLOCK),
    ("free the middle", NO_BLOCK),
    ("free the middle, large", NO_BLOCK),
    ("free one byte later", NO_BLOCK),
    (
        "resize after free",
        Message("realloc of {}, which was freed"),
    ),
    (
        "resize the middle",
        Message("realloc of {}, which is no live block"),
    ),
    ("write past the end", PAST),
    (
        "write past the end, page",
        Message("block {} of 4096 bytes was written past its end"),
    ),
    (
        "write past the end, large",
        Message("block {} of 300000 bytes was written past its end"),
    ),
    ("write past the end, aligned", PAST),
    ("write past the end, resize", PAST),
    ("write past the end, other call", PAST),
    ("write past the end, _heapchk", PAST),
    ("write past the end, _heapmin", PAST),
    ("write past the end, exit", PAST),
    ("write far past the end", NoAccess),
    ("write before the start", BEFORE),
    ("write before the start, large", BEFORE),
    ("write before the start, aligned", BEFORE),
    (
        "write after free",
        Message("block {} of 24 bytes was written after it was freed"),
    ),
    (
        "write after free, much later",
        Message("block {} of 24 bytes was written after it was freed"),
    ),
    (
        "write after free, exit",
        Message("block {} of 300000 bytes was written after it was freed"),
    ),
    ("write to a block of size 0", NoAccess),
    ("read a block of size 0", NoAccess),
    ("nothing", Normal),
    ("nothing, after many keys", Normal),
];

/// The programs that must run as without the option.
const SUBJECTS: [Subject; 3] = [git::SUBJECT, perl::SUBJECT, threads::SUBJECT];

pub(super) fn trials(preload: &Preload) -> Vec<Trial> {
    let program = match build(preload) {
        Ok(program) => program,
        Err(error) => return vec![Trial::test("misuse::program", || Err(error))],
    };
    let ways = WAYS.iter().flat_map(|&(way, end)| {
        [(Heap::Checked, end), (Heap::Reference, Normal)].map(|(heap, end)| {
            let (preload, program) = (preload.clone(), program.clone());
            let state = if heap == Heap::Checked { "on" } else { "off" };
            let title = format!("misuse::{state}::{}", way.replace([' ', ','], "-"));
            Trial::test(title, move || {
                ends(&run(&preload, &program, way, heap, None)?, end)
            })
        })
    });
    let subjects = SUBJECTS
        .into_iter()
        .filter(|subject| (subject.needs)().is_ok());
    let subjects = subjects.map(|subject| {
        let preload = preload.clone();
        Trial::test(format!("misuse::on::{}", subject.name), move || {
            super::is_as_on_the_system(&subject, &preload, Heap::Checked, false)
        })
    });
    let (preload, of_unknown) = (preload.clone(), program.clone());
    let unknown = Trial::test("misuse::unknown-value", move || {
        let way = "free twice";
        let output = run(&preload, &of_unknown, way, Heap::Reference, Some("yes"))?;
        let message =
            "heapmin: the value of HEAPMIN_MISUSE is unknown and ignored, set it to abort\n";
        match output.status.success() && output.stderr.ends_with(message.as_bytes()) {
            true => Ok(()),
            false => Err(Failed::from(format!("{output:?}"))),
        }
    });
    let page = Trial::test("misuse::page-of-the-book", has_every_message);
    ways.chain(subjects).chain([unknown, page]).collect()
}

/// The page of the book has each message, for a block of 24 bytes.
fn has_every_message() -> Result<(), Failed> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/misuse.md");
    let page = fs::read_to_string(page)?;
    for (way, end) in WAYS {
        if let Message(text) = end
            && (text.contains(" 24 bytes ") || !text.contains(" bytes "))
        {
            let message = format!("`heapmin: {}`", text.replace("{}", "0x…"));
            if !page.contains(&message) {
                return Err(Failed::from(format!("no {message} of {way} in the page")));
            }
        }
    }
    Ok(())
}

fn build(preload: &Preload) -> Result<PathBuf, Failed> {
    let program = preload.witness.with_file_name("misuse.exe");
    let source = Path::new(FILES).join("misuse.c");
    let options = ["-O1", "-ldl", "-fno-builtin", "-Wno-use-after-free"];
    compile(&source, &program, &options)?;
    Ok(program)
}

fn run(
    preload: &Preload,
    program: &Path,
    way: &str,
    heap: Heap,
    value: Option<&str>,
) -> Result<Output, Failed> {
    let title = format!("misuse-{}", way.replace([' ', ','], "-"));
    let preloaded = [preload.runtime.clone()];
    let title = format!("{title}-{}", heap.name());
    let room = Room::new(&title, heap, &preload.runtime, &preloaded)?;
    let mut command = room.command(program);
    command.arg(way);
    if let Some(value) = value {
        command.env("HEAPMIN_MISUSE", value);
    }
    Ok(command.output()?)
}

fn ends(output: &Output, end: End) -> Result<(), Failed> {
    const ABORT: i32 = 6;
    const NO_ACCESS: i32 = 11;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let signal = match (output.status.signal(), output.status.code()) {
        (Some(signal), _) => signal,
        (None, code) => code.unwrap_or_default().saturating_sub(128).max(0),
    };
    let (expected, message) = match end {
        Message(text) => {
            let address = stdout.lines().last().unwrap_or_default();
            (ABORT, format!("heapmin: {}\n", text.replace("{}", address)))
        }
        NoAccess => (NO_ACCESS, String::new()),
        Normal => (0, String::new()),
    };
    let is_expected = match end {
        Message(_) => stderr.starts_with(&message),
        NoAccess => !stderr.contains("heapmin"),
        Normal => output.status.success() && stderr.is_empty(),
    };
    match is_expected && signal == expected {
        true => Ok(()),
        false => Err(Failed::from(format!(
            "signal {signal} instead of {expected}, {}\n{stdout}{stderr}--- expected:\n{message}",
            output.status
        ))),
    }
}
