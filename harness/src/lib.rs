//! Loads a candidate C runtime in a process of its own and observes it.
//!
//! The way through: [`inspect`] says what a file is, [`candidate`] turns what
//! the user named into something to check, [`launch`] starts a [`probe`] for
//! one case, the probe acts on the library and reports over a [`channel`],
//! and what comes out is an [`observation`]. A [`fault`] makes the system
//! refuse on purpose, a [`fence`] keeps a candidate from harm. Nothing here knows a clause.

pub mod candidate;
pub mod channel;
pub mod errno_names;
pub mod fault;
pub mod fence;
pub mod identity;
pub mod input_error;
pub mod inspect;
pub mod interruption;
pub mod known;
pub mod launch;
pub mod memory;
pub mod observation;
pub mod os_name;
pub mod printable;
pub mod probe;
mod process;
pub mod profile;
pub mod runner;
pub mod script;
pub mod stage;
pub mod suggest;
pub mod text_file;
mod version_resource;
