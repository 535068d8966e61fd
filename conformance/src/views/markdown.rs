//! The report in Markdown: a table of routines by library, and the deviations.

use crate::clause::{Level, Reason, Verdict};
use crate::record::{Count, Library, Outcome, Run, counted};
use std::fmt::Write;

/// The report as Markdown text. All candidates must be checked by the same
/// clauses.
pub(super) fn report(run: &Run) -> String {
    let mut text = String::new();
    write(&mut text, run).expect("writing to a string");
    text
}

fn write(text: &mut String, run: &Run) -> std::fmt::Result {
    let libraries = &run.candidates;
    let all: Vec<_> = libraries.iter().map(|it| counted(run, it)).collect();
    let Some(first) = all.first() else {
        return Ok(());
    };
    write!(text, "| routine |")?;
    for one in libraries {
        write!(text, " {} |", title(one))?;
    }
    writeln!(text, "\n| --- |{}", " --- |".repeat(libraries.len()))?;
    let mut routines: Vec<&str> = Vec::new();
    for one in first {
        let routine = one.promise.routine.as_str();
        if !routines.contains(&routine) {
            routines.push(routine);
        }
    }
    for routine in routines {
        write!(text, "| `{routine}` |")?;
        for counted in &all {
            let of_routine = counted.iter().filter(|it| it.promise.routine == routine);
            write!(text, " {} |", cell(of_routine.map(|it| it.outcome)))?;
        }
        writeln!(text)?;
    }
    write!(text, "| clauses judged, of those that apply |")?;
    for Count {
        clauses,
        applicable,
    } in libraries.iter().map(|it| it.judged)
    {
        write!(text, " {clauses} of {applicable} |")?;
    }
    writeln!(text)?;
    if libraries.iter().any(|one| !one.run_by.is_empty()) {
        write!(text, "| run by |")?;
        for one in libraries {
            write!(text, " {} |", run_by(one))?;
        }
        writeln!(text)?;
    }
    for one in libraries {
        deviations(text, one)?;
    }
    Ok(())
}

/// The library's name; for a file with a version given by path, its stem and version.
fn title(library: &Library) -> String {
    let path = std::path::Path::new(&library.name);
    match (path.file_stem(), &library.version) {
        (Some(stem), Some(version)) if path.components().count() > 1 => {
            format!("{} {version}", stem.to_string_lossy())
        }
        _ => library.name.clone(),
    }
}

/// `Wine 8.0`, or a dash if this system itself ran the library.
fn run_by(library: &Library) -> &str {
    match library.run_by.as_str() {
        "" => "—",
        run_by => run_by,
    }
}

/// The counts of a routine's verdicts, without zeros. Recorded clauses do not
/// count.
fn cell<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> String {
    const NOT_APPLICABLE: Option<Reason> = Some(Reason::NotApplicable);
    let mut counts = [0; 5];
    for outcome in outcomes {
        let place = match outcome.verdict {
            _ if outcome.level == Level::Record => continue,
            Verdict::Pass => 0,
            Verdict::Fail => 1,
            Verdict::Unsupported if outcome.reason == NOT_APPLICABLE => 4,
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

fn deviations(text: &mut String, library: &Library) -> std::fmt::Result {
    let deviating: Vec<_> = library
        .results
        .iter()
        .filter(|outcome| outcome.verdict.is_deviation())
        .collect();
    if deviating.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n## {}\n", title(library))?;
    writeln!(text, "| clause | case | verdict | observed | known |")?;
    writeln!(text, "| --- | --- | --- | --- | --- |")?;
    for outcome in deviating {
        writeln!(
            text,
            "| `{}` | `{}` | {} | {} | {} |",
            outcome.clause,
            outcome.case,
            outcome.verdict.name(),
            in_a_cell(&outcome.observed),
            in_a_cell(&outcome.entry.as_ref().map_or("no".into(), |it| it.reason())),
        )?;
    }
    Ok(())
}

/// Text, escaped for a table cell.
fn in_a_cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
