//! What is not as expected, in words that say which line to change.

use super::File;
use super::addition::{Addition, additions};
use super::known::{Known, Place};
use super::profiles::Profiles;
use super::standing::{Standing, concerns, label, not_judged, of_clause, of_known};
use crate::clause::Verdict;
use crate::run::Checked;

/// What a run has to say about what was expected of it.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is not as expected: any of these fails the run.
    pub complaints: Vec<String>,
    /// What else should be known.
    pub notes: Vec<String>,
}

/// Compares what was found with the profiles, and with the file given with
/// `--expected`, if there is one. Deviations that they list are marked as such
/// in `checked` already.
pub fn compare(checked: &[Checked], profiles: &Profiles, file: Option<&File>) -> Findings {
    let mut findings = Findings::default();
    for one in checked {
        for entry in profiles.known(&one.candidate) {
            if let Standing::Stale(now) = of_known(entry, [one]) {
                let whose = (checked.len() > 1).then_some(one.candidate.name.as_str());
                let complaint = no_longer(entry, now, whose);
                let mend = delete(&entry.place);
                findings.complaints.push(format!("{complaint}: {mend}"));
            }
        }
    }
    if let Some(file) = file {
        entries_of(&mut findings, checked, file);
        let new = additions(checked, file.is_named(checked));
        let complaints = new.iter().map(|it| unlisted(it, file));
        findings.complaints.extend(complaints);
    } else {
        let unlisted = checked.iter().flat_map(|one| &one.outcomes);
        let unlisted = unlisted
            .filter(|it| it.is_unexpected() && it.judgement.verdict != Verdict::Error)
            .count();
        if unlisted > 0 {
            findings.complaints.push(format!(
                "deviations that are not listed: {unlisted}; `--expected FILE --update` writes them to a file, as known from then on"
            ));
        }
    }
    findings
        .complaints
        .extend(checked.iter().filter_map(errors));
    findings
}

/// What the entries of the file list and the run did not find.
fn entries_of(findings: &mut Findings, checked: &[Checked], file: &File) {
    let expected = &file.expected;
    let mut left_out = 0;
    for entry in &expected.known {
        match of_known(entry, checked) {
            Standing::Stale(now) => {
                let complaint = no_longer(entry, now, entry.candidate.as_deref());
                let mend = delete(&entry.place);
                findings
                    .complaints
                    .push(format!("{complaint}: {mend}, or run again with --update"));
            }
            Standing::LeftOut => left_out += 1,
            Standing::Elsewhere | Standing::Undecided | Standing::Occurs => {}
        }
    }
    for entry in &expected.judged {
        for (one, reason) in not_judged(entry, checked) {
            let of = match file.is_named(checked) {
                true => format!(" of {}", label(checked, &one.candidate)),
                false => String::new(),
            };
            findings.complaints.push(format!(
                "{}: {}{of} was judged before and is unsupported now ({reason}): find out why; if that is right, {}, or run again with --update",
                entry.place,
                entry.clause,
                delete(&entry.place),
            ));
        }
        let is_left_out = |one: &Checked| {
            concerns(entry.candidate.as_deref(), &one.candidate)
                && of_clause(one, &entry.clause).is_none()
        };
        left_out += usize::from(checked.iter().any(is_left_out));
    }
    if left_out > 0 {
        findings.notes.push(format!(
            "{}: {left_out} of {} entries were not looked at: their cases were not all run",
            file.name,
            expected.known.len() + expected.judged.len()
        ));
    }
}

/// `FILE:LINE: CLAUSE no longer fails`.
fn no_longer(entry: &Known, now: Verdict, candidate: Option<&str>) -> String {
    let verdict = Verdict::ALL
        .into_iter()
        .find(|verdict| verdict.name() == entry.verdict);
    let of = candidate.map(|name| format!(" of {name}"));
    let with = entry.case.as_ref().map(|case| format!(" with {case}"));
    let but = match now {
        Verdict::Pass => String::new(),
        now => format!(" but {}", verb(now)),
    };
    format!(
        "{}: {}{} no longer {}{}{but}",
        entry.place,
        entry.clause,
        of.unwrap_or_default(),
        verb(verdict.unwrap_or(Verdict::Fail)),
        with.unwrap_or_default(),
    )
}

/// What to delete: `delete this entry (lines 12 to 15)`.
fn delete(place: &Place) -> String {
    let (first, last) = place.lines;
    match &place.in_list {
        Some(_) => "take it out of this list".into(),
        None if first == last => "delete this entry".into(),
        None => format!("delete this entry (lines {first} to {last})"),
    }
}

fn unlisted(addition: &Addition, file: &File) -> String {
    let of = addition.candidate.as_ref();
    let of = of.map(|name| format!(" of {name}")).unwrap_or_default();
    let entry: Vec<_> = addition.lines();
    format!(
        "{}:{}: {}{of} {} and is not listed: add this here, or run again with --update\n    {}",
        file.name,
        file.line_to_add(),
        addition.clause,
        verb(addition.verdict),
        entry.join("\n    ")
    )
}

/// One line for all results in which the candidate could not be observed.
fn errors(checked: &Checked) -> Option<String> {
    let errors = checked.outcomes.iter();
    let errors: Vec<_> = errors
        .filter(|it| it.is_unexpected() && it.judgement.verdict == Verdict::Error)
        .collect();
    let first = errors.first()?;
    Some(format!(
        "{}: results that are `error`: {}, and nothing can expect that; the first is {} with {}: {}",
        checked.candidate.name,
        errors.len(),
        first.clause.id,
        first.case.name,
        first.judgement.observed
    ))
}

/// What a clause does that gets this verdict.
fn verb(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passes",
        Verdict::Fail => "fails",
        Verdict::Unsupported => "is unsupported",
        Verdict::Crash => "crashes",
        Verdict::Timeout => "times out",
        Verdict::Error => "cannot be observed",
    }
}
