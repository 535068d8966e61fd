//! The programs to run, with what each needs and what it does.

mod forks;
mod gcc;
mod git;
mod misuse;
#[path = "../../needs/mod.rs"]
mod needs;
mod perl;
mod proof;
mod python;
mod room;
mod sqlite;
mod threads;
mod without_the_heap;

use libtest_mimic::{Arguments, Failed, Trial};
use room::{Heap, Preload, Room};
use std::process::ExitCode;

/// A program to run on both heaps.
struct Subject {
    name: &'static str,
    /// Returns an error that names what is missing and what to install.
    needs: fn() -> Result<(), String>,
    /// Runs it in an empty folder. The result must be the same on both heaps.
    run: fn(&Room) -> Result<Vec<u8>, Failed>,
}

const SUBJECTS: [Subject; 7] = [
    python::SUBJECT,
    sqlite::SUBJECT,
    git::SUBJECT,
    perl::SUBJECT,
    gcc::SUBJECT,
    threads::SUBJECT,
    forks::SUBJECT,
];

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let show_times = arguments.nocapture;
    let trials = match Preload::prepare() {
        Ok(preload) => trials(&preload, show_times),
        Err(reason) => vec![missing("the-heap", reason)],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(preload: &Preload, show_times: bool) -> Vec<Trial> {
    let subjects = SUBJECTS.map(|subject| match (subject.needs)() {
        Err(reason) => missing(subject.name, reason),
        Ok(()) => {
            let preload = preload.clone();
            let title = format!("preload::{}", subject.name);
            Trial::test(title, move || {
                is_as_on_the_system(&subject, &preload, Heap::Reference, show_times)
            })
        }
    });
    let misuse = misuse::trials(preload);
    let preload = preload.clone();
    let proof = Trial::test("preload::without-the-heap", move || {
        without_the_heap::is_detected(&preload)
    });
    subjects.into_iter().chain([proof]).chain(misuse).collect()
}

fn missing(name: &str, reason: String) -> Trial {
    needs::missing("preload", name, reason, &["all", "preload"])
}

fn is_as_on_the_system(
    subject: &Subject,
    preload: &Preload,
    heap: Heap,
    show_times: bool,
) -> Result<(), Failed> {
    let title = format!("{}-{}", subject.name, heap.name());
    let rooms = [heap, Heap::System].map(|heap| preload.room(&title, heap));
    let [reference, system] = rooms;
    let (reference, system) = (reference?, system?);
    let (result, expected) = ((subject.run)(&reference)?, (subject.run)(&system)?);
    if show_times {
        let seconds = [reference, system].map(|room| room.taken().as_secs_f64());
        let [reference, system] = seconds;
        eprintln!(
            "{}: {reference:.2} s, {system:.2} s on the system's heap",
            subject.name
        );
    }
    match result == expected {
        true => Ok(()),
        false => Err(Failed::from(format!(
            "the result on the reference heap differs:\n{}\n--- on the system's heap:\n{}",
            excerpt(&result),
            excerpt(&expected)
        ))),
    }
}

/// The length and the first 4000 bytes, to show what kind of difference there is.
fn excerpt(result: &[u8]) -> String {
    let first = &result[..result.len().min(4000)];
    format!("{} bytes: {}", result.len(), String::from_utf8_lossy(first))
}
