//! The JSON report. Its format is stable.

use super::{SourceEntry, counts};
use crate::clause::{Level, Verdict};
use crate::run::{Checked, Outcome};
use heapmin_harness::library::inspect::Format;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    suite: &'a str,
    candidates: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    path: String,
    format: Format,
    arch: &'a str,
    runner: Vec<String>,
    profile: Option<&'a str>,
    version: Option<&'a str>,
    summary: BTreeMap<&'static str, usize>,
    results: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    clause: &'a str,
    case: &'a str,
    level: Level,
    verdict: Verdict,
    expected: String,
    #[serde(flatten)]
    source: SourceEntry,
    observed: &'a str,
    known: bool,
    duration_ms: u64,
}

/// The report as JSON text.
pub fn report(checked: &[Checked]) -> String {
    let report = Report {
        schema: 1,
        suite: env!("CARGO_PKG_VERSION"),
        candidates: checked.iter().map(entry).collect(),
    };
    let mut text = serde_json::to_string_pretty(&report).expect("a report is plain data");
    text.push('\n');
    text
}

fn entry(checked: &Checked) -> Entry<'_> {
    let candidate = &checked.candidate;
    Entry {
        name: &candidate.name,
        path: candidate.path.display().to_string(),
        format: candidate.image.format,
        arch: &candidate.image.arch,
        runner: candidate.runner.command(),
        profile: candidate
            .profile
            .as_ref()
            .map(|profile| profile.name.as_str()),
        version: candidate.image.version.as_deref(),
        summary: counts(checked)
            .map(|(verdict, count)| (verdict.name(), count))
            .into(),
        results: checked.outcomes.iter().map(line).collect(),
    }
}

fn line(outcome: &Outcome) -> Line<'_> {
    Line {
        clause: outcome.clause.id,
        case: outcome.case.name,
        level: outcome.clause.level,
        verdict: outcome.judgement.verdict,
        expected: outcome.clause.expects(),
        source: SourceEntry::of(outcome.clause),
        observed: &outcome.judgement.observed,
        known: outcome.known.is_some(),
        duration_ms: outcome.duration_ms,
    }
}
