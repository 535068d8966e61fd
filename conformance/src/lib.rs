//! A conformance suite for the C runtime heap: its clauses, and the program that judges
//! libraries by them.
//!
//! [`clauses`] contains the clauses and their cases. [`run`] runs the cases of a
//! candidate in probes, and [`judge`] turns the observations into verdicts. [`beneath`]
//! finds the deviations that are the system's. [`expected`] reads and compares known deviations,
//! and [`judged`] complains if too little was judged. [`debug`] runs one case under a debugger. [`record`] is the run as data, and
//! [`views`] show it to the user.

#![forbid(unsafe_code)]

pub mod bench;
pub mod beneath;
pub mod clause;
pub mod clauses;
pub mod cli;
pub mod debug;
pub mod expected;
pub mod figures;
#[cfg(test)]
mod forged;
pub mod fuzz;
pub mod judge;
pub mod judged;
pub mod load;
pub mod observe;
pub mod pace;
pub mod partition;
pub mod promises;
pub mod record;
pub mod repeat;
pub mod repro;
pub mod run;
pub mod select;
pub mod snapshot;
pub mod views;

/// A hash of the sources of this program. A probe must be built from the same sources.
pub const BUILD: &str = env!("HEAPMIN_BUILD");
