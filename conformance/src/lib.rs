//! The clauses of the C runtime heap, and how a candidate is judged by them.
//!
//! [`clauses`] has them, each beside the cases that provoke it; [`run`] has a
//! candidate's cases acted out in probes; [`judge`] turns what was seen into
//! verdicts; [`report`] tells the user.

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
