//! A forged observation as text: the name of a case, how it ended, the routines
//! that the candidate does not export, and the lines of the channel. A recorded
//! observation is a seed.

use heapmin_conformance::clause::Case;
use heapmin_conformance::clauses;
use heapmin_harness::wire::channel::{encode, events};
use heapmin_harness::wire::observation::{Ending, Event, Observation};

const TOKEN: &str = "seed";

/// A forged observation of a case.
#[derive(Debug)]
pub struct Forgery {
    /// The case.
    pub case: &'static Case,
    /// The kind of its ending, and its duration in seconds.
    pub ending: (u8, u64),
    /// The routines that the candidate does not export: bit n for routine n.
    pub missing: u64,
    /// The events.
    pub events: Vec<Event>,
}

impl Forgery {
    /// The forgery in any bytes. An unknown name means the first case.
    pub fn read(bytes: &[u8]) -> Forgery {
        let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
        let mut line = || std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
        let name = line();
        let (kind, seconds) = line().split_once(' ').unwrap_or_default();
        let missing = u64::from_str_radix(line(), 16).unwrap_or(0);
        let cases = clauses::cases();
        let case = cases.iter().find(|case| case.name == name);
        Forgery {
            case: case.unwrap_or(&cases[0]),
            ending: (kind.parse().unwrap_or(0), seconds.parse().unwrap_or(0)),
            missing,
            events: events(lines.next().unwrap_or_default(), TOKEN).collect(),
        }
    }

    /// The bytes of this forgery.
    pub fn write(&self) -> Vec<u8> {
        let (kind, seconds) = self.ending;
        let name = self.case.name;
        let mut text = format!("{name}\n{kind} {seconds}\n{:x}\n", self.missing);
        for event in &self.events {
            text += &encode(TOKEN, event);
        }
        text.into_bytes()
    }

    /// The observation for judges.
    pub fn observation(&self) -> Observation {
        let (kind, seconds) = self.ending;
        Observation {
            events: self.events.clone(),
            ending: match kind {
                1 => Ending::Died("killed by SIGSEGV (11)".into()),
                2 => Ending::Died("killed by SIGSYS (31)".into()),
                3 => Ending::TimedOut,
                4 => Ending::Failed("\u{1b}[2Jno\nsuch thing".into()),
                5 => Ending::Interrupted,
                _ => Ending::Done,
            },
            duration_ms: seconds.saturating_mul(1000),
        }
    }
}
