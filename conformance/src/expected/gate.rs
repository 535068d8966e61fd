//! Compares a run with the profiles and with the `--expected` file. Each message
//! names the line to change.

use super::File;
use super::addition::{Addition, additions};
use super::known::{Known, Place};
use super::profiles::Profiles;
use super::status::{
    EntryStatus, applies_to, candidate_label, clause_verdict, entry_status, not_judged,
};
use crate::clause::Verdict;
use crate::run::Checked;

/// The messages about the expected results of a run.
#[derive(Debug, Default)]
pub struct Findings {
    /// One message for each result that is not as expected. Any of them fails the run.
    pub complaints: Vec<String>,
    /// Messages that do not fail the run.
    pub notes: Vec<String>,
}

/// Compares the results with the profiles, and with the `--expected` file if one is
/// given. The caller has marked the listed deviations in `checked`.
pub fn compare(checked: &[Checked], profiles: &Profiles, file: Option<&File>) -> Findings {
    let mut findings = Findings::default();
    for one in checked {
        for entry in profiles.known(&one.candidate) {
            if let EntryStatus::Stale(now) = entry_status(entry, [one]) {
                let candidate = (checked.len() > 1).then_some(one.candidate.name.as_str());
                findings.complaints.push(format!(
                    "{}: {}",
                    stale_message(entry, now, candidate),
                    what_to_delete(&entry.place)
                ));
            }
        }
    }
    if let Some(file) = file {
        compare_with_file(&mut findings, checked, file);
        let new = additions(checked, file.names_candidates(checked));
        let complaints = new.iter().map(|it| unlisted_message(it, file));
        findings.complaints.extend(complaints);
    } else {
        let unlisted = checked.iter().flat_map(|one| &one.outcomes);
        let unlisted = unlisted
            .filter(|it| it.is_unexpected() && it.judgement.verdict != Verdict::Error)
            .count();
        if unlisted > 0 {
            findings.complaints.push(format!(
                "deviations that are not listed: {unlisted}; run again with `--expected FILE --update` to list them in FILE"
            ));
        }
    }
    findings
        .complaints
        .extend(checked.iter().filter_map(errors_message));
    for one in checked {
        compare_runs(&mut findings, one);
    }
    findings
}

/// Adds a message for each result that was not the same in every run of `--repeat`. Another
/// verdict fails the check, another observation does not.
fn compare_runs(findings: &mut Findings, checked: &Checked) {
    let Some(repeated) = &checked.repeated else {
        return;
    };
    let name = &checked.candidate.name;
    let runs = repeated.runs;
    if repeated.changed.is_empty() {
        let note = format!("{name}: {runs} runs, no verdict and no observation changed");
        findings.notes.push(note);
    }
    for changed in &repeated.changed {
        let of = format!("{name}: {} with {}", changed.clause, changed.case);
        if changed.has_two_verdicts() {
            let verdicts = changed.verdicts.iter();
            let verdicts: Vec<_> = verdicts.map(|(name, n)| format!("{n} {name}")).collect();
            findings.complaints.push(format!(
                "{of}: the verdict changed in {runs} runs: {}",
                verdicts.join(", ")
            ));
        }
        if let Some((before, after)) = &changed.observation {
            findings.notes.push(format!(
                "{of}: the observation changed in {runs} runs: first {before:?}, later {after:?}"
            ));
        }
    }
}

/// Adds a message for each entry of the file that the results do not match.
fn compare_with_file(findings: &mut Findings, checked: &[Checked], file: &File) {
    let expected = &file.expected;
    let mut not_run = 0;
    for entry in &expected.known {
        match entry_status(entry, checked) {
            EntryStatus::Stale(now) => {
                findings.complaints.push(format!(
                    "{}: {}, or run again with --update",
                    stale_message(entry, now, entry.candidate.as_deref()),
                    what_to_delete(&entry.place)
                ));
            }
            EntryStatus::NotRun => not_run += 1,
            EntryStatus::OtherCandidate | EntryStatus::Undecided | EntryStatus::Occurs => {}
        }
    }
    for entry in &expected.judged {
        for (one, reason) in not_judged(entry, checked) {
            let of = match file.names_candidates(checked) {
                true => format!(" of {}", candidate_label(checked, &one.candidate)),
                false => String::new(),
            };
            findings.complaints.push(format!(
                "{}: {}{of} was judged before and is unsupported now ({reason}): find out why; if that is right, {}, or run again with --update",
                entry.place,
                entry.clause,
                what_to_delete(&entry.place),
            ));
        }
        let is_not_run = |one: &Checked| {
            applies_to(entry.candidate.as_deref(), &one.candidate)
                && clause_verdict(one, &entry.clause).is_none()
        };
        not_run += usize::from(checked.iter().any(is_not_run));
    }
    if not_run > 0 {
        findings.notes.push(format!(
            "{}: {not_run} of {} entries were not compared: not all of their cases were run",
            file.name,
            expected.known.len() + expected.judged.len()
        ));
    }
}

/// The message `FILE:LINE: CLAUSE no longer fails`.
fn stale_message(entry: &Known, now: Verdict, candidate: Option<&str>) -> String {
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

/// The end of a message: `delete this entry (lines 12 to 15)`.
fn what_to_delete(place: &Place) -> String {
    let (first, last) = place.lines;
    match &place.in_list {
        Some(_) => "delete this name from its list".into(),
        None if first == last => "delete this entry".into(),
        None => format!("delete this entry (lines {first} to {last})"),
    }
}

/// The message about a deviation that is not listed, with the entry to add.
fn unlisted_message(addition: &Addition, file: &File) -> String {
    let of = addition.candidate.as_ref();
    let of = of.map(|name| format!(" of {name}")).unwrap_or_default();
    let entry: Vec<_> = addition.lines();
    format!(
        "{}:{}: {}{of} {} and is not listed: add this entry here, or run again with --update\n    {}",
        file.name,
        file.line_for_new_entry(),
        addition.clause,
        verb(addition.verdict),
        entry.join("\n    ")
    )
}

/// One message for all results of a candidate that are `error`.
fn errors_message(checked: &Checked) -> Option<String> {
    let errors = checked.outcomes.iter();
    let errors: Vec<_> = errors
        .filter(|it| it.is_unexpected() && it.judgement.verdict == Verdict::Error)
        .collect();
    let first = errors.first()?;
    Some(format!(
        "{}: results that are `error`: {}; no entry can allow them, so fix the cause; the first is {} with {}: {}",
        checked.candidate.name,
        errors.len(),
        first.clause.id,
        first.case.name,
        first.judgement.observed
    ))
}

/// The verdict as the verb of a sentence about a clause.
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
