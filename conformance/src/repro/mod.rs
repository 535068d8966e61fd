//! A C file that shows a deviation without this program.
//!
//! The file loads the library by its path and makes the calls in a child process. The
//! calls come from one of three places: `call` writes the call that deviated, with the
//! check that follows from the clause; [`parts`] has short bodies in C, by clause;
//! `script` writes a sequence that `heapmin fuzz` found. `frame` puts the rest of the
//! program around them.

mod call;
mod frame;
pub mod parts;
mod routines;
mod script;
mod template;

use crate::clause::{Case, Clause, Seen};
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::library::inspect::Maker;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::wire::step::Step;
use std::collections::BTreeSet;

/// The kind of program that the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A program of its own.
    Plain,
    /// A test of Wine's own kind.
    Wine,
}

/// What the file does between loading the library and its end: C code with the function
/// `test`, which calls routines as `p_NAME`.
struct Body {
    code: String,
    /// Routines that it calls only if the library has them.
    optional: BTreeSet<String>,
}

/// What the comment at the top of the file says.
struct About {
    /// What the file is about: a clause with its case, or a script.
    subject: String,
    promise: String,
    /// Addresses of the pages that make the promise.
    pages: Vec<String>,
    observed: Option<String>,
    /// A name for the test, as an identifier.
    name: String,
    /// Whether Wine's library is known to fail the one check of the file.
    is_todo: bool,
}

/// The file for one clause, by what was seen of the library in one of its cases.
///
/// # Errors
/// If the clause has no such file; the message has the reason.
pub fn of_clause(
    seen: &Seen,
    observed: Option<(&str, bool)>,
    style: Style,
) -> Result<String, InputError> {
    let clause = seen.clause;
    refuse(clause)?;
    let deviates = observed.is_some_and(|(_, deviates)| deviates);
    let (body, is_one_call) = match parts::body(clause, seen) {
        Some(body) => (body, false),
        None => match call::body(seen) {
            // A call that ends as it must shows nothing of another deviation.
            Some((body, is_wrong)) if is_wrong || !deviates => (body, true),
            _ => return Err(no_call(clause, seen.case)),
        },
    };
    let about = About {
        subject: format!("{}, case {}", clause.id, seen.case.name),
        promise: clause.promise.to_owned(),
        pages: clause
            .source
            .places()
            .into_iter()
            .map(|place| place.address)
            .collect(),
        observed: observed.map(|(observed, _)| observed.to_owned()),
        name: clause.id.replace(['.', '-'], "_"),
        is_todo: is_one_call && deviates && seen.candidate.image.maker == Maker::Wine,
    };
    frame::file(&body, &about, seen.candidate, seen.numbering, style)
}

/// The file for a sequence that `heapmin fuzz` saved.
///
/// # Errors
/// If the library's routines cannot be found by one path.
pub fn of_script(
    steps: &[Step],
    name: &str,
    candidate: &Candidate,
    numbering: Numbering,
    style: Style,
) -> Result<String, InputError> {
    let about = About {
        subject: format!("the sequence in {name}"),
        promise: "each call ends as its page says, and no call changes a byte of another block"
            .to_owned(),
        pages: Vec::new(),
        observed: None,
        name: "sequence".to_owned(),
        is_todo: false,
    };
    frame::file(&script::body(steps), &about, candidate, numbering, style)
}

/// Whether the file for this clause does not depend on what was seen of the library.
pub fn is_declared(clause: &Clause) -> bool {
    parts::declared(clause).is_some()
}

/// Refuses a clause that has no file.
///
/// # Errors
/// The reason.
pub fn refuse(clause: &Clause) -> Result<(), InputError> {
    match parts::without(clause) {
        None => Ok(()),
        Some(reason) => Err(InputError::new(
            format!("{} has no C file: {reason}", clause.id),
            "docs/guide/repro.md lists the clauses without one; `heapmin check --only` shows the deviation",
        )),
    }
}

fn no_call(clause: &Clause, case: &Case) -> InputError {
    InputError::new(
        format!(
            "{}: the library made no call in the case {} that a C file could repeat",
            clause.id, case.name
        ),
        "`heapmin check --only` shows why; another case can be named with --case",
    )
}
