//! What this package ships: the profiles of known libraries, the reference and the adapters.

use crate::BUILD;
use heapmin_harness::library::profile::Profile;
use heapmin_harness::parent::catalogue::Catalogue;
use heapmin_harness::parent::installed::{Embedded, Installed};
use heapmin_harness::parent::runners::{Choice, Runners};
use heapmin_harness::text::input_error::InputError;
use std::path::PathBuf;

/// The runners of the program in this file, which must contain this package's probe.
pub fn runners_of(program: PathBuf, choice: Choice) -> Runners {
    let libraries = heapmin_fixtures::LIBRARIES.iter();
    let embedded = libraries.map(|(name, bytes)| Embedded { name, bytes });
    Runners::new(Installed::new(program, embedded.collect()), BUILD, choice)
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
