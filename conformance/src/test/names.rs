//! The names of libraries in the names of tests.

use crate::expected::File;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::shown;
use libtest_mimic::Arguments;

/// Each candidate with the first part of the names of its tests: the name of its file, unless
/// another candidate has the same one.
pub(super) fn of(candidates: Vec<Candidate>) -> Vec<(String, Candidate)> {
    let names: Vec<_> = candidates.iter().map(file_name).collect();
    let name = |candidate: &Candidate| {
        let name = file_name(candidate);
        let is_known = !candidate.name.contains(['/', '\\']);
        let is_unique = names.iter().filter(|it| **it == name).count() == 1;
        match is_unique && !is_known {
            true => name,
            false => candidate.name.clone(),
        }
    };
    let named = candidates.into_iter().map(|it| (name(&it), it));
    named.collect()
}

fn file_name(candidate: &Candidate) -> String {
    shown(candidate.path.file_name().unwrap_or_default())
}

/// Whether the arguments may select tests of the library with this name. A runner that starts
/// a process for each test gives the test's full name; other libraries are then not loaded.
pub fn concerns(arguments: &Arguments, name: &str) -> bool {
    match &arguments.filter {
        Some(filter) if arguments.exact => filter.starts_with(&format!("{name}::")),
        _ => true,
    }
}

/// Checks that each entry of the file names its candidate, if there are several: each library
/// is compared alone, and an entry must not be stale in one because it is of another.
///
/// # Errors
/// The first entry that names none.
pub(super) fn require_in(file: &File, named: &[(String, Candidate)]) -> Result<(), InputError> {
    if named.len() < 2 {
        return Ok(());
    }
    let known = file.expected.known.iter();
    let known = known.filter(|entry| entry.candidate.is_none());
    let judged = file.expected.judged.iter();
    let judged = judged.filter(|entry| entry.candidate.is_none());
    let places = known
        .map(|entry| &entry.place)
        .chain(judged.map(|entry| &entry.place));
    match places.into_iter().next() {
        None => Ok(()),
        Some(place) => Err(InputError::new(
            format!("{place}: the entry does not say which of the libraries it is about"),
            format!("add the key candidate = {:?}", named[0].0),
        )),
    }
}
