//! Routines that the candidate has under another name: its profile gives the names.

use super::loader::Loaded;
use crate::wire::job::OtherName;
use std::ffi::c_void;

/// The other names of a job, with the libraries that export them.
pub(super) struct OtherNames<'a>(Vec<(&'a OtherName, Option<Loaded>)>);

impl<'a> OtherNames<'a> {
    /// Loads the libraries that export the names.
    ///
    /// # Errors
    /// The loader's message.
    pub(super) fn open(names: &'a [OtherName]) -> Result<OtherNames<'a>, String> {
        let opened = names.iter().map(|name| {
            let library = match name.file.is_empty() {
                true => None,
                false => Some(Loaded::open(&name.file, None)?),
            };
            Ok((name, library))
        });
        opened.collect::<Result<_, String>>().map(OtherNames)
    }

    /// The address of a routine that has another name, or null if the library does not
    /// export that name. `None` if the routine has no other name.
    pub(super) fn address_of(&self, routine: &str, candidate: &Loaded) -> Option<*const c_void> {
        let mut names = self.0.iter();
        let (other, library) = names.find(|(other, _)| other.routine == routine)?;
        Some(library.as_ref().unwrap_or(candidate).find(&other.name))
    }
}
