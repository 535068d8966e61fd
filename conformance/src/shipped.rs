//! What this package ships: the profiles of known libraries, the reference and the adapters.

use crate::BUILD;
use heapmin_harness::library::profile::Profile;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::installed::{Embedded, Installed};
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::parent::scratch::Scratch;
use heapmin_harness::text::input_error::InputError;
use std::path::PathBuf;

/// The runners of the program in this file, which must contain this package's probe.
pub fn runners_of(program: PathBuf, choice: Choice) -> Runners {
    let libraries = heapmin_fixtures::LIBRARIES.iter();
    let embedded = libraries.map(|(name, bytes)| Embedded { name, bytes });
    Runners::new(Installed::new(program, embedded.collect()), BUILD, choice)
}

/// The runners of this program, which must contain this package's probe.
///
/// # Errors
/// If the program has no path, or no folder for the probes' files can be made.
pub fn runners(choice: Choice) -> Result<Runners, InputError> {
    let program = std::env::current_exe().map_err(|error| {
        InputError::new(
            format!("cannot find the path of this program: {error}"),
            "start it by its path",
        )
    })?;
    if !choice.is_unfenced {
        Scratch::new().map_err(|problem| {
            let mend = "set TMPDIR to a folder that can be written";
            InputError::new(problem, mend)
        })?;
    }
    Ok(runners_of(program, choice))
}

/// The catalogue of the profiles that are part of this package.
///
/// # Errors
/// If a profile is invalid.
pub fn catalogue() -> Result<Catalogue, InputError> {
    let profiles: Result<Vec<_>, _> = heapmin_fixtures::PROFILES
        .iter()
        .map(|(name, text)| Profile::parse(name, text))
        .collect();
    Ok(Catalogue {
        profiles: profiles?,
    })
}
