//! The JSON report. Its format is stable.

use super::{SourceEntry, counts};
use crate::beneath::Beneath;
use crate::clause::{Level, Reason, Verdict};
use crate::judged::{Count, count};
use crate::load::Refused;
use crate::repeat::{Changed, Repeated};
use crate::run::{Checked, Outcome};
use heapmin_harness::library::inspect::Format;
use heapmin_harness::parent::candidate::{Candidate, Loading};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    suite: &'a str,
    candidates: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<RefusedEntry<'a>>,
}

/// A candidate that was not checked.
#[derive(Serialize)]
struct RefusedEntry<'a> {
    name: &'a str,
    reason: &'a str,
    mend: &'a str,
}

/// Where the routines of a candidate were found that another library has.
#[derive(Serialize)]
struct HeapEntry<'a> {
    library: &'a str,
    routines: &'a [String],
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    path: String,
    format: Format,
    arch: &'a str,
    runner: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wine: Option<&'a str>,
    profile: Option<&'a str>,
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heap: Option<HeapEntry<'a>>,
    summary: BTreeMap<&'static str, usize>,
    judged: Count,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeated: Option<RepeatedEntry<'a>>,
    results: Vec<Line<'a>>,
    /// The text of a snapshot for each case, with `--verbose`.
    #[serde(skip_serializing_if = "Option::is_none")]
    observations: Option<&'a BTreeMap<&'static str, String>>,
}

/// What several runs showed.
#[derive(Serialize)]
struct RepeatedEntry<'a> {
    runs: usize,
    changed: Vec<ChangedEntry<'a>>,
}

/// A result that was not the same in every run.
#[derive(Serialize)]
struct ChangedEntry<'a> {
    clause: &'a str,
    case: &'a str,
    verdicts: &'a BTreeMap<&'static str, usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observations: Option<[&'a str; 2]>,
}

#[derive(Serialize)]
struct Line<'a> {
    clause: &'a str,
    case: &'a str,
    level: Level,
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    expected: String,
    #[serde(flatten)]
    source: SourceEntry,
    observed: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    beneath: Option<&'a Beneath>,
    known: bool,
    duration_ms: u64,
}

/// The report as JSON text. With `observations`, it has what was observed in each case, from
/// which snapshots are made.
pub fn report(checked: &[Checked], refused: &[Refused], observations: bool) -> String {
    let report = Report {
        schema: 1,
        suite: env!("CARGO_PKG_VERSION"),
        candidates: checked.iter().map(|one| entry(one, observations)).collect(),
        refused: refused.iter().map(refused_entry).collect(),
    };
    let mut text = serde_json::to_string_pretty(&report).expect("a report is plain data");
    text.push('\n');
    text
}

fn refused_entry(refused: &Refused) -> RefusedEntry<'_> {
    RefusedEntry {
        name: &refused.name,
        reason: &refused.error.problem,
        mend: &refused.error.mend,
    }
}

/// The library of the candidate's heap, with the routines that were found in it.
fn heap(candidate: &Candidate) -> Option<HeapEntry<'_>> {
    let heap = candidate.heap.as_ref()?;
    let routines = match &candidate.loading {
        Loading::Loaded(homes) => homes.heap.as_slice(),
        _ => &[],
    };
    Some(HeapEntry {
        library: &heap.name,
        routines,
    })
}

fn repeated_entry<'a>(repeated: &'a Repeated) -> RepeatedEntry<'a> {
    let entry = |changed: &'a Changed| {
        let Changed {
            clause,
            case,
            verdicts,
            observation,
        } = changed;
        ChangedEntry {
            clause,
            case,
            verdicts,
            observations: observation.as_ref().map(|(a, b)| [a.as_str(), b.as_str()]),
        }
    };
    RepeatedEntry {
        runs: repeated.runs,
        changed: repeated.changed.iter().map(entry).collect(),
    }
}

fn entry(checked: &Checked, observations: bool) -> Entry<'_> {
    let candidate = &checked.candidate;
    Entry {
        name: &candidate.name,
        path: candidate.path.display().to_string(),
        format: candidate.image.format,
        arch: &candidate.image.arch,
        runner: candidate.runner.command(),
        wine: candidate.runner.wine_version.as_deref(),
        profile: candidate
            .profile
            .as_ref()
            .map(|profile| profile.name.as_str()),
        version: candidate.image.version.as_deref(),
        original_name: candidate.original_name(),
        heap: heap(candidate),
        summary: counts(checked)
            .map(|(verdict, count)| (verdict.name(), count))
            .into(),
        judged: count(checked),
        repeated: checked.repeated.as_ref().map(repeated_entry),
        results: checked.outcomes.iter().map(line).collect(),
        observations: observations.then_some(&checked.stable),
    }
}

fn line(outcome: &Outcome) -> Line<'_> {
    Line {
        clause: outcome.clause.id,
        case: outcome.case.name,
        level: outcome.clause.level,
        verdict: outcome.judgement.verdict,
        reason: outcome.judgement.reason,
        expected: outcome.clause.expects(),
        source: SourceEntry::of(outcome.clause),
        observed: &outcome.judgement.observed,
        beneath: outcome.beneath.as_ref(),
        known: outcome.known.is_some(),
        duration_ms: outcome.duration_ms,
    }
}
