//! What was seen while one case ran: plain data, in the order it happened.

use super::fence::InForce;
use crate::memory::Memory;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of the fact whether the probe's invalid parameter handler is in force.
pub const HANDLER_SET: &str = "invalid parameter handler set";

/// What a routine gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nothing.
    Nothing,
    /// A number, an error or a status.
    Number,
    /// A number of bytes; -1 stands for the greatest there is.
    Size,
    /// A pointer: 0 is null, 1 anything else.
    Pointer,
}

/// A call of a routine under observation, with the thread's error values
/// around it. `None` where the candidate has no such value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The routine's name.
    pub routine: String,
    /// What it was called with, as a reader of C would write it.
    pub arguments: String,
    /// What the number below stands for.
    pub kind: Kind,
    /// What it returned.
    pub returned: i64,
    /// `errno` just before and just after.
    pub errno: Option<(i32, i32)>,
    /// `_doserrno` just before and just after.
    pub doserrno: Option<(u32, u32)>,
    /// The system's last error before (`GetLastError`; on Unix the host's `errno`).
    pub last_error_before: u32,
    /// How often it called the invalid parameter handler, if ours is set.
    pub handler_calls: u32,
    /// How often the system was made to refuse during the call; `None` where
    /// no fault was made.
    pub refusals: Option<u32>,
}

impl Call {
    /// What it returned, in words.
    pub fn result(&self) -> String {
        match (self.kind, self.returned) {
            (Kind::Nothing, _) => "returned nothing".into(),
            (Kind::Pointer, 0) => "returned NULL".into(),
            (Kind::Pointer, _) => "returned a block".into(),
            (Kind::Number | Kind::Size, number) => format!("returned {number}"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let result = self.result();
        write!(f, "{}({}) {result}", self.routine, self.arguments)
    }
}

/// What came of one operation of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The operation's place in the script.
    pub index: u64,
    /// The call; none if there was nothing to do, for want of a block.
    pub call: Option<Call>,
    /// Bytes of blocks that were not as they were written.
    pub lost: u64,
    /// Bytes that should have been zero.
    pub not_zero: u64,
    /// The block is not aligned as it should be.
    pub misaligned: bool,
    /// The block has bytes of another live one.
    pub overlaps: bool,
    /// The library counts fewer bytes than were asked for.
    pub too_small: bool,
    /// The block was moved by a routine that never does.
    pub moved: bool,
    /// What a walk found.
    pub walk: Option<Walk>,
}

impl Answer {
    /// Nothing but a call so far.
    pub fn of(call: Call) -> Answer {
        Answer {
            call: Some(call),
            ..Answer::default()
        }
    }

    /// Whether the call gave a block.
    pub fn is_block(&self) -> bool {
        let call = self.call.as_ref();
        call.is_some_and(|call| call.kind == Kind::Pointer && call.returned != 0)
    }
}

/// What a walk over the heap found of the blocks of `malloc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// Entries on the way.
    pub entries: u64,
    /// Live blocks that were not found in use.
    pub missing: u32,
    /// Live blocks that were found more than once.
    pub twice: u32,
    /// Live blocks whose entry is smaller than they.
    pub too_small: u32,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The probe is there and was built from these sources.
    Hello {
        /// As [`crate::probe::run`] was given it.
        build: String,
    },
    /// The fence is raised, as far as the system has it.
    Fenced(InForce),
    /// The library is loaded, from this file as the loader names it.
    Loaded {
        /// `None` if the loader does not say.
        path: Option<String>,
    },
    /// The library could not be loaded, for this reason.
    LoadFailed(String),
    /// The case needs a routine that the library does not have.
    Missing(String),
    /// The case cannot run here, for this reason.
    NotApplicable(String),
    /// The candidate gave null for a block that it should be able to give.
    OutOfMemory {
        /// The bytes asked for.
        size: u64,
        /// The bytes that the system still had for it, if it says.
        available: Option<u64>,
    },
    /// What the case does next.
    Step(String),
    /// A routine was called.
    Call(Call),
    /// Memory was measured.
    Moment {
        /// The moment's name.
        name: String,
        /// As the process itself sees it; kept where a runner is in front.
        inside: Option<Memory>,
        /// As the parent sees the process from outside.
        outside: Option<Memory>,
    },
    /// What came of an operation of a script.
    Answer(Answer),
    /// Something was counted or read.
    Fact {
        /// What.
        name: String,
        /// The figure; bytes where it is memory.
        value: i64,
    },
    /// The probe itself failed, for this reason; the candidate is not to blame.
    ProbeFailed(String),
    /// An exception that nobody handled (Windows), with its code.
    Exception(u32),
    /// The case ran to its end.
    Done,
}

/// How the probe process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The case ran to its end.
    Done,
    /// The process ended before the case did; how, in words.
    Died(String),
    /// The time limit ran out and the process was killed.
    TimedOut,
    /// The harness itself failed, for this reason.
    Failed(String),
    /// The user wants the run to end; the probe was killed.
    Interrupted,
}

/// Everything that was seen while one case ran.
#[derive(Clone, Debug)]
pub struct Observation {
    /// In the order they happened.
    pub events: Vec<Event>,
    /// How it ended.
    pub ending: Ending,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl Observation {
    /// Whether the probe got so far as to say that it is there. Before that,
    /// no candidate was loaded by it.
    pub fn has_started(&self) -> bool {
        let is_hello = |event: &Event| matches!(event, Event::Hello { .. });
        self.events.iter().any(is_hello)
    }

    /// The calls of a routine, in order.
    pub fn calls<'a>(&'a self, routine: &'a str) -> impl Iterator<Item = &'a Call> {
        self.events.iter().filter_map(move |event| match event {
            Event::Call(call) if call.routine == routine => Some(call),
            _ => None,
        })
    }

    /// Memory at a named moment: seen from outside if it was, else from inside.
    pub fn memory(&self, moment: &str) -> Option<Memory> {
        self.events.iter().find_map(|event| match event {
            Event::Moment {
                name,
                inside,
                outside,
            } if name == moment => outside.or(*inside),
            _ => None,
        })
    }

    /// Memory at a named moment as the process itself saw it, where there is
    /// such a figure beside the one from outside.
    pub fn memory_inside(&self, moment: &str) -> Option<Memory> {
        self.events.iter().find_map(|event| match event {
            Event::Moment {
                name,
                inside,
                outside: Some(_),
            } if name == moment => *inside,
            _ => None,
        })
    }

    /// A fact by its name.
    pub fn fact(&self, wanted: &str) -> Option<i64> {
        self.events.iter().find_map(|event| match event {
            Event::Fact { name, value } if name == wanted => Some(*value),
            _ => None,
        })
    }

    /// The routine that the case needed and the library does not have.
    pub fn missing(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::Missing(routine) => Some(routine.as_str()),
            _ => None,
        })
    }

    /// Why the case cannot run here.
    pub fn not_applicable(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::NotApplicable(reason) => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Why the library could not be loaded.
    pub fn load_failure(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::LoadFailed(reason) => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Whether the library was loaded, from wherever.
    pub fn was_loaded(&self) -> bool {
        let is_loaded = |event: &Event| matches!(event, Event::Loaded { .. });
        self.events.iter().any(is_loaded)
    }

    /// The file that the loader says it loaded.
    pub fn loaded_from(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::Loaded { path } => path.as_deref(),
            _ => None,
        })
    }

    /// How many bytes the candidate had no memory for, and how many the
    /// system had.
    pub fn out_of_memory(&self) -> Option<(u64, Option<u64>)> {
        self.events.iter().find_map(|event| match event {
            Event::OutOfMemory { size, available } => Some((*size, *available)),
            _ => None,
        })
    }

    /// What the case was doing last.
    pub fn last_step(&self) -> Option<&str> {
        self.events.iter().rev().find_map(|event| match event {
            Event::Step(step) => Some(step.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(kind: Kind, returned: i64) -> Call {
        Call {
            routine: "malloc".into(),
            arguments: String::new(),
            kind,
            returned,
            errno: None,
            doserrno: None,
            last_error_before: 0,
            handler_calls: 0,
            refusals: None,
        }
    }

    #[test]
    fn a_block_is_a_pointer_that_is_not_null() {
        let is_block = |kind, returned| Answer::of(call(kind, returned)).is_block();
        assert!(is_block(Kind::Pointer, 1));
        assert!(!is_block(Kind::Pointer, 0));
        assert!(!is_block(Kind::Size, 1));
        assert!(!Answer::default().is_block());
    }

    #[test]
    fn what_was_seen_is_found_by_its_name() {
        let memory = |resident| Memory {
            resident,
            lazily_freed: 0,
        };
        let moment = |name: &str, inside, outside| Event::Moment {
            name: name.into(),
            inside,
            outside,
        };
        let observation = Observation {
            events: vec![
                Event::Loaded {
                    path: Some("/x.so".into()),
                },
                moment("one", Some(memory(1)), None),
                moment("two", Some(memory(2)), Some(memory(3))),
                moment("three", Some(memory(4)), Some(memory(5))),
            ],
            ending: Ending::Done,
            duration_ms: 0,
        };
        assert_eq!(observation.loaded_from(), Some("/x.so"));
        assert_eq!(observation.memory("one"), Some(memory(1)));
        assert_eq!(observation.memory("three"), Some(memory(5)));
        assert_eq!(observation.memory_inside("one"), None);
        assert_eq!(observation.memory_inside("three"), Some(memory(4)));
        assert_eq!(observation.memory("four"), None);
        assert!(observation.was_loaded() && !observation.has_started());
    }
}
