//! A conformance suite for the C runtime heap: its clauses, and the program that judges
//! libraries by them.
//!
//! To check a library in a Rust test target, see [`mod@test`]: that is one call.
//!
//! [`clauses`] contains the clauses and their cases. [`shipped`] knows the profiles and makes
//! candidates. [`observe`] runs one case of a candidate in a probe, and [`judge`] turns the
//! observation into a verdict; [`run`] does both for many. [`beneath`] finds the deviations
//! that are the system's. [`expected`] reads and compares known deviations, and [`judged`]
//! complains if too little was judged. [`record`] is the run as data, and [`views`] show it to
//! the user. The modules that are not listed here belong to the command `heapmin`.
//!
//! # Example
//!
//! One case of one clause, on the reference heap. [`own_probe`] makes the program its own
//! probe.
//!
//! ```standalone_crate
//! use heapmin_conformance::clause::Verdict;
//! use heapmin_conformance::observe::observe;
//! use heapmin_conformance::run::judge_observation;
//! use heapmin_conformance::{own_probe, select, shipped};
//! use heapmin_harness::parent::runners::Choice;
//! use std::time::Duration;
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     own_probe::run_if_started_as_one();
//!     let runners = shipped::runners_of(std::env::current_exe()?, Choice::default());
//!     // Or the path of a library.
//!     let candidate = shipped::catalogue()?.candidate("reference", None, &runners)?;
//!
//!     let clause = select::clause("heapmin.success-returns-zero")?;
//!     let case = clause.cases[0];
//!     let seen = observe(&candidate, case, Duration::from_secs(60));
//!     let judgement = judge_observation(clause, case, &candidate, &seen);
//!     assert_eq!(judgement.verdict, Verdict::Pass, "{}", judgement.observed);
//!     Ok(())
//! }
//! ```
//!
//! A whole run, its record, and the same record read again, as from the file that
//! `heapmin check --format json` writes:
//!
//! ```standalone_crate
//! use heapmin_conformance::clause::Verdict;
//! use heapmin_conformance::expected::gate::Findings;
//! use heapmin_conformance::pace::Pace;
//! use heapmin_conformance::record::{self, Options, Setting};
//! use heapmin_conformance::run::{Limits, check};
//! use heapmin_conformance::select::{Selection, select};
//! use heapmin_conformance::{own_probe, shipped};
//! use heapmin_harness::parent::runners::Choice;
//! use std::time::{Duration, SystemTime};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     own_probe::run_if_started_as_one();
//!     let runners = shipped::runners_of(std::env::current_exe()?, Choice::default());
//!     let candidate = shipped::catalogue()?.candidate("reference", None, &runners)?;
//!
//!     let selection = Selection::new(select(&["heapmin.success-*".into()], &[])?, None);
//!     let pace = Pace::fixed(Duration::from_secs(60));
//!     let limits = Limits { jobs: 2, pace: &pace, until: None };
//!     let started = SystemTime::now();
//!     let checked = check(vec![candidate], &selection, limits, |_| ());
//!
//!     let setting = Setting {
//!         started,
//!         duration: started.elapsed()?,
//!         options: Options::default(),
//!         observations: false,
//!     };
//!     let run = record::make(&checked, &[], Findings::default(), setting);
//!     let folder = tempfile::tempdir()?;
//!     let file = folder.path().join("run.json");
//!     std::fs::write(&file, serde_json::to_string(&run)?)?;
//!
//!     let run = record::read(&file)?;
//!     let library = &run.candidates[0];
//!     assert_eq!(library.summary["fail"], 0);
//!     assert!(library.results.iter().all(|it| it.verdict == Verdict::Pass));
//!     Ok(())
//! }
//! ```

#![forbid(unsafe_code)]
#![warn(clippy::missing_errors_doc)]

#[doc(hidden)]
pub mod bench;
pub mod beneath;
pub mod clause;
pub mod clauses;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod debug;
pub mod expected;
#[doc(hidden)]
pub mod figures;
#[cfg(test)]
mod forged;
#[doc(hidden)]
pub mod fuzz;
pub mod judge;
pub mod judged;
pub mod load;
pub mod observe;
pub mod own_probe;
pub mod pace;
#[doc(hidden)]
pub mod partition;
pub mod promises;
pub mod record;
pub mod repeat;
#[doc(hidden)]
pub mod repro;
pub mod run;
pub mod select;
pub mod shipped;
#[doc(hidden)]
pub mod snapshot;
pub mod test;
pub mod views;

/// A hash of the sources of this program. A probe must be built from the same sources.
pub const BUILD: &str = env!("HEAPMIN_BUILD");
