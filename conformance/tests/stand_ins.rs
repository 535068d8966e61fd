//! Libraries that stand in for the system's heap: a sound one keeps every promise about a
//! heap in a process, and each variant with a fault breaks exactly the clauses that it
//! names (`fixtures/test-libraries/stand-ins/`).
#![cfg(target_os = "linux")]

#[expect(dead_code, reason = "other tests use the rest")]
mod sound_heap;

use heapmin_conformance::clause::Verdict;
use heapmin_conformance::clauses;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_test_libraries::{Mutant, SOUND, STAND_IN, STAND_INS};
use libtest_mimic::{Arguments, Failed, Trial};
use sound_heap::{Subject, about_a_process, candidate, judged};
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let mut trials = vec![
        Trial::test("sound", sound),
        Trial::test("no-stand-in", no_stand_in),
        Trial::test("every-clause-can-fail", every_clause_can_fail),
    ];
    trials.extend(
        STAND_INS
            .iter()
            .map(|it| Trial::test(it.name, || variant(it))),
    );
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The library as one that stands in for the system's heap.
fn stand_in(path: &str) -> Result<Candidate, Failed> {
    let mut candidate = candidate(path, "glibc", None)?;
    candidate.stands_in = true;
    Ok(candidate)
}

/// Judges the clauses about a process by all their cases.
fn observed(candidate: Candidate) -> Subject {
    let mut subject = Subject::new(candidate);
    subject.timeout = Duration::from_secs(60);
    let cases = judged()
        .filter(|it| about_a_process(it))
        .flat_map(|it| it.cases);
    for case in clauses::distinct(cases.copied()) {
        subject.run(case);
    }
    subject
}

fn sound() -> Result<(), Failed> {
    let subject = observed(stand_in(STAND_IN)?);
    if !subject.deviations.is_empty() {
        return Err(format!("{:#?}", subject.deviations).into());
    }
    let supported = |id| subject.supported.contains(&id);
    let unsupported: Vec<_> = judged()
        .filter(|it| about_a_process(it) && !supported(it.id))
        .map(|it| it.id)
        .collect();
    match unsupported.is_empty() {
        true => Ok(()),
        false => Err(format!("unsupported: {unsupported:?}").into()),
    }
}

/// No clause about a process applies to a library that does not stand in.
fn no_stand_in() -> Result<(), Failed> {
    let subject = observed(candidate(SOUND, "glibc", None)?);
    match subject.deviations.is_empty() && subject.supported.is_empty() {
        true => Ok(()),
        false => Err(format!("{:#?}, {:?}", subject.deviations, subject.supported).into()),
    }
}

fn variant(variant: &Mutant) -> Result<(), Failed> {
    let subject = observed(stand_in(variant.path)?);
    let mut wrong = String::new();
    for id in variant.breaks {
        let found = subject.deviations.get(id).into_iter().flatten();
        let is_broken = |(verdict, _): &(Verdict, String)| *verdict != Verdict::Error;
        if !found.clone().any(is_broken) {
            writeln!(wrong, "{id} does not fail: {:?}", found.collect::<Vec<_>>())?;
        }
    }
    for (id, found) in &subject.deviations {
        if !variant.breaks.contains(id) {
            writeln!(
                wrong,
                "{id} deviates, and the variant does not name it: {found:?}"
            )?;
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(wrong.into()),
    }
}

fn every_clause_can_fail() -> Result<(), Failed> {
    let broken = |id| STAND_INS.iter().any(|variant| variant.breaks.contains(&id));
    let never: Vec<_> = judged()
        .filter(|it| about_a_process(it) && !broken(it.id))
        .map(|it| it.id)
        .collect();
    match never.is_empty() {
        true => Ok(()),
        false => Err(format!("no variant breaks {never:?}").into()),
    }
}
