//! Says of a deviation that no longer occurs in which version it was fixed, and what to write.

use super::known::Known;
use super::place::Place;
use super::status::{EntryStatus, concerns, entry_status};
use super::versions::{Of, named};
use crate::run::Checked;
use heapmin_harness::library::inspect::Maker;
use heapmin_harness::text::version::Version;

/// The version under which a deviation no longer occurs.
pub(super) struct Fixed {
    /// `under Wine 10.0`, or `in version 7.0` of the library.
    pub version: String,
    /// What to write so that the entry applies to older versions only.
    pub line: String,
}

impl Fixed {
    /// The version that tells this stale entry of `entries` from older ones. `None` if the
    /// deviation is not one of Wine or Microsoft, the version is not known, or the entry
    /// would then apply to no version.
    pub(super) fn of(entry: &Known, entries: &[Known], checked: &[Checked]) -> Option<Fixed> {
        let versions = &entry.versions;
        let mut concerned = checked.iter().filter(|one| concerns(entry, &one.candidate));
        let first = &concerned.clone().next()?.candidate;
        let bounded = Of::ALL.into_iter().find(|of| versions.are_bounded_by(*of));
        let of = match (bounded, first.image.maker) {
            (Some(of), _) => of,
            (None, Maker::Wine) => Of::Wine,
            (None, Maker::Microsoft) => Of::Library,
            (None, Maker::Other) => return None,
        };
        let version = concerned.try_fold(None, |least: Option<Version>, one| {
            let version = of.version(&one.candidate)?;
            Some(least.into_iter().chain([version]).min())
        })??;
        let mut until = format!("until = {}", versions.until(of, version.clone())?);
        // What Wine does beneath Microsoft's library may be what was fixed.
        let beneath = (bounded.is_none() && of == Of::Library)
            .then(|| Of::Wine.version(first))
            .flatten();
        if let Some(bound) = beneath.and_then(|wine| versions.until(Of::Wine, wine)) {
            until += &format!(", or until = {bound} if Wine was fixed");
        }
        let Place { file, lines, .. } = &entry.place;
        let is_other =
            |other: &&Known| other.place.entry == entry.place.entry && other.place.file == *file;
        let are_all_stale = entries
            .iter()
            .filter(is_other)
            .all(|it| matches!(entry_status(it, checked), EntryStatus::Stale(_)));
        let line = match entry.until_line {
            _ if !are_all_stale => format!("move this name to an entry of its own with {until}"),
            Some(line) => format!("change {file}:{line} to: {until}"),
            None if lines.0 == lines.1 => format!("add to this entry: {until}"),
            None => format!("add at {file}:{}: {until}", lines.1 + 1),
        };
        let version = match of {
            Of::Wine => format!("under {}", named(of, &version)),
            Of::Library => format!("in {}", named(of, &version)),
        };
        Some(Fixed { version, line })
    }
}
