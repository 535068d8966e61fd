//! The clauses of the C runtime heap, and how a candidate is judged by them.
//!
//! [`clauses`] has each clause beside the cases that try it. [`run`] runs a
//! candidate's cases in probes, and [`judge`] turns the observations into
//! verdicts. [`expected`] says which deviations are known. [`report`] shows the
//! result to the user.

#![forbid(unsafe_code)]

pub mod bench;
pub mod clause;
pub mod clauses;
pub mod cli;
pub mod expected;
pub mod figures;
#[cfg(test)]
mod forged;
pub mod fuzz;
pub mod judge;
pub mod observe;
pub mod report;
pub mod run;
pub mod select;
pub mod snapshot;

/// Tells from what sources this program was built.
pub const BUILD: &str = env!("HEAPMIN_BUILD");
