//! Forged runs of several libraries, for the tests of the site.

use crate::clause::Judgement;
use crate::expected::gate::Findings;
use crate::forged;
use crate::record::{Library, Run};

/// The clause that the forged libraries were judged by.
pub(super) const CLAUSE: &str = "heapmin.idempotent";

/// A library of this name with this result.
pub(super) fn named(name: &str, judgement: Judgement) -> Library {
    let checked = forged::checked(vec![forged::outcome(CLAUSE, 0, judgement)]);
    let mut run = forged::record(&[checked], Findings::default());
    let mut library = run.candidates.remove(0);
    library.name = name.into();
    library
}

/// A run of these libraries that began at this time.
pub(super) fn run(started: &str, libraries: Vec<Library>) -> Run {
    let checked = forged::checked(vec![forged::outcome(CLAUSE, 0, Judgement::pass("0"))]);
    let mut run = forged::record(&[checked], Findings::default());
    run.started = started.into();
    run.candidates = libraries;
    run
}
