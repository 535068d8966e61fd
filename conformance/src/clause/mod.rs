//! What a clause is: a promise, where it comes from, the cases that try it,
//! and how it is judged.
//!
//! A clause is declared once, in the list of its routine:
//!
//! ```text
//! must(
//!     CALLOC,
//!     "calloc.zero-size",
//!     "calloc returns a block also for no elements and for elements of size 0",
//!     stated(Remarks),
//!     &[&ZERO_SIZE],
//!     &[every_call(BLOCK)],
//! ),
//! ```
//!
//! From top to bottom: the level, the routine, the id, the promise, the section of
//! the routine's page with the basis, the cases that try it, and the checks that
//! judge each case. `every_call` judges the calls that a case reports with
//! `probe.observe`; `none_of` judges two figures that it reports with `probe.fact`.

mod case;
pub mod check;
pub mod source;
mod verdict;

pub use case::{Case, Start};
pub use source::{Basis, Limit, Origin, Page, Section, Source, derived, limited, stated};
pub use verdict::{Judgement, Level, Reason, Verdict};

use check::Check;
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::library::inspect::Format;
use heapmin_harness::library::routines::is_beside_errno;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::wire::observation::Observation;

/// A promise of a page.
#[derive(Clone, Copy, Debug)]
pub struct Clause {
    /// Its public name, which does not change once released.
    pub id: &'static str,
    /// The routine that makes the promise.
    pub routine: &'static str,
    /// How binding it is.
    pub level: Level,
    /// What must hold, in a sentence.
    pub promise: &'static str,
    /// Where the promise comes from.
    pub source: Source,
    /// The cases that try it.
    pub cases: &'static [&'static Case],
    /// The checks that must all hold in each case.
    pub checks: &'static [Check],
    /// The only format of libraries that have the routine, with the reason; `None` if a
    /// library of any format may have it.
    pub only_of: Option<(Format, &'static str)>,
    /// Whether a run says nothing about the routine unless this clause, or another with
    /// this mark, is judged.
    pub is_essential: bool,
    /// Routines that a library may lack, and why there is then nothing to keep.
    pub may_lack: Option<(&'static [&'static str], &'static str)>,
    /// Whether a C runtime of Windows keeps it only if the system's heap beneath does, so
    /// that a deviation may be the system's.
    pub rests_on_system: bool,
}

/// What a clause is judged by.
pub struct Seen<'a> {
    /// The clause.
    pub clause: &'static Clause,
    /// The case.
    pub case: &'a Case,
    /// What was seen while the case ran.
    pub observation: &'a Observation,
    /// The numbers that the candidate's `errno` holds.
    pub numbering: Numbering,
    /// The candidate.
    pub candidate: &'a Candidate,
}

impl Seen<'_> {
    /// Whether the library's file shows that the library does not have this routine.
    pub fn lacks(&self, routine: &str) -> bool {
        let profile = self.candidate.profile.as_ref();
        let is_elsewhere = is_beside_errno(routine)
            && profile.is_some_and(|profile| profile.errno_library.is_some());
        !is_elsewhere && !self.candidate.exports(routine)
    }

    /// The judgement of a clause that needs a routine which the library does not have.
    /// It does not apply if the profile says that the routine is gone, if no library of
    /// this format has it, or if no page says that a library has it.
    pub fn missing(&self, routine: &str) -> Judgement {
        let profile = self.candidate.profile.as_ref();
        let observed = format!("the library does not export {routine}");
        let judgement = if profile.is_some_and(|profile| profile.has_no(routine)) {
            Judgement::not_applicable(observed + ", and its profile says that it is gone")
        } else if let Some((format, why)) = self.clause.only_of
            && routine == self.clause.routine
            && format != self.candidate.image.format
        {
            Judgement::not_applicable(format!("{observed}: {why}"))
        } else if let Some((routines, why)) = self.clause.may_lack
            && routines.contains(&routine)
        {
            Judgement::not_applicable(why)
        } else {
            Judgement::not_judged(observed)
        };
        Judgement {
            missing: Some(routine.to_owned()),
            ..judgement
        }
    }
}

impl Clause {
    /// The same clause, for a routine that only libraries of this format have.
    pub const fn only_of(self, format: Format, why: &'static str) -> Clause {
        let only_of = Some((format, why));
        Clause { only_of, ..self }
    }

    /// The same clause, as one of those of which a run must judge at least one.
    pub const fn essential(self) -> Clause {
        Clause {
            is_essential: true,
            ..self
        }
    }

    /// The same clause, which needs routines that a library may lack; `why` says that there
    /// is then nothing to keep.
    pub const fn may_lack(self, routines: &'static [&'static str], why: &'static str) -> Clause {
        let may_lack = Some((routines, why));
        Clause { may_lack, ..self }
    }

    /// The same clause, which a C runtime of Windows keeps only if the system's heap does.
    pub const fn rests_on_system(self) -> Clause {
        Clause {
            rests_on_system: true,
            ..self
        }
    }

    /// Judges what was seen in one of the cases. The first check that does not pass decides,
    /// else the last; its place in the list comes with the judgement.
    pub fn judge(&self, seen: &Seen) -> (usize, Judgement) {
        let mut last = (0, Verdict::Error.because("the clause has no check"));
        for (place, check) in self.checks.iter().enumerate() {
            last = (place, check.judge(seen));
            if last.1.verdict != Verdict::Pass {
                break;
            }
        }
        last
    }

    /// What a report says was expected: that of each check.
    pub fn expects(&self) -> String {
        let mut text = String::new();
        let mut separator = "";
        for check in self.checks {
            text += separator;
            text += &check.expects(self.routine);
            separator = match check {
                Check::OnlyIf { .. } => ", ",
                _ => "; ",
            };
        }
        text
    }
}

/// A routine with the page that documents it.
#[derive(Clone, Copy, Debug)]
pub struct Routine {
    /// The exported name.
    pub name: &'static str,
    /// The page of Microsoft's C runtime reference.
    pub page: &'static Page,
}

/// A clause of level `must`.
pub const fn must(
    routine: Routine,
    id: &'static str,
    promise: &'static str,
    origin: Origin,
    cases: &'static [&'static Case],
    checks: &'static [Check],
) -> Clause {
    Clause {
        id,
        routine: routine.name,
        level: Level::Must,
        promise,
        source: origin.of(routine.page),
        cases,
        checks,
        only_of: None,
        is_essential: false,
        may_lack: None,
        rests_on_system: false,
    }
}

/// A clause of level `should`.
pub const fn should(
    routine: Routine,
    id: &'static str,
    promise: &'static str,
    origin: Origin,
    cases: &'static [&'static Case],
    checks: &'static [Check],
) -> Clause {
    Clause {
        level: Level::Should,
        ..must(routine, id, promise, origin, cases, checks)
    }
}

/// A clause of level `record`: what is observed, and never judged.
pub const fn record(
    routine: Routine,
    id: &'static str,
    promise: &'static str,
    origin: Origin,
    cases: &'static [&'static Case],
    checks: &'static [Check],
) -> Clause {
    Clause {
        level: Level::Record,
        ..must(routine, id, promise, origin, cases, checks)
    }
}
