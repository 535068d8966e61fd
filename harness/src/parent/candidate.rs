//! A candidate: a library to check, and the way to load it. This file is on the parent's
//! side and not in [`crate::library`], because a candidate has a runner.

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
    /// The argument with which the user named it.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What its file says.
    pub image: Library,
    /// What is known of it from a profile.
    pub profile: Option<Profile>,
    /// The path or name that the probe passes to the loader.
    pub load_name: OsString,
    /// The version of its file that was inspected.
    pub identity: Identity,
    /// What runs the probe.
    pub runner: Runner,
    /// Environment variables that the probe needs.
    pub environment: Vec<(String, String)>,
    /// The folder from which Wine loads it, if it needs its own.
    pub stage: Option<Stage>,
}

impl Candidate {
    /// The same library, judged by another profile.
    pub(super) fn judged_by(self, profile: Profile) -> Candidate {
        Candidate {
            profile: Some(profile),
            ..self
        }
    }
}
