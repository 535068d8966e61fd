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

pub mod library;
pub mod memory;
pub mod parent;
pub mod probe;
pub mod text;
pub mod wire;
