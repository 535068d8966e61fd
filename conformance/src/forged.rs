//! Forged observations, for tests of judges.

use crate::clause::{Clause, Judgement, Seen};
use crate::expected::gate::Findings;
use crate::record::{self, Complaint, Entry, Run, Setting};
use crate::run::{Checked, Outcome};
use crate::select;
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::library::identity::Identity;
use heapmin_harness::library::inspect::{Format, Library, Maker};
use heapmin_harness::library::routines::ROUTINES;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runner::{Runner, Starter};
use heapmin_harness::parent::target::Target;
use heapmin_harness::wire::observation::{Call, Ending, Event, Kind, Observation};
use std::path::Path;

/// A call that returned 0 and left the error state unchanged.
pub(crate) fn call(routine: &str) -> Call {
    Call {
        routine: routine.into(),
        arguments: String::new(),
        kind: Kind::Number,
        returned: 0,
        errno: Some((0, 0)),
        doserrno: Some((0, 0)),
        last_error_before: 0,
        handler_calls: 0,
        refusals: None,
    }
}

/// A fact.
pub(crate) fn fact(name: &str, value: i64) -> Event {
    Event::Fact {
        name: name.into(),
        value,
    }
}

/// The judgement that `by` makes of the clause's first case with these events and
/// this ending.
pub(crate) fn judged_by(
    by: impl Fn(&Seen) -> Judgement,
    clause: &'static Clause,
    events: Vec<Event>,
    ending: Ending,
) -> Judgement {
    by(&Seen {
        clause,
        case: clause.cases[0],
        observation: &Observation {
            events,
            ending,
            duration_ms: 3000,
        },
        numbering: Numbering::Msvc,
        candidate: &candidate(),
    })
}

/// The result of a clause in the case at `case`.
pub(crate) fn outcome(id: &str, case: usize, judgement: Judgement) -> Outcome {
    let clause = select::clause(id).expect("the clause exists");
    Outcome {
        clause,
        case: clause.cases[case],
        judgement,
        known: None,
        at: None,
        beneath: None,
        duration_ms: 7,
    }
}

/// A run of [`candidate`] with these results.
pub(crate) fn checked(outcomes: Vec<Outcome>) -> Checked {
    let nothing = Observation {
        events: Vec::new(),
        ending: Ending::Done,
        duration_ms: 7,
    };
    let cases = outcomes.iter().map(|outcome| {
        let case = outcome.case;
        let traced = record::trace(case, &nothing, Numbering::Msvc, None);
        (case.name, traced)
    });
    Checked {
        candidate: candidate(),
        cases_run: outcomes.len(),
        fence: None,
        given_back: None,
        stable: Default::default(),
        cases: cases.collect(),
        numbering: Numbering::Msvc,
        repeated: None,
        outcomes,
    }
}

/// The record of a run with these results and findings.
pub(crate) fn record(checked: &[Checked], findings: Findings) -> Run {
    let setting = Setting {
        started: std::time::UNIX_EPOCH,
        duration: std::time::Duration::ZERO,
        options: record::Options {
            fence: true,
            ..Default::default()
        },
        observations: false,
    };
    record::make(checked, &[], findings, setting)
}

/// What is said about a clause of the candidate `c` that has this entry.
pub(crate) fn complaint(kind: record::Kind, clause: &str, entry: Entry) -> Complaint {
    Complaint {
        candidate: Some("c".into()),
        clause: Some(clause.into()),
        entry: Some(entry),
        ..Complaint::new(kind, "changed".into())
    }
}

/// A candidate that no test loads. It exports every routine.
pub(crate) fn candidate() -> Candidate {
    Candidate::of_file(
        "c".into(),
        "/c.so".into(),
        Library {
            format: Format::Elf,
            arch: "x86_64".into(),
            exports: ROUTINES.iter().map(|name| (*name).to_owned()).collect(),
            forwarded: Vec::new(),
            version: None,
            original_name: None,
            maker: Maker::Other,
            own_calls: Vec::new(),
            needs: Vec::new(),
        },
        Identity::of(Path::new(".")).unwrap(),
        Runner {
            starter: Starter::System,
            target: Target::native(),
            wine_version: None,
            program: "/heapmin".into(),
            is_fenced: false,
            memory: None,
            sees_memory: true,
            frees_threads: true,
        },
    )
}
