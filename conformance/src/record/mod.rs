//! The record of a run: all that the reports show, as plain data. A JSON report is a record,
//! and every view is made from one, so that a saved run can be shown again in any form.
//!
//! [`make`] makes it from a run, [`read`] reads a saved one, [`trace`] shortens what was
//! observed in a case, and [`redact`] removes the folders of this machine.

mod causes;
mod count;
mod diff;
mod join;
mod make;
mod merge;
mod read;
mod redact;
mod restore;
mod source;
#[cfg(test)]
mod tests;
mod trace;

pub use causes::{Cause, CauseKind, causes};
pub use count::{Count, Counted, Group, count, counted, counts, groups, lacking};
pub use diff::{Change, Diff, How, diff};
pub use join::join;
pub use make::{Setting, make, sha256};
pub use merge::merge;
pub use read::{parse, read};
pub use redact::redact;
pub use restore::restore;
pub use source::{Place, SourceEntry};
pub use trace::{MOST_CALLS, at, trace};

use crate::clause::{Level, Reason, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the format. It has every field of version 1.
pub const SCHEMA: u32 = 2;

/// The version of the specification: the year of the promises and a number.
pub const SPECIFICATION: &str = "2026.1";

/// A run of `heapmin check`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The version of this format: 2.
    pub schema: u32,
    /// The version of the program.
    pub suite: String,
    /// The version of the promises.
    pub specification: String,
    /// Identifies the sources of the program and its probes.
    pub build: String,
    /// When the run began, in UTC: `2026-11-26T10:00:00Z`.
    pub started: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Where it ran.
    pub machine: Machine,
    /// What the user chose.
    pub options: Options,
    /// The exit status of the run.
    pub status: u8,
    /// Whether the run was interrupted, so that some cases were not run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// The clauses that were selected, in the order of the results.
    pub clauses: Vec<Promise>,
    /// The libraries that were checked.
    pub candidates: Vec<Library>,
    /// The libraries that were not checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
    /// What is not as expected. Any of them fails the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complaints: Vec<Complaint>,
    /// The entries of profiles and files that concern the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<Listed>,
    /// Messages that do not fail the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The machine of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// The operating system: `linux`, `windows`.
    pub system: String,
    /// The version of its kernel.
    pub kernel: Option<String>,
    /// The processor's architecture: `x86_64`.
    pub arch: String,
    /// Number of processors that the run could use.
    pub processors: usize,
}

/// The options of a run that may change its results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Options {
    /// The arguments of the command line.
    pub arguments: Vec<String>,
    /// `--only`.
    pub only: Vec<String>,
    /// `--skip`.
    pub skip: Vec<String>,
    /// `--fault`.
    pub fault: Option<String>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--expected`.
    pub expected: Option<String>,
    /// `--heap`.
    pub heap: Option<String>,
    /// `--preload`.
    pub preload: bool,
    /// Number of cases that ran in parallel.
    pub jobs: usize,
    /// `--timeout`, in seconds.
    pub timeout_s: Option<u64>,
    /// `--max-time`, in seconds.
    pub max_time_s: Option<u64>,
    /// `--repeat`.
    pub repeat: u32,
    /// Whether the library ran with restrictions: not with `--no-fence`.
    pub fence: bool,
    /// `--promises`: the release whose promises are judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promises: Option<String>,
    /// `--partition`: the part of the run, `slice:1/3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// `--must-judge`.
    pub must_judge: Option<Level>,
}

/// A clause that was selected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Promise {
    /// Its id.
    pub id: String,
    /// The routine that makes the promise.
    pub routine: String,
    /// How binding it is.
    pub level: Level,
    /// What must hold, in a sentence.
    pub promise: String,
    /// All its cases, also those that were not run.
    pub cases: Vec<String>,
    /// Whether a run says nothing about the routine unless this clause, or another with this
    /// mark, is judged.
    pub essential: bool,
}

/// A library that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Library {
    /// The name that the user gave.
    pub name: String,
    /// Its file.
    pub path: String,
    /// `elf`, `pe` or `macho`.
    pub format: String,
    /// The architecture: `x86_64`.
    pub arch: String,
    /// Who made it, as far as its file says: `microsoft`, `wine` or `other`.
    pub maker: String,
    /// The SHA-256 sum of the file; `None` if it could not be read.
    pub sha256: Option<String>,
    /// The command that starts the probe. Empty if the probe runs directly.
    pub runner: Vec<String>,
    /// What runs the library, for readers: `Wine 8.0`. Empty if this system does.
    pub run_by: String,
    /// The version of the Wine that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wine: Option<String>,
    /// The profile.
    pub profile: Option<String>,
    /// The version in the file's version resource.
    pub version: Option<String>,
    /// The original name in the version resource of a renamed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_name: Option<String>,
    /// The library that has its other routines, with `--heap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heap: Option<Heap>,
    /// Whether errors have Microsoft's numbers (`msvc`) or the system's (`host`).
    pub errno: String,
    /// Whether the runner has a fence.
    pub fenced: bool,
    /// The restrictions that were in force; `None` if no probe reported any.
    pub fence: Option<Fence>,
    /// Memory of the workloads that free everything, and what the library gave back of it.
    pub given_back: Option<GivenBack>,
    /// Number of results with each verdict.
    pub summary: BTreeMap<String, usize>,
    /// Number of clauses that were judged, and that apply.
    pub judged: Count,
    /// Number of cases that were run.
    pub cases_run: usize,
    /// What several runs showed, with `--repeat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    /// A result for each clause and case, in the order of the clauses.
    pub results: Vec<Outcome>,
    /// What was observed in each case, by its name.
    pub cases: BTreeMap<String, Case>,
    /// The text of a snapshot for each case, with `--verbose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observations: Option<BTreeMap<String, String>>,
}

/// Where the routines of a library were found that another library has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Heap {
    /// The other library.
    #[serde(rename = "library")]
    pub name: String,
    /// The routines.
    pub routines: Vec<String>,
}

/// The restrictions of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fence {
    /// What the library was kept from.
    pub kept: Vec<String>,
    /// Restrictions that this system does not have.
    pub missing: Vec<String>,
}

/// Memory that a library gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GivenBack {
    /// Bytes that the workloads used.
    pub held: u64,
    /// Bytes of them that the library gave back.
    pub back: u64,
}

/// What several runs showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Repeated {
    /// Number of runs.
    pub runs: usize,
    /// The results that were not the same in every run.
    pub changed: Vec<Changed>,
}

/// A result that was not the same in every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// The clause.
    pub clause: String,
    /// The case.
    pub case: String,
    /// Number of runs with each verdict.
    pub verdicts: BTreeMap<String, usize>,
    /// The first line that differs between two runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observations: Option<[String; 2]>,
}

/// The result of a clause in one of its cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The clause.
    pub clause: String,
    /// The case.
    pub case: String,
    /// How binding the clause is.
    pub level: Level,
    /// The verdict.
    pub verdict: Verdict,
    /// The reason, if the verdict is `unsupported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The routine that the library lacks, if that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// What had to be seen.
    pub expected: String,
    /// Where the promise comes from.
    #[serde(flatten)]
    pub source: SourceEntry,
    /// What was seen.
    pub observed: String,
    /// What may be meant, for a common mistake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the heap of the system showed, if the deviation is the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beneath: Option<crate::beneath::Beneath>,
    /// Whether it is a known deviation.
    pub known: bool,
    /// What it is beside the expected results.
    pub state: State,
    /// The entry that lists it, or that no longer applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
    /// Whether bytes changed that the caller had written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub loses_data: bool,
    /// Where in the case it deviates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<At>,
    /// How long the case took, in milliseconds.
    pub duration_ms: u64,
}

/// A result beside the expected results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is no deviation, and none was expected.
    AsExpected,
    /// A deviation that no entry lists.
    New,
    /// A deviation that an entry lists.
    Known,
    /// A listed deviation that no longer occurs.
    Stale,
    /// It was judged before and is not now.
    Lost,
}

/// An entry of a profile, a shared list or an `--expected` file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Its file.
    pub file: String,
    /// Its line.
    pub line: usize,
    /// The reason, in a sentence. Empty for the place of a new entry.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// The address of the bug report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// The day on which it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<String>,
}

impl Entry {
    /// The reason, with the address of the bug report and the day.
    pub fn reason(&self) -> String {
        let added = self.added.as_ref().map(|day| format!("added {day}"));
        let more: Vec<_> = self.bug.clone().into_iter().chain(added).collect();
        match more.is_empty() {
            true => self.why.clone(),
            false => format!("{} ({})", self.why, more.join(", ")),
        }
    }
}

/// An entry that concerns a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// The clause.
    pub clause: String,
    /// The case, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The library, if it is of a profile or names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// Its place and its reason.
    pub entry: Entry,
    /// Whether it is of a profile or a list that profiles share.
    pub is_of_a_profile: bool,
    /// What the run shows.
    pub occurrence: Occurrence,
}

/// What a run shows of a known deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Occurrence {
    /// It occurs.
    Occurs,
    /// It does not occur.
    Gone,
    /// A case ended with `error`, so it may occur or not.
    Undecided,
    /// Not all of its cases were run.
    NotRun,
}

/// The place in a case at which a result deviates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct At {
    /// The step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The number of the event among all events of the case, from 1.
    pub event: usize,
    /// The call, if a call deviates; if the process ended, the last call that returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Call>,
}

/// What was observed in a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// What it does, in a sentence.
    pub summary: String,
    /// How it ended: `done`, or in words.
    pub ending: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The events, in order. Of many, those around the first call that deviates.
    pub events: Vec<Event>,
    /// The memory at each moment at which it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory: Vec<Moment>,
}

/// An event of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The next step began.
    Step(String),
    /// A routine was called.
    Call(Call),
    /// Something was counted or read.
    Fact(Fact),
    /// Anything else, in words.
    Note(String),
    /// Number of events that are left out here.
    LeftOut(usize),
}

/// A call and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// The number of the event among all events of the case, from 1; 0 in runs that were saved
    /// before this field was there.
    #[serde(default)]
    pub event: usize,
    /// The call, written as in C.
    pub call: String,
    /// What it returned: `NULL`, `a block`, or a number.
    pub returned: String,
    /// `errno` before and after it; `None` if the library's `errno` cannot be located.
    pub errno: Option<[ErrorNumber; 2]>,
    /// `_doserrno` before and after it, if the library has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doserrno: Option<[u32; 2]>,
    /// The system's last error before it.
    pub last_error: u32,
    /// Number of calls of the invalid parameter handler.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handler_calls: u32,
    /// Number of system calls that were refused meanwhile; `None` without a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusals: Option<u32>,
}

/// Decides with serde whether a number is written.
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A value of `errno`, as text: `ENOMEM (12)`, or a number without a name.
pub type ErrorNumber = String;

/// Something that was counted or read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// The number of the event among all events of the case, as in [`Call::event`].
    #[serde(default)]
    pub event: usize,
    /// What.
    pub name: String,
    /// The figure; in bytes if it is memory.
    pub value: i64,
}

/// The memory of the probe at one moment, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// The moment's name.
    pub moment: String,
    /// The resident memory.
    pub resident: u64,
    /// The part of it that the process has released and the system has not yet taken.
    #[serde(default, skip_serializing_if = "is_zero_bytes")]
    pub lazily_freed: u64,
}

/// As [`is_zero`].
fn is_zero_bytes(bytes: &u64) -> bool {
    *bytes == 0
}

/// A library that was not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// The name that the user gave.
    pub name: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub mend: String,
}

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Complaint {
    /// Its kind.
    pub kind: Kind,
    /// The message, with what to do.
    pub message: String,
    /// The library.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// The clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// The case, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The entry that it is about, or the place for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Entry>,
}

/// The kind of a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Deviations that no entry lists.
    New,
    /// Results that are `error`.
    Error,
    /// A listed deviation that no longer occurs.
    Stale,
    /// A clause that was judged before and is not now.
    Lost,
    /// A verdict that changed in the runs of `--repeat`.
    Unsteady,
    /// A known deviation without a bug report, with `--require-bug`.
    NoBug,
    /// A clause that must be judged and was not.
    NotJudged,
}

impl Kind {
    /// Whether the results themselves show it as well.
    pub fn is_in_the_results(self) -> bool {
        matches!(self, Kind::New | Kind::Error)
    }
}

impl Run {
    /// The clause with this id.
    pub fn promise(&self, id: &str) -> Option<&Promise> {
        self.clauses.iter().find(|clause| clause.id == id)
    }
}

impl Outcome {
    /// Whether this is a deviation that is not listed.
    pub fn is_unexpected(&self) -> bool {
        self.verdict.is_deviation() && !self.known
    }
}
