//! A library to check, and how it is loaded. It lives on the parent's side and not in
//! [`crate::library`], because it has a runner.

use super::runner::Runner;
use super::stage::Stage;
use crate::library::identity::Identity;
use crate::library::inspect::Library;
use crate::library::profile::Profile;
use std::ffi::OsString;
use std::path::PathBuf;

/// A library to check.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// As the user called it.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What its file tells.
    pub image: Library,
    /// What is known of it.
    pub profile: Option<Profile>,
    /// What the loader is given.
    pub load_name: OsString,
    /// Its file as it was when it was looked at.
    pub identity: Identity,
    /// What runs the probe.
    pub runner: Runner,
    /// Environment variables that the probe needs.
    pub environment: Vec<(String, String)>,
    /// The folder from which Wine loads it, if it needs one.
    pub stage: Option<Stage>,
}
