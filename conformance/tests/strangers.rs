//! Sound heaps of other designs than the reference's keep every promise.
//!
//! If one of them breaks a clause, the clause judges a habit of our own heap
//! (`fixtures/test-libraries/strangers/`, docs/internals/strangers.md).
#![cfg(target_os = "linux")]

mod sound_heap;

use heapmin_conformance::clauses;
use heapmin_test_libraries::STRANGERS;
use libtest_mimic::{Arguments, Failed, Trial};
use sound_heap::{Subject, candidate, families, judged, keeps_promises};
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::Path;
use std::process::ExitCode;

/// A stranger, a clause that is unsupported with it, and why.
const UNSUPPORTED: &[(&str, &str, &str)] = &[
    (
        "mappings",
        "heapset.fills-free-entries",
        "it unmaps freed blocks: its walk has no free entry",
    ),
    (
        "system_malloc",
        "heapset.fills-free-entries",
        "it knows only its live blocks: its walk has no free entry",
    ),
];

/// A stranger, a case that is run with `--ignored` only, and why.
const LEFT_OUT: &[(&str, &str, &str)] = &[(
    "mappings",
    "release-64-byte-blocks",
    "two million blocks with a page each are 8 GiB",
)];

/// Each stranger is judged by the clauses of `_heapmin` and by half of the other families, each
/// family by half of the strangers. With this variable and value, all are judged by all.
const EVERY: (&str, &str) = ("HEAPMIN_STRANGERS", "every-family");

/// The reference with spans of another size.
const NARROW: &str = "reference_with_narrow_spans";

fn main() -> ExitCode {
    let mut trials = vec![Trial::test(
        "every-exception-is-one",
        every_exception_is_one,
    )];
    let is_whole = std::env::var(EVERY.0).is_ok_and(|it| it == EVERY.1);
    for (place, (stranger, path)) in strangers().into_iter().enumerate() {
        for (number, family) in families(stranger != NARROW).into_iter().enumerate() {
            let is_now = is_whole || family == "heapmin" || (place + number) % 2 == 0;
            let sound = move || {
                let candidate = candidate(path, "reference", None)?;
                let (excused, left_out) = (of(UNSUPPORTED, stranger), of(LEFT_OUT, stranger));
                keeps_promises(candidate, family, &excused, &left_out)
            };
            let trial = Trial::test(format!("{stranger}::{family}"), sound);
            trials.push(trial.with_ignored_flag(!is_now));
        }
        for case in of(LEFT_OUT, stranger) {
            let trial = Trial::test(format!("{stranger}::case::{case}"), move || run(path, case));
            trials.push(trial.with_ignored_flag(true));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The strangers of the fixtures, and the reference with spans of another size,
/// which a build of this test puts next to it.
fn strangers() -> Vec<(&'static str, &'static str)> {
    let narrow = Path::new(env!("CARGO_BIN_EXE_heapmin")).with_file_name("deps");
    let narrow = narrow.join(format!("{DLL_PREFIX}heapmin_crt_narrow{DLL_SUFFIX}"));
    let narrow = narrow.into_os_string().into_string();
    let narrow = narrow.expect("a path of plain text").leak();
    let mut strangers = STRANGERS.to_vec();
    strangers.push((NARROW, narrow));
    strangers
}

/// The rows of a table for one stranger.
fn of(table: &[(&str, &'static str, &str)], stranger: &str) -> Vec<&'static str> {
    let rows = table.iter().filter(|(of, ..)| *of == stranger);
    rows.map(|(_, what, _)| *what).collect()
}

/// Runs one case; no clause may deviate.
fn run(path: &str, name: &str) -> Result<(), Failed> {
    let mut subject = Subject::new(candidate(path, "reference", None)?);
    let case = clauses::cases().into_iter().find(|case| case.name == name);
    subject.run(case.ok_or("no case has this name")?);
    match subject.deviations.is_empty() {
        true => Ok(()),
        false => Err(format!("{:#?}", subject.deviations).into()),
    }
}

/// Checks that the strangers, clauses and cases of the tables exist.
fn every_exception_is_one() -> Result<(), Failed> {
    let names = |it: &str| strangers().iter().any(|(stranger, _)| *stranger == it);
    for (stranger, id, _) in UNSUPPORTED {
        if !names(stranger) || !judged().any(|clause| clause.id == *id) {
            return Err(
                format!("{stranger}, {id}: the stranger or the clause does not exist").into(),
            );
        }
    }
    for (stranger, case, _) in LEFT_OUT {
        if !names(stranger) || !clauses::cases().iter().any(|it| it.name == *case) {
            return Err(
                format!("{stranger}, {case}: the stranger or the case does not exist").into(),
            );
        }
    }
    Ok(())
}
