//! The format of a record: it can be read back, has every field of version 1, and is what the
//! published JSON Schema says.

use super::*;
use crate::clause::Judgement;
use crate::expected::gate::Findings;
use crate::forged;
use rstest::rstest;
use serde_json::Value;
use std::path::Path;

const IDEMPOTENT: &str = "heapmin.idempotent";
const COALESCES: &str = "heapmin.coalesces";
const EMPTY: &str = "heapmin.empty-heap";

/// A run with a result in each state.
fn run() -> Run {
    let known = crate::run::Outcome {
        known: Some(entry(3)),
        ..forged::outcome(COALESCES, 0, Judgement::fail("grew"))
    };
    let checked = forged::checked(vec![
        forged::outcome("malloc.alignment", 0, Judgement::pass("16")),
        forged::outcome("heapmin.success-returns-zero", 0, Judgement::fail("1")),
        known,
        forged::outcome(IDEMPOTENT, 0, Judgement::pass("same")),
        forged::outcome(EMPTY, 0, Judgement::not_judged("no call")),
    ]);
    let about = |kind, clause, line| forged::complaint(kind, clause, entry(line));
    let findings = Findings {
        complaints: vec![
            about(Kind::Stale, IDEMPOTENT, 7),
            about(Kind::Lost, EMPTY, 9),
        ],
        notes: vec!["a note".into()],
    };
    forged::record(&[checked], findings)
}

fn entry(line: usize) -> Entry {
    Entry {
        file: "e.toml".into(),
        line,
        why: "w".into(),
        ..Entry::default()
    }
}

#[test]
fn every_result_has_its_state_and_its_entry() {
    let run = run();
    let states = run.candidates[0].results.iter();
    let states: Vec<_> = states
        .map(|it| (it.state, it.entry.as_ref().map(|entry| entry.line)))
        .collect();
    let wanted = [
        (State::AsExpected, None),
        (State::New, None),
        (State::Known, Some(3)),
        (State::Stale, Some(7)),
        (State::Lost, Some(9)),
    ];
    assert_eq!(states, wanted);
}

#[test]
fn a_record_is_read_as_it_was_written() {
    let run = run();
    let text = crate::views::view(&run, crate::views::Format::Json, Default::default());
    assert_eq!(parse("r.json", &text).unwrap(), run);
}

/// Programs that read version 1 must be able to read this version.
#[test]
fn a_record_has_every_field_of_version_1() {
    let value = serde_json::to_value(run()).unwrap();
    let candidate = &value["candidates"][0];
    let result = &candidate["results"][4];
    let all = [
        (&value, "schema suite candidates"),
        (
            candidate,
            "name path format arch runner profile version summary judged results",
        ),
        (
            &candidate["summary"],
            "pass fail unsupported crash timeout error",
        ),
        (&candidate["judged"], "clauses applicable"),
        (
            result,
            "clause case level verdict reason expected sources basis basis_reason observed known duration_ms",
        ),
        (&result["sources"][0], "page section address"),
    ];
    for (value, fields) in all {
        for field in fields.split(' ') {
            assert!(value.get(field).is_some(), "{field} is missing in {value}");
        }
    }
}

#[rstest]
#[case::nothing("", "r.json is no report of heapmin")]
#[case::other_json("{}", "r.json is no report of heapmin: missing field `schema`")]
#[case::older(
    "{\"schema\": 1}",
    "r.json has schema 1, and this program reads schema 2"
)]
#[case::newer(
    "{\"schema\": 3}",
    "r.json has schema 3, and this program reads schema 2"
)]
#[case::cut(
    "{\"schema\": 2}",
    "r.json is not a complete report of heapmin: missing field `suite`"
)]
fn what_is_no_record_is_refused_with_its_name(#[case] text: &str, #[case] problem: &str) {
    let error = parse("r.json", text).unwrap_err();
    assert!(error.problem.starts_with(problem), "{}", error.problem);
}

#[test]
fn the_published_schema_is_that_of_this_program() {
    let schema = serde_json::to_string_pretty(&schemars::schema_for!(Run)).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    if std::env::var_os("UPDATE_BOOK").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    let same = serde_json::from_str::<Value>(&published).ok() == serde_json::from_str(&schema).ok();
    assert!(
        same,
        "docs/report.schema.json differs: run the tests again with UPDATE_BOOK=1"
    );
}

#[test]
fn a_redacted_record_has_no_absolute_path() {
    let mut run = run();
    run.candidates[0].path = "/home/me/mine.so".into();
    run.complaints[0].message = "/home/me/e.toml:7: changed".into();
    let text = crate::views::view(
        &redact(&run),
        crate::views::Format::Json,
        Default::default(),
    );
    assert!(!text.contains("/home/me"), "{text}");
    assert!(text.contains("\"e.toml:7: changed\""), "{text}");
    assert!(text.contains("https://learn.microsoft.com/"), "{text}");
}
