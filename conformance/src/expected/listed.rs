//! The entries that concern a run, and what it shows of each.

use super::File;
use super::known::Known;
use super::profiles::Profiles;
use super::status::{EntryStatus, entry_status};
use crate::record::{Complaint, Kind, Listed, Occurrence};
use crate::run::Checked;

/// The entries of the profiles, of the system and of the file that concern a candidate of
/// this run.
pub fn listed(checked: &[Checked], profiles: &Profiles, file: Option<&File>) -> Vec<Listed> {
    let mut all = Vec::new();
    for one in checked {
        let of_profile = profiles.known(&one.candidate).iter();
        for entry in of_profile.chain(profiles.shown_by(&one.candidate)) {
            let name = Some(one.candidate.name.as_str());
            all.extend(listed_entry(entry, std::slice::from_ref(one), name, true));
        }
    }
    for entry in file.map_or(&[][..], File::known) {
        all.extend(listed_entry(
            entry,
            checked,
            entry.candidate.as_deref(),
            false,
        ));
    }
    all
}

fn listed_entry(
    entry: &Known,
    checked: &[Checked],
    candidate: Option<&str>,
    is_of_a_profile: bool,
) -> Option<Listed> {
    let occurrence = match entry_status(entry, checked) {
        EntryStatus::OtherCandidate => return None,
        EntryStatus::NotRun => Occurrence::NotRun,
        EntryStatus::Undecided => Occurrence::Undecided,
        EntryStatus::Occurs => Occurrence::Occurs,
        EntryStatus::Stale(_) => Occurrence::Gone,
    };
    Some(Listed {
        clause: entry.clause.clone(),
        case: entry.case.clone(),
        candidate: candidate.map(str::to_owned),
        entry: entry.entry(),
        is_of_a_profile,
        occurrence,
    })
}

/// A complaint about each entry of the file that occurs and names no bug report.
pub fn require_bug(listed: &[Listed]) -> Vec<Complaint> {
    let own = listed.iter().filter(|it| !it.is_of_a_profile);
    let without = own.filter(|it| it.occurrence == Occurrence::Occurs && it.entry.bug.is_none());
    let complaint = |it: &Listed| {
        let message = format!(
            "{}:{}: {} is a known deviation without a bug report: add `bug = \"ADDRESS\"` to this entry",
            it.entry.file, it.entry.line, it.clause
        );
        Complaint {
            candidate: it.candidate.clone(),
            clause: Some(it.clause.clone()),
            case: it.case.clone(),
            entry: Some(it.entry.clone()),
            ..Complaint::new(Kind::NoBug, message)
        }
    };
    without.map(complaint).collect()
}
