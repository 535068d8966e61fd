//! Code that tests of sound heaps share with tests of mutants.

use heapmin_conformance::clause::{Case, Clause, Level, Verdict};
use heapmin_conformance::clauses;
use heapmin_conformance::observe::observe;
use heapmin_conformance::run::judge_observation;
use heapmin_conformance::shipped::{catalogue, runners_of};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::runners::Choice;
use libtest_mimic::Failed;
use std::collections::BTreeMap;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(180);

/// Clauses that are unsupported on Linux, and why.
const NOT_OF_LINUX: &[(&str, &str)] = &[
    ("heapmin.nothing-free", "only Windows has HeapCompact"),
    (
        "get-heap-handle.exported",
        "there is no Win32 heap to have a handle of",
    ),
    (
        "get-heap-handle.owns-the-blocks",
        "there is no Win32 heap to ask",
    ),
    (
        "get-heap-handle.keeps-errno",
        "there is no Win32 heap to ask",
    ),
    (
        "heapmin.same-heap-through-alias",
        "it has no second name; `sound-with-another-name` of `mutants.rs` gives one",
    ),
];

/// Clauses that are unsupported on a machine with little memory.
pub(crate) const NEED_MEMORY: &[&str] = &["malloc.large-blocks"];

/// The families of clauses, in their order, without those about a process: the libraries
/// of these tests do not stand in for the system's heap. `stand_ins.rs` has some that do.
///
/// A heap may lack `_strdup` and its relatives, and the routines of the new handler, as the
/// reference does: `with_all` says whether the library has them.
pub(crate) fn families(with_all: bool) -> Vec<&'static str> {
    let applicable = clauses::all()
        .filter(|clause| !about_a_process(clause))
        .filter(|clause| with_all || clause.may_lack.is_none());
    let mut families: Vec<_> = applicable.map(family).collect();
    families.dedup();
    families
}

fn family(clause: &'static Clause) -> &'static str {
    clause.id.split_once('.').expect("an id has two parts").0
}

/// Whether the clause applies only to libraries that stand in for the system's heap.
pub(crate) fn about_a_process(clause: &Clause) -> bool {
    clause.cases.iter().all(|case| case.stand_in.is_some())
}

/// The clauses that are judged, not only recorded.
pub(crate) fn judged() -> impl Iterator<Item = &'static Clause> {
    clauses::all().filter(|clause| clause.level != Level::Record)
}

/// A library of the fixtures, with the profile of this name.
pub(crate) fn candidate(
    library: &str,
    profile: &str,
    alias: Option<&str>,
) -> Result<Candidate, Failed> {
    let catalogue = catalogue()?;
    let mut profile = catalogue.profile(profile)?;
    profile.alias = alias.map(str::to_owned);
    profile.stands_in = false;
    let runners = runners_of(env!("CARGO_BIN_EXE_heapmin").into(), Choice::default());
    Ok(catalogue.candidate(library, Some(&profile), &runners)?)
}

/// One library and the judgements of its cases.
pub(crate) struct Subject {
    pub candidate: Candidate,
    /// The time limit for each case.
    pub timeout: Duration,
    /// The deviations by clause, each with the observation.
    pub deviations: BTreeMap<&'static str, Vec<(Verdict, String)>>,
    /// The clauses that had a verdict other than `unsupported`.
    pub supported: Vec<&'static str>,
}

impl Subject {
    /// A library of which no case was run yet.
    pub(crate) fn new(candidate: Candidate) -> Subject {
        Subject {
            candidate,
            timeout: TIMEOUT,
            deviations: BTreeMap::new(),
            supported: Vec::new(),
        }
    }

    /// Runs a case and judges all its clauses by it.
    pub(crate) fn run(&mut self, case: &'static Case) {
        let observation = observe(&self.candidate, case, self.timeout);
        let concerned =
            judged().filter(|clause| clause.cases.iter().any(|it| it.name == case.name));
        for clause in concerned {
            let judgement = judge_observation(clause, case, &self.candidate, &observation);
            if judgement.verdict != Verdict::Unsupported {
                self.supported.push(clause.id);
            }
            if judgement.verdict.is_deviation() {
                let observed = format!("{}: {}", case.name, judgement.observed);
                let of_clause = self.deviations.entry(clause.id).or_default();
                of_clause.push((judgement.verdict, observed));
            }
        }
    }
}

/// Checks that a sound heap keeps every promise of a family, without the cases in
/// `left_out`. Exactly the `excused` clauses and those of [`NOT_OF_LINUX`] must be
/// unsupported.
pub(crate) fn keeps_promises(
    candidate: Candidate,
    family: &str,
    excused: &[&str],
    left_out: &[&str],
) -> Result<(), Failed> {
    let mut subject = Subject::new(candidate);
    let of_family = || judged().filter(|clause| self::family(clause) == family);
    for case in clauses::distinct(of_family().flat_map(|clause| clause.cases.iter().copied())) {
        if !left_out.contains(&case.name) {
            subject.run(case);
        }
    }
    if !subject.deviations.is_empty() {
        return Err(format!("{:#?}", subject.deviations).into());
    }
    for clause in of_family() {
        let excused =
            excused.contains(&clause.id) || NOT_OF_LINUX.iter().any(|(id, _)| *id == clause.id);
        let supported = subject.supported.contains(&clause.id);
        if !NEED_MEMORY.contains(&clause.id) && supported == excused {
            return Err(format!("{}: supported: {supported}", clause.id).into());
        }
    }
    Ok(())
}
