//! What was observed while one case ran: plain data, in the order of events.

use super::coverage::Pairs;
use super::fence::InForce;
use crate::memory::Memory;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The name of the fact that says whether the probe's invalid parameter handler is set.
pub const HANDLER_SET: &str = "invalid parameter handler set";

/// The kind of value that a routine returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Nothing.
    Nothing,
    /// A number, an error or a status.
    Number,
    /// A number of bytes; -1 means the greatest possible number.
    Size,
    /// A pointer: 0 means null, 1 any other.
    Pointer,
}

/// A call of a routine, with the thread's error values before and after it. An error value
/// is `None` if the candidate does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The routine's name.
    pub routine: String,
    /// The arguments, written as in C.
    pub arguments: String,
    /// The meaning of `returned`.
    pub kind: Kind,
    /// The value that the routine returned.
    pub returned: i64,
    /// `errno` immediately before and after the call.
    pub errno: Option<(i32, i32)>,
    /// `_doserrno` immediately before and after the call.
    pub doserrno: Option<(u32, u32)>,
    /// The system's last error before the call (`GetLastError`; on Unix the host's
    /// `errno`).
    pub last_error_before: u32,
    /// How many times the routine called the invalid parameter handler. 0 if the probe's
    /// handler is not set.
    pub handler_calls: u32,
    /// How many system calls were refused during the call; `None` without a fault.
    pub refusals: Option<u32>,
}

impl Call {
    /// The returned value in words.
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

/// The result of one operation of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The operation's place in the script, from 0.
    pub index: u64,
    /// The call; `None` for `check` and `end`, and for an operation that was skipped because
    /// the block in its slot does not allow it, or another thread has the slot.
    pub call: Option<Call>,
    /// The number of bytes in live blocks that changed.
    pub lost: u64,
    /// The number of bytes that should be zero and are not.
    pub not_zero: u64,
    /// Whether the block lacks the alignment that it should have.
    pub misaligned: bool,
    /// Whether the block overlaps another live block.
    pub overlaps: bool,
    /// Whether the library reports a smaller size than the script requested.
    pub too_small: bool,
    /// Whether a routine that never moves blocks moved this one.
    pub moved: bool,
    /// The result of a walk.
    pub walk: Option<Walk>,
}

impl Answer {
    /// An answer with only a call.
    pub fn of(call: Call) -> Answer {
        Answer {
            call: Some(call),
            ..Answer::default()
        }
    }

    /// Whether the call returned a block.
    pub fn is_block(&self) -> bool {
        let call = self.call.as_ref();
        call.is_some_and(|call| call.kind == Kind::Pointer && call.returned != 0)
    }
}

/// The result of a walk over the heap, for the blocks of `malloc`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The number of entries.
    pub entries: u64,
    /// The number of live blocks without an entry in use.
    pub missing: u32,
    /// The number of live blocks with more than one entry.
    pub twice: u32,
    /// The number of live blocks whose entry is smaller than the block.
    pub too_small: u32,
}

/// Where routines were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Homes {
    /// In the library itself.
    pub candidate: Vec<String>,
    /// In the library of the heap, which the user named.
    pub heap: Vec<String>,
    /// In the library that contains `errno`, if that is another one.
    pub runtime: Vec<String>,
}

/// One event of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The probe has started.
    Hello {
        /// Identifies the sources from which the probe was built.
        build: String,
        /// Its process number, if this system gave it; 0 under Wine.
        #[serde(default)]
        process: u32,
    },
    /// The probe has raised its fence, as far as the system can.
    Fenced(InForce),
    /// The library is loaded.
    Loaded {
        /// Its file, as the loader names it; `None` if the loader does not.
        path: Option<String>,
    },
    /// The library's `_errno` returns the address of the host's `errno`.
    SharesErrno,
    /// The routines that the loader finds. A probe without a case reports them.
    Routines(Homes),
    /// The library calls a routine of another library instead of its own.
    Elsewhere {
        /// The routine.
        routine: String,
        /// The file whose routine it calls.
        file: String,
    },
    /// The library could not be loaded; the reason.
    LoadFailed(String),
    /// The case needs this routine, which the library does not have.
    Missing(String),
    /// The case does not apply to this library or system; the reason.
    NotApplicable(String),
    /// The case applies and cannot run here; the reason.
    NotJudged(String),
    /// The candidate returned null for a block that the case needs.
    OutOfMemory {
        /// The requested bytes.
        size: u64,
        /// The bytes that the system still had available, if it reports them.
        available: Option<u64>,
    },
    /// The next step of the case.
    Step(String),
    /// A routine was called.
    Call(Call),
    /// Memory was measured.
    Moment {
        /// The moment's name.
        name: String,
        /// As the process itself sees it: on Windows, also under Wine.
        inside: Option<Memory>,
        /// As the parent sees the process from outside.
        outside: Option<Memory>,
    },
    /// The result of an operation of a script.
    Answer(Answer),
    /// Something was counted or read.
    Fact {
        /// What was counted or read.
        name: String,
        /// The figure; in bytes if it is memory.
        value: i64,
    },
    /// What the calls of one routine covered, if the job said to record it.
    Covered {
        /// The routine.
        routine: String,
        /// The pairs of values.
        pairs: Pairs,
    },
    /// The probe itself failed, without a fault of the candidate; the reason.
    ProbeFailed(String),
    /// An unhandled exception (Windows); its code.
    Exception(u32),
    /// The case ran to its end.
    Done,
}

/// How the probe process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The case ran to its end.
    Done,
    /// The process ended before the case; how, in words.
    Died(String),
    /// The time limit ran out and the process was killed.
    TimedOut,
    /// The harness itself failed; the reason.
    Failed(String),
    /// The user interrupted the run, and the probe was killed.
    Interrupted,
}

/// Everything that was observed while one case ran.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The events, in order.
    pub events: Vec<Event>,
    /// How the case ended.
    pub ending: Ending,
    /// The duration of the case, in milliseconds.
    pub duration_ms: u64,
}

impl Observation {
    /// Whether the probe reported its start. Before that, it loads no candidate.
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

    /// The memory at a named moment, measured from outside or, if that is missing, from
    /// inside.
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

    /// The memory at a named moment, measured from inside; `None` unless it was also
    /// measured from outside.
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

    /// The value of a fact.
    pub fn fact(&self, wanted: &str) -> Option<i64> {
        self.events.iter().find_map(|event| match event {
            Event::Fact { name, value } if name == wanted => Some(*value),
            _ => None,
        })
    }

    /// The routine that the case needs and the library does not have.
    pub fn missing(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::Missing(routine) => Some(routine.as_str()),
            _ => None,
        })
    }

    /// Why the case does not apply.
    pub fn not_applicable(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::NotApplicable(reason) => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Why the case could not run although it applies.
    pub fn not_judged(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::NotJudged(reason) => Some(reason.as_str()),
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

    /// Whether the library was loaded.
    pub fn was_loaded(&self) -> bool {
        let is_loaded = |event: &Event| matches!(event, Event::Loaded { .. });
        self.events.iter().any(is_loaded)
    }

    /// The file that was loaded, as the loader names it.
    pub fn loaded_from(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::Loaded { path } => path.as_deref(),
            _ => None,
        })
    }

    /// Whether the library's `_errno` returns the address of the host's `errno`.
    pub fn shares_errno(&self) -> bool {
        self.events.contains(&Event::SharesErrno)
    }

    /// Where the routines were found, if the probe reported it.
    pub fn homes(&self) -> Option<&Homes> {
        self.events.iter().find_map(|event| match event {
            Event::Routines(homes) => Some(homes),
            _ => None,
        })
    }

    /// The routine that the library calls in another library instead of its own, and the
    /// file of that library.
    pub fn elsewhere(&self) -> Option<(&str, &str)> {
        self.events.iter().find_map(|event| match event {
            Event::Elsewhere { routine, file } => Some((routine.as_str(), file.as_str())),
            _ => None,
        })
    }

    /// The size of a block that the candidate could not allocate, and the memory that the
    /// system had available; both in bytes.
    pub fn out_of_memory(&self) -> Option<(u64, Option<u64>)> {
        self.events.iter().find_map(|event| match event {
            Event::OutOfMemory { size, available } => Some((*size, *available)),
            _ => None,
        })
    }

    /// The last step that the case began.
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
    fn observed_values_are_found_by_name() {
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
