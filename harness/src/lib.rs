//! Loads a candidate C runtime in a separate process and observes it. Nothing here knows
//! a clause.
//!
//! A process boundary divides the code:
//!
//! - [`library`] reads what is known of a library before it is loaded.
//! - [`parent`] finds a runner for it, starts a probe for each case and watches it.
//! - [`wire`] is what parent and probe send each other.
//! - [`probe`] is the process that loads the library and acts on it.
//! - [`text`] reads and shows text of the user's; [`memory`] is what the system reports.
//!
//! Data flows one way. An argument becomes a [`parent::candidate`]; a [`wire::job`] goes
//! to the probe; a [`wire::observation`] comes back. The parent does not trust the probe,
//! because a candidate can change everything in the probe's process.
//!
//! # Example
//!
//! A program that loads a library, allocates a block, and calls `_heapmin`. The program is its
//! own probe: the parent starts it again, and `main` first asks whether that happened.
//!
//! ```standalone_crate
//! use heapmin_harness::parent::catalogue::Catalogue;
//! use heapmin_harness::parent::installed::Installed;
//! use heapmin_harness::parent::launch::Launch;
//! use heapmin_harness::parent::runners::{Choice, Runners};
//! use heapmin_harness::probe::{self, Act, Probe, Stop};
//! use heapmin_harness::wire::channel::new_token;
//! use heapmin_harness::wire::job::Job;
//! use heapmin_harness::wire::observation::{Ending, Event};
//! use std::time::Duration;
//!
//! /// Tells builds apart: a probe must have the cases that its parent knows.
//! const BUILD: &str = "example 1";
//!
//! /// What the probe does in the case `release`.
//! fn release(probe: &mut Probe) -> Result<(), Stop> {
//!     let block = probe.crt.need(1 << 20)?;
//!     probe.crt.free(block)?;
//!     probe.heapmin().map(drop)
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     if probe::is_this_process() {
//!         probe::run(BUILD, None, |case| (case == "release").then_some(release as Act));
//!     }
//!     let program = std::env::current_exe()?;
//!     let runners = Runners::new(Installed::new(program, Vec::new()), BUILD, Choice::default());
//!     let catalogue = Catalogue { profiles: Vec::new() };
//!     let library = "path/to/libmycrt.so";
//! #   let folder = tempfile::tempdir()?;
//! #   let name = format!("{}heapmin_crt{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
//! #   let library = folder.path().join(&name);
//! #   let shipped = heapmin_fixtures::LIBRARIES.iter().find(|it| it.0 == name);
//! #   std::fs::write(&library, shipped.expect("the reference is shipped").1)?;
//!     let candidate = catalogue.candidate(library, None, &runners)?;
//!
//!     let job = Job {
//!         token: new_token(),
//!         case: "release".into(),
//!         load_name: candidate.load_name.clone(),
//!         ..Job::default()
//!     };
//!     let seen = Launch::new(&candidate.runner, Duration::from_secs(60)).observe(&job);
//!     assert_eq!(seen.ending, Ending::Done);
//!     let mut returned = seen.events.iter().filter_map(|event| match event {
//!         Event::Call(call) => Some(call.returned),
//!         _ => None,
//!     });
//!     assert_eq!(returned.next(), Some(0));
//!     Ok(())
//! }
//! ```

#![warn(clippy::missing_errors_doc)]

pub mod library;
pub mod memory;
pub mod parent;
pub mod probe;
pub mod text;
pub mod wire;
