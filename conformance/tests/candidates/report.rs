//! Tests that compare a report of another machine with snapshots: what
//! `heapmin check --verbose --format json` wrote. With INSTA_UPDATE=always they make the snapshots.

use super::snapshots::{compare, is_by_chance, is_general, is_taken, routines};
use heapmin_conformance::record::{Library, read};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// A test for each library of the report and each routine. A library without snapshots is
/// skipped.
pub(super) fn trials(path: &Path) -> Vec<Trial> {
    let run = read(path).unwrap_or_else(|error| panic!("HEAPMIN_REPORT: {error}"));
    run.candidates.iter().flat_map(trials_of).collect()
}

fn trials_of(library: &Library) -> Vec<Trial> {
    let group = group(library);
    let Some(observations) = &library.observations else {
        let name = &library.name;
        eprintln!("skipped: the report has no observations of {name}; make it with --verbose");
        return Vec::new();
    };
    if !is_taken(&group) {
        eprintln!("skipped: no snapshots of {group}; make them with INSTA_UPDATE=always");
        return Vec::new();
    }
    let routines = routines().into_iter().filter(is_general);
    routines
        .filter_map(|(routine, cases)| {
            let cases = cases.iter().filter(|case| !is_by_chance(&group, case));
            let text = text(cases.map(|case| case.name), observations);
            let (group, name) = (group.clone(), format!("{group}::observes::{routine}"));
            let is_there = !text.is_empty();
            is_there.then(|| Trial::test(name, move || compare(&group, routine, &text)))
        })
        .collect()
}

/// The text of a snapshot, of the cases that the report has.
fn text<'a>(
    cases: impl Iterator<Item = &'a str>,
    observations: &BTreeMap<String, String>,
) -> String {
    let mut text = String::new();
    for case in cases {
        if let Some(seen) = observations.get(case) {
            writeln!(text, "# {case}\n{seen}").expect("writing to a string");
        }
    }
    text
}

/// The folder of a library's snapshots. One name can mean several libraries, and each version of
/// Windows has its own, so that the version is part of it: `msvcr120-12.0.21005.1-x86-under-wine-8.0`.
fn group(library: &Library) -> String {
    let name = library.profile.as_ref().unwrap_or(&library.name);
    let mut group = name.replace([':', '/', '\\'], "-");
    if let Some(version) = &library.version {
        write!(group, "-{version}").expect("writing to a string");
    }
    if library.arch != "x86_64" {
        write!(group, "-{}", library.arch).expect("writing to a string");
    }
    match (library.format.as_str(), &library.wine) {
        ("pe", Some(wine)) => format!("{group}-under-wine-{wine}"),
        ("pe", None) => format!("{group}-on-windows"),
        _ => group,
    }
}
