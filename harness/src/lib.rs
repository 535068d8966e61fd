//! Loads a candidate C runtime in a process of its own and observes it. Nothing here
//! knows a clause.
//!
//! A process boundary divides the code:
//!
//! - [`library`] reads what is known of a library before it is loaded.
//! - [`parent`] finds a runner for it, starts a probe for each case and watches it.
//! - [`wire`] is what parent and probe send each other.
//! - [`probe`] is the process that loads the library and acts on it.
//! - [`text`] is text from and for the user; [`memory`] is what the system reports.
//!
//! Data flows one way: an argument becomes a [`parent::candidate`], a [`wire::job`]
//! goes to the probe, and a [`wire::observation`] comes back. The probe trusts no
//! input of the candidate, and the parent does not trust the probe.

pub mod known;
pub mod library;
pub mod memory;
pub mod parent;
pub mod probe;
pub mod text;
pub mod wire;
