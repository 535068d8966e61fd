//! The programs, each with what it needs and what it does.

mod gcc;
mod git;
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

/// A program to be run on both heaps.
struct Subject {
    name: &'static str,
    /// What is not there for it, and what to install.
    needs: fn() -> Result<(), String>,
    /// Runs it in an empty folder. The result must be the same on both heaps.
    run: fn(&Room) -> Result<Vec<u8>, Failed>,
}

const SUBJECTS: [Subject; 6] = [
    python::SUBJECT,
    sqlite::SUBJECT,
    git::SUBJECT,
    perl::SUBJECT,
    gcc::SUBJECT,
    threads::SUBJECT,
];

pub(crate) fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tells_times = arguments.nocapture;
    let trials = match Preload::prepare() {
        Ok(preload) => trials(&preload, tells_times),
        Err(reason) => vec![missing("the-heap", reason)],
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(preload: &Preload, tells_times: bool) -> Vec<Trial> {
    let subjects = SUBJECTS.map(|subject| match (subject.needs)() {
        Err(reason) => missing(subject.name, reason),
        Ok(()) => {
            let preload = preload.clone();
            let title = format!("preload::{}", subject.name);
            Trial::test(title, move || on_both(&subject, &preload, tells_times))
        }
    });
    let preload = preload.clone();
    let refused = Trial::test("preload::without-the-heap", move || {
        without_the_heap::is_noticed(&preload)
    });
    subjects.into_iter().chain([refused]).collect()
}

fn missing(name: &str, reason: String) -> Trial {
    needs::missing("preload", name, reason, &["all", "preload"])
}

fn on_both(subject: &Subject, preload: &Preload, tells_times: bool) -> Result<(), Failed> {
    let rooms = [Heap::Reference, Heap::System].map(|heap| preload.room(subject.name, heap));
    let [reference, system] = rooms;
    let (reference, system) = (reference?, system?);
    let (made, model) = ((subject.run)(&reference)?, (subject.run)(&system)?);
    if tells_times {
        let seconds = [reference, system].map(|room| room.taken().as_secs_f64());
        let [reference, system] = seconds;
        eprintln!(
            "{}: {reference:.2} s, {system:.2} s on the system's heap",
            subject.name
        );
    }
    match made == model {
        true => Ok(()),
        false => Err(Failed::from(format!(
            "what it made is not what it makes on the system's heap:\n{}\n--- there:\n{}",
            excerpt(&made),
            excerpt(&model)
        ))),
    }
}

/// Enough of it to see what kind of difference there is.
fn excerpt(made: &[u8]) -> String {
    let first = &made[..made.len().min(4000)];
    format!("{} bytes: {}", made.len(), String::from_utf8_lossy(first))
}
