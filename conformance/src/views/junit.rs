//! JUnit XML, for the test pages of CI systems: a suite for each library and routine, and one
//! for what is not as expected in the file of expected results. A run with exit status 0 has no
//! failure and no error here, and one with status 1 has.

use crate::clause::{Reason, Verdict};
use crate::record::{Call, Complaint, Event, Kind, Library, Outcome, Run};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use std::fmt::Write;
use std::time::Duration;

/// The greatest length of the text of a test case, in bytes: GitLab refuses files over 30 MB.
const LONGEST: usize = 4000;

/// The run as JUnit XML.
pub(super) fn report(run: &Run) -> String {
    let mut report = Report::new("heapmin");
    report.set_time(Duration::from_millis(run.duration_ms));
    for library in &run.candidates {
        report.add_test_suites(suites(run, library));
    }
    let gate = gate(run);
    if !gate.test_cases.is_empty() {
        report.add_test_suite(gate);
    }
    let text = report.to_string();
    without_total_of_skipped(&text.expect("a report in memory can be written"))
}

/// The text without `skipped` in its first element, which the schema of Jenkins' xUnit plugin
/// refuses. Each suite keeps its own.
fn without_total_of_skipped(text: &str) -> String {
    let own = text.find("<testsuites").and_then(|start| {
        let end = start + text[start..].find('>')?;
        let from = start + text[start..end].find(" skipped=\"")?;
        let (last, _) = text[from..end].match_indices('"').nth(1)?;
        Some(from..from + last + 1)
    });
    match own {
        Some(range) => [&text[..range.start], &text[range.end..]].concat(),
        None => text.to_owned(),
    }
}

/// A suite for each routine.
fn suites(run: &Run, library: &Library) -> Vec<TestSuite> {
    let mut suites: Vec<(&str, TestSuite)> = Vec::new();
    for result in &library.results {
        let routine = run.promise(&result.clause).map_or("", |it| &it.routine);
        let name = format!("{}.{routine}", library.name);
        let place = suites.iter().position(|(known, _)| *known == routine);
        let place = place.unwrap_or_else(|| {
            suites.push((routine, TestSuite::new(name.as_str())));
            suites.len() - 1
        });
        let title = format!("{} [{}]", result.clause, result.case);
        let mut case = TestCase::new(title, status(run, library, result));
        case.set_classname(name);
        case.set_time(Duration::from_millis(result.duration_ms));
        suites[place].1.add_test_case(case);
    }
    suites.into_iter().map(|(_, suite)| suite).collect()
}

fn status(run: &Run, library: &Library, result: &Outcome) -> TestCaseStatus {
    let skipped = |kind: &str, message: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_type(kind).set_message(message);
        status
    };
    if let (true, Some(entry)) = (result.known, &result.entry) {
        return skipped("heapmin.known", entry.reason());
    }
    match result.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Unsupported => {
            let kind = match result.reason {
                Some(Reason::NotApplicable) => "heapmin.not-applicable",
                _ => "heapmin.not-judged",
            };
            skipped(kind, result.observed.clone())
        }
        verdict => {
            let kind = match verdict {
                Verdict::Error => NonSuccessKind::Error,
                _ => NonSuccessKind::Failure,
            };
            let mut status = TestCaseStatus::non_success(kind);
            status
                .set_type(format!("heapmin.{}", verdict.name()))
                .set_message(result.observed.clone())
                .set_description(description(run, library, result));
            status
        }
    }
}

/// What a reader of the failure needs: the promise, where it comes from, what was seen, and
/// the last calls.
fn description(run: &Run, library: &Library, result: &Outcome) -> String {
    let promise = run.promise(&result.clause).map_or("", |it| &it.promise);
    let mut text = String::new();
    let mut write = || -> std::fmt::Result {
        writeln!(text, "promised: {promise} ({})", result.source.places())?;
        for place in &result.source.sources {
            writeln!(text, "page: {}", place.address)?;
        }
        writeln!(text, "expected: {}", result.expected)?;
        writeln!(text, "observed: {}", result.observed)?;
        if let Some(hint) = &result.hint {
            writeln!(text, "perhaps: {hint}")?;
        }
        let last = result.at.iter();
        for at in last {
            if let Some(step) = &at.step {
                writeln!(text, "step: {step}")?;
            }
            if let Some(call) = &at.call {
                writeln!(text, "call: {}", call_text(call))?;
            }
        }
        writeln!(
            text,
            "again: heapmin check --only {} {}",
            result.clause, library.name
        )?;
        if let Some(case) = library.cases.get(&result.case) {
            writeln!(text, "events:")?;
            for event in &case.events {
                match event {
                    Event::Step(step) => writeln!(text, "  {step}")?,
                    Event::Call(call) => writeln!(text, "    {}", call_text(call))?,
                    Event::Fact(fact) => writeln!(text, "    {}: {}", fact.name, fact.value)?,
                    Event::Note(note) => writeln!(text, "    {note}")?,
                    Event::LeftOut(count) => writeln!(text, "    {count} events left out")?,
                }
            }
        }
        Ok(())
    };
    write().expect("writing to a string");
    shortened(text)
}

fn call_text(call: &Call) -> String {
    let errno = call.errno.as_ref();
    let errno = errno.map(|[before, after]| format!(", errno {before} -> {after}"));
    format!(
        "{} returned {}{}",
        call.call,
        call.returned,
        errno.unwrap_or_default()
    )
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push_str("\n(cut; the JSON report has the rest)\n");
    }
    text
}

/// What is not as expected, as failing test cases, so that the file and the exit status never
/// disagree. New deviations and errors have test cases of their own already.
fn gate(run: &Run) -> TestSuite {
    const NAME: &str = "expected results";
    let mut suite = TestSuite::new(NAME);
    let mut add = |title: String, kind: &str, message: &str| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status
            .set_type(format!("heapmin.{kind}"))
            .set_message(message);
        let mut case = TestCase::new(title, status);
        case.set_classname(NAME);
        suite.add_test_case(case);
    };
    let own = run
        .complaints
        .iter()
        .filter(|it| !it.kind.is_in_the_results());
    for (number, complaint) in own.enumerate() {
        let Complaint { clause, case, .. } = complaint;
        let kind = match complaint.kind {
            Kind::Stale => "stale",
            Kind::Lost => "lost",
            Kind::Unsteady => "unsteady",
            Kind::NoBug => "no-bug",
            _ => "not-judged",
        };
        let of_case = case.iter().map(|case| format!(" [{case}]"));
        let of_case: String = of_case.collect();
        // A reader drops the second of two cases with one name.
        let title = match clause {
            Some(clause) => format!("{}. {kind}: {clause}{of_case}", number + 1),
            None => format!("{}. {kind}", number + 1),
        };
        add(title, kind, &complaint.message);
    }
    for refused in &run.refused {
        let message = format!("{}: {}", refused.reason, refused.mend);
        add(format!("refused: {}", refused.name), "refused", &message);
    }
    if run.interrupted {
        add(
            "interrupted".into(),
            "interrupted",
            "the run was interrupted",
        );
    }
    suite
}
