//! Writes the file of expected results instead of running tests.

use super::{Suite, UPDATE_VARIABLE, loaded};
use crate::expected::profiles::Profiles;
use crate::expected::status;
use crate::run::{Limits, check};
use crate::select::Selection;
use heapmin_harness::text::input_error::InputError;
use libtest_mimic::Arguments;
use std::thread::available_parallelism;

/// Changes the file to match what the libraries do now. Returns a line that says what changed.
///
/// # Errors
/// If the suite has no file, the arguments select single tests, a library cannot be loaded, or
/// the file cannot be changed.
pub(super) fn update(suite: &Suite, arguments: &Arguments) -> Result<String, InputError> {
    if arguments.filter.is_some() || !arguments.skip.is_empty() || arguments.list {
        return Err(InputError::new(
            format!("{UPDATE_VARIABLE}=1 writes the whole file, and the arguments select tests"),
            format!("run `{UPDATE_VARIABLE}=1 cargo test --test NAME` without a filter"),
        ));
    }
    let Some(mut file) = suite.expected_file(true)? else {
        let problem = format!("{UPDATE_VARIABLE}=1, and this test program has no file to write");
        return Err(InputError::new(problem, "name one with Suite::expected"));
    };
    let selection = Selection::new(suite.clauses()?, None);
    let (candidates, pace) = loaded(suite.candidates()?)?;
    let jobs = available_parallelism().map_or(1, usize::from);
    let limits = Limits {
        jobs,
        pace: &pace,
        until: None,
    };
    let profiles = Profiles::of(&candidates)?;
    let mut checked = check(candidates, &selection, limits, |_| ());
    profiles.mark(&mut checked);
    status::mark(&mut checked, file.known());
    let changes = file.update(&mut checked)?;
    Ok(changes.expect("the file was opened to be updated"))
}
