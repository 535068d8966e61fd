//! The report in Markdown: a table of routines by library, and the deviations.

use super::table::counting;
use crate::clause::{Level, Verdict};
use crate::run::{Checked, Outcome};
use std::fmt::Write;

/// The report as Markdown text. All candidates must be checked by the same
/// clauses.
pub fn report(checked: &[Checked]) -> String {
    let mut text = String::new();
    write(&mut text, checked).expect("writing to a string");
    text
}

fn write(text: &mut String, checked: &[Checked]) -> std::fmt::Result {
    let counted: Vec<_> = checked
        .iter()
        .map(|one| (one.candidate.name.as_str(), counting(one)))
        .collect();
    let Some((_, first)) = counted.first() else {
        return Ok(());
    };
    write!(text, "| routine |")?;
    for one in checked {
        write!(text, " {} |", title(one))?;
    }
    writeln!(text, "\n| --- |{}", " --- |".repeat(checked.len()))?;
    let mut routines: Vec<&str> = Vec::new();
    for outcome in first {
        if !routines.contains(&outcome.clause.routine) {
            routines.push(outcome.clause.routine);
        }
    }
    for routine in routines {
        write!(text, "| `{routine}` |")?;
        for (_, outcomes) in &counted {
            let of_routine = outcomes
                .iter()
                .filter(|outcome| outcome.clause.routine == routine);
            write!(text, " {} |", cell(of_routine))?;
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

/// The counts of a routine's verdicts, without zeros. Recorded clauses do not
/// count.
fn cell<'a>(outcomes: impl Iterator<Item = &'a &'a Outcome>) -> String {
    let mut counts = [0; 4];
    for outcome in outcomes {
        let place = match outcome.judgement.verdict {
            _ if outcome.clause.level == Level::Record => continue,
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Unsupported => 3,
            Verdict::Crash | Verdict::Timeout | Verdict::Error => 2,
        };
        counts[place] += 1;
    }
    let words = ["pass", "fail", "crash", "not judged"];
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
