//! The report in Markdown: a table of routines by library, and the deviations.

use crate::clause::{Level, Reason, Verdict};
use crate::judged::{Count, count, counted};
use crate::run::{Checked, Outcome};
use heapmin_harness::parent::runner::Starter;
use std::fmt::Write;

/// The report as Markdown text. All candidates must be checked by the same
/// clauses.
pub fn report(checked: &[Checked]) -> String {
    let mut text = String::new();
    write(&mut text, checked).expect("writing to a string");
    text
}

fn write(text: &mut String, checked: &[Checked]) -> std::fmt::Result {
    let all: Vec<_> = checked.iter().map(counted).collect();
    let Some(first) = all.first() else {
        return Ok(());
    };
    write!(text, "| routine |")?;
    for one in checked {
        write!(text, " {} |", title(one))?;
    }
    writeln!(text, "\n| --- |{}", " --- |".repeat(checked.len()))?;
    let mut routines: Vec<&str> = Vec::new();
    for one in first {
        let routine = one.outcome.clause.routine;
        if !routines.contains(&routine) {
            routines.push(routine);
        }
    }
    for routine in routines {
        write!(text, "| `{routine}` |")?;
        for counted in &all {
            let outcomes = counted.iter().map(|it| it.outcome);
            let of_routine = outcomes.filter(|outcome| outcome.clause.routine == routine);
            write!(text, " {} |", cell(of_routine))?;
        }
        writeln!(text)?;
    }
    write!(text, "| clauses judged, of those that apply |")?;
    for Count {
        clauses,
        applicable,
    } in checked.iter().map(count)
    {
        write!(text, " {clauses} of {applicable} |")?;
    }
    writeln!(text)?;
    if checked
        .iter()
        .any(|one| !one.candidate.runner.is_this_system())
    {
        write!(text, "| run by |")?;
        for one in checked {
            write!(text, " {} |", run_by(one))?;
        }
        writeln!(text)?;
    }
    for one in checked {
        deviations(text, one)?;
    }
    Ok(())
}

/// The library's name; for a file with a version given by path, its stem and version.
fn title(checked: &Checked) -> String {
    let candidate = &checked.candidate;
    let path = std::path::Path::new(&candidate.name);
    match (path.file_stem(), &candidate.image.version) {
        (Some(stem), Some(version)) if path.components().count() > 1 => {
            format!("{} {version}", stem.to_string_lossy())
        }
        _ => candidate.name.clone(),
    }
}

/// `Wine 8.0`, or a dash if this system itself ran the library.
fn run_by(checked: &Checked) -> String {
    let runner = &checked.candidate.runner;
    match (&runner.starter, &runner.wine_version) {
        (Starter::Wine(_), Some(version)) => format!("Wine {version}"),
        (Starter::Wine(_), None) => "Wine".into(),
        (Starter::System, _) => "—".into(),
        _ => runner.command().join(" "),
    }
}

/// The counts of a routine's verdicts, without zeros. Recorded clauses do not
/// count.
fn cell<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> String {
    const NOT_APPLICABLE: Option<Reason> = Some(Reason::NotApplicable);
    let mut counts = [0; 5];
    for outcome in outcomes {
        let place = match outcome.judgement.verdict {
            _ if outcome.clause.level == Level::Record => continue,
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Unsupported if outcome.judgement.reason == NOT_APPLICABLE => 4,
            Verdict::Unsupported => 3,
            Verdict::Crash | Verdict::Timeout | Verdict::Error => 2,
        };
        counts[place] += 1;
    }
    let words = ["pass", "fail", "crash", "not judged", "not applicable"];
    let parts: Vec<_> = counts
        .iter()
        .zip(words)
        .filter(|(count, _)| **count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match parts.is_empty() {
        true => "—".into(),
        false => parts.join(", "),
    }
}

fn deviations(text: &mut String, checked: &Checked) -> std::fmt::Result {
    let deviating: Vec<_> = checked
        .outcomes
        .iter()
        .filter(|outcome| outcome.judgement.verdict.is_deviation())
        .collect();
    if deviating.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n## {}\n", title(checked))?;
    writeln!(text, "| clause | case | verdict | observed | known |")?;
    writeln!(text, "| --- | --- | --- | --- | --- |")?;
    for outcome in deviating {
        writeln!(
            text,
            "| `{}` | `{}` | {} | {} | {} |",
            outcome.clause.id,
            outcome.case.name,
            outcome.judgement.verdict.name(),
            in_a_cell(&outcome.judgement.observed),
            in_a_cell(outcome.known.as_deref().unwrap_or("no")),
        )?;
    }
    Ok(())
}

/// Text, escaped for a table cell.
fn in_a_cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
