//! A candidate: a library to check, and the way to load it. This file is on the parent's
//! side and not in [`crate::library`], because a candidate has a runner.

use super::runner::Runner;
use super::stage::Stage;
use crate::library::identity::Identity;
use crate::library::inspect::{Format, Library};
use crate::library::profile::Profile;
use crate::library::routines::{ROUTINES, names_of};
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use crate::wire::job::{OtherName, SYSTEM_HEAP};
use crate::wire::observation::{Homes, Observation};
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
    /// Whether it can take the place of the system's heap in a process, as its profile or
    /// the user says. The loader must be that of this Linux system.
    pub stands_in: bool,
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
    /// The library that has the heap routines which this one lacks, if one was named.
    pub heap: Option<Heap>,
    /// Folders of the user in which the loader searches for libraries that it needs.
    pub search_folders: Vec<PathBuf>,
    /// The folder of the system's libraries, for a PE file.
    pub system_libraries: Option<PathBuf>,
    /// What a trial showed.
    pub loading: Loading,
}

/// The library that has the heap of a candidate which exports only some routines.
#[derive(Clone, Debug)]
pub struct Heap {
    /// The name that the user or the profile gives.
    pub name: String,
    /// The path or name that the probe passes to the loader.
    pub load_name: OsString,
    /// The names that it exports, if its file was read.
    pub exports: Option<Vec<String>>,
}

/// What happened when a candidate was loaded once, before any case.
#[derive(Clone, Debug, Default)]
pub enum Loading {
    /// It was not tried.
    #[default]
    NotTried,
    /// The library was loaded; where the probe found each routine.
    Loaded(Homes),
    /// The library's own code ended or delayed the process, or it calls another library's
    /// routines: no case can run.
    Ended(Observation),
}

impl Candidate {
    /// A candidate without a profile and without surroundings, which the loader finds by its
    /// path.
    pub fn of_file(
        name: String,
        path: PathBuf,
        image: Library,
        identity: Identity,
        runner: Runner,
    ) -> Candidate {
        Candidate {
            name,
            load_name: path.clone().into(),
            path,
            image,
            profile: None,
            stands_in: false,
            identity,
            runner,
            environment: Vec::new(),
            stage: None,
            heap: None,
            search_folders: Vec::new(),
            system_libraries: None,
            loading: Loading::NotTried,
        }
    }

    /// The routines that it has under another name.
    pub fn other_names(&self) -> Vec<OtherName> {
        let routines = self.profile.iter().flat_map(|profile| profile.names.keys());
        routines
            .filter_map(|routine| self.other_name(routine))
            .collect()
    }

    /// The other name of this routine, from the profile. The candidate exports it, or the
    /// library of its heap does, or the library that the profile says it needs. `None` if
    /// the routine has no other name, or no such library can have it.
    pub fn other_name(&self, routine: &str) -> Option<OtherName> {
        let profile = self.profile.as_ref()?;
        let name = profile.names.get(routine)?;
        let in_heap = |heap: &&Heap| heap.exports.as_ref().is_some_and(|it| it.contains(name));
        let library = if self.image.exports.contains(name) {
            OsString::new()
        } else if let Some(heap) = self.heap.as_ref().filter(in_heap) {
            heap.load_name.clone()
        } else {
            profile.needs.as_ref()?.file.clone().into()
        };
        Some(OtherName {
            routine: routine.to_owned(),
            name: name.clone(),
            file: library,
        })
    }

    /// The heap of the system that runs this library, as a candidate. The probe reports
    /// which routines it has not.
    pub fn system_heap(&self) -> Candidate {
        Candidate {
            name: SYSTEM_HEAP.to_owned(),
            image: Library {
                exports: ROUTINES.iter().map(|name| (*name).to_owned()).collect(),
                version: None,
                ..self.image.clone()
            },
            profile: None,
            load_name: SYSTEM_HEAP.into(),
            stage: None,
            heap: None,
            loading: Loading::NotTried,
            ..self.clone()
        }
    }

    /// The name under which the file was made, if it has another name now and the profile
    /// is that of the original name.
    pub fn original_name(&self) -> Option<&str> {
        let original = self.image.original_name.as_deref()?;
        let is_now = |name: &str| original.eq_ignore_ascii_case(name);
        let present = self.path.file_name()?.to_string_lossy();
        let by_original = is_now(&self.profile.as_ref()?.file_name);
        (by_original && !is_now(&present)).then_some(original)
    }

    /// The same library, judged by another profile.
    pub(super) fn judged_by(self, profile: Profile) -> Candidate {
        Candidate {
            stands_in: profile.stands_in,
            profile: Some(profile),
            ..self
        }
    }

    /// Whether its probe can start with it in `LD_PRELOAD`.
    pub fn can_be_preloaded(&self) -> bool {
        cfg!(target_os = "linux")
            && self.image.format == Format::Elf
            && self.runner.is_this_system()
    }

    /// The same library as one that stands in for the system's heap.
    ///
    /// # Errors
    /// If it cannot be preloaded.
    pub fn standing_in(self) -> Result<Candidate, InputError> {
        if self.can_be_preloaded() {
            let stands_in = true;
            return Ok(Candidate { stands_in, ..self });
        }
        let path = shown(self.path.as_os_str());
        let problem = format!(
            "{path} cannot be preloaded: it is not an ELF library, or this system is not Linux"
        );
        Err(InputError::new(problem, "leave out --preload"))
    }

    /// Whether the library, or the library of its heap, exports this routine, under its own
    /// name or another one.
    pub fn exports(&self, routine: &str) -> bool {
        let is_its_name = |export: &String| names_of(routine).any(|name| name == export);
        let has = |exports: &[String]| exports.iter().any(is_its_name);
        let in_heap = || match (&self.heap, &self.loading) {
            (Some(_), Loading::Loaded(homes)) => has(&homes.heap),
            (Some(heap), _) => heap.exports.as_deref().is_none_or(has),
            (None, _) => false,
        };
        has(&self.image.exports) || in_heap() || self.other_name(routine).is_some()
    }

    /// Checks that the candidate has blocks to judge. A library whose profile promises
    /// `malloc` and `free` is judged for their absence.
    ///
    /// # Errors
    /// If it exports no `malloc` or no `free`.
    pub fn check_heap(&self) -> Result<(), InputError> {
        let is_promised =
            |routine: &str| self.profile.as_ref().is_some_and(|it| it.promises(routine));
        let is_missing = |routine: &&str| !self.exports(routine) && !is_promised(routine);
        let missing: Vec<_> = ["malloc", "free"].into_iter().filter(is_missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let path = shown(self.path.as_os_str());
        Err(InputError::new(
            format!(
                "{path} exports no {}, so its blocks come from another library",
                missing.join(" and no ")
            ),
            "name that library with --heap LIB, or with the key `heap` of a profile",
        ))
    }
}
