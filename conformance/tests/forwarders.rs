//! A fault that public bug reports tell of an allocator is found in a library that is right
//! otherwise.
//!
//! A forwarder exports the routines of a CRT heap and calls those of the reference
//! (`fixtures/test-libraries/forwarders/`). Without a fault, it passes every clause. With
//! one, the clauses that it names fail.
#![cfg(target_os = "linux")]

mod sound_heap;

use heapmin_conformance::clause::{Clause, Verdict};
use heapmin_conformance::clauses;
use heapmin_test_libraries::{FORWARDER, FORWARDERS, Forwarder};
use libtest_mimic::{Arguments, Failed, Trial};
use sound_heap::{Subject, candidate, families, judged, keeps_promises};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for family in families(false) {
        let sound =
            move || keeps_promises(candidate(FORWARDER, "reference", None)?, family, &[], &[]);
        trials.push(Trial::test(format!("without-a-fault::{family}"), sound));
    }
    let forwarders = FORWARDERS.iter();
    trials.extend(forwarders.map(|it| Trial::test(it.name, || with_a_fault(it))));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Runs the cases of each clause that the forwarder names: it must fail in at least one.
fn with_a_fault(forwarder: &Forwarder) -> Result<(), Failed> {
    let mut subject = Subject::new(candidate(forwarder.path, "reference", None)?);
    let named: Vec<&Clause> = judged()
        .filter(|clause| forwarder.breaks.contains(&clause.id))
        .collect();
    if named.len() != forwarder.breaks.len() {
        return Err(format!("not all of {:?} are judged clauses", forwarder.breaks).into());
    }
    for case in clauses::distinct(named.iter().flat_map(|clause| clause.cases.iter().copied())) {
        subject.run(case);
    }
    for clause in named {
        let found = subject.deviations.get(clause.id).into_iter().flatten();
        if !found.clone().any(|(verdict, _)| *verdict == Verdict::Fail) {
            let found: Vec<_> = found.collect();
            return Err(format!("{} does not fail: {found:?}", clause.id).into());
        }
    }
    Ok(())
}
