//! The report in Markdown, for a pull request: a summary, the new deviations, what is not as
//! expected, and, folded, the table of routines and the known deviations.

use crate::clause::{Level, Reason, Verdict};
use crate::record::{CauseKind, Count, Library, Outcome, Run, causes, counted, counts};
use std::fmt::Write;

/// The greatest length of the text, in bytes: GitHub takes comments of 65,536 characters.
const LONGEST: usize = 65_000;

/// The report as Markdown text. All candidates must be checked by the same
/// clauses. What does not fit into a comment is left out, the least important first.
pub(super) fn report(run: &Run) -> String {
    let mut text = String::new();
    summary(&mut text, run).expect("writing to a string");
    let parts = [new(run), complaints(run), routines(run), known(run)];
    let mut left_out = false;
    for part in parts.map(|part| part.expect("writing to a string")) {
        let room = LONGEST.saturating_sub(text.len());
        match part.len() <= room {
            true => text += &part,
            false => {
                left_out = true;
                // Only lists can be cut between two lines; a folded part needs its end.
                if !part.contains("<details>") {
                    let lines = part.split_inclusive('\n');
                    let mut room = room;
                    text.extend(lines.take_while(|line| {
                        let fits = line.len() <= room;
                        room = room.saturating_sub(line.len());
                        fits
                    }));
                }
            }
        }
    }
    if left_out {
        text += "\nThis report is cut. `heapmin report RUN.json` shows all of it.\n";
    }
    text
}

fn summary(text: &mut String, run: &Run) -> std::fmt::Result {
    let results = run.candidates.iter().flat_map(|it| &it.results);
    let new = results.filter(|it| it.is_unexpected()).count();
    let other = run
        .complaints
        .iter()
        .filter(|it| !it.kind.is_in_the_results())
        .count();
    let title = match (new, other, run.refused.len()) {
        (0, 0, 0) => "✔ every result is as expected".to_owned(),
        (new, other, refused) => {
            let parts = [
                (new, "new deviations"),
                (other, "other complaints"),
                (refused, "libraries not checked"),
            ];
            let parts = parts.iter().filter(|(count, _)| *count > 0);
            let parts: Vec<_> = parts
                .map(|(count, what)| format!("{what}: {count}"))
                .collect();
            format!("✘ {}", parts.join(", "))
        }
    };
    writeln!(text, "## heapmin: {title}\n")?;
    if run.interrupted {
        writeln!(text, "The run was interrupted.\n")?;
    }
    writeln!(
        text,
        "| library | results | new | known | clauses judged, of those that apply |"
    )?;
    writeln!(text, "| --- | --- | --- | --- | --- |")?;
    for one in &run.candidates {
        let some = counts(one).into_iter().filter(|(_, count)| *count > 0);
        let some: Vec<_> = some
            .map(|(verdict, count)| format!("{count} {}", verdict.name()))
            .collect();
        let of =
            |is_meant: fn(&Outcome) -> bool| one.results.iter().filter(|it| is_meant(it)).count();
        writeln!(
            text,
            "| {} | {} | {} | {} | {} of {} |",
            code(&title_of(one)),
            some.join(", "),
            of(Outcome::is_unexpected),
            of(|it| it.known),
            one.judged.clauses,
            one.judged.applicable
        )?;
    }
    Ok(())
}

fn new(run: &Run) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for one in &run.candidates {
        let causes = causes(one, |it| !it.known);
        if causes.is_empty() {
            continue;
        }
        writeln!(text, "\n### New in {}\n", code(&title_of(one)))?;
        for cause in causes {
            let first = cause.first();
            let promise = run.promise(&first.clause).map_or("", |it| &it.promise);
            let address = first.source.sources.first().map_or("", |it| &it.address);
            write!(
                text,
                "- **`{}`**, {}: {}. Promised ([page]({address})): {promise}.",
                first.clause,
                first.verdict.name(),
                code(&first.observed)
            )?;
            let others = &cause.clauses()[1..];
            if !others.is_empty() && !matches!(cause.kind, CauseKind::Clause(_)) {
                let others: Vec<_> = others.iter().map(|it| format!("`{it}`")).collect();
                write!(text, " The same cause hides {}.", others.join(", "))?;
            }
            writeln!(text)?;
        }
    }
    Ok(text)
}

fn complaints(run: &Run) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let own = run
        .complaints
        .iter()
        .filter(|it| !it.kind.is_in_the_results());
    let refused = run.refused.iter();
    let refused = refused.map(|it| format!("{}: {}: {}", it.name, it.reason, it.mend));
    let all: Vec<_> = own.map(|it| it.message.clone()).chain(refused).collect();
    if !all.is_empty() {
        writeln!(text, "\n### Not as expected\n")?;
    }
    for message in all {
        writeln!(text, "- {}", code(&message))?;
    }
    Ok(text)
}

/// The table of routines by library.
fn routines(run: &Run) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let libraries = &run.candidates;
    let all: Vec<_> = libraries.iter().map(|it| counted(run, it)).collect();
    let Some(first) = all.first() else {
        return Ok(text);
    };
    writeln!(text, "\n<details><summary>Routine by library</summary>\n")?;
    write!(text, "| routine |")?;
    for one in libraries {
        write!(text, " {} |", code(&title_of(one)))?;
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
    writeln!(text, "\n</details>")?;
    Ok(text)
}

/// The library's name; for a file with a version given by path, its stem and version.
fn title_of(library: &Library) -> String {
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

/// The known deviations.
fn known(run: &Run) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let results = |one: &'_ Library| one.results.iter().filter(|it| it.known).count();
    let count: usize = run.candidates.iter().map(results).sum();
    if count == 0 {
        return Ok(text);
    }
    writeln!(
        text,
        "\n<details><summary>Known deviations: {count}</summary>\n"
    )?;
    writeln!(
        text,
        "| library | clause | case | verdict | observed | reason |"
    )?;
    writeln!(text, "| --- | --- | --- | --- | --- | --- |")?;
    for one in &run.candidates {
        for result in one.results.iter().filter(|it| it.known) {
            let reason = result.entry.as_ref().map(|it| it.reason());
            writeln!(
                text,
                "| {} | `{}` | `{}` | {} | {} | {} |",
                code(&title_of(one)),
                result.clause,
                result.case,
                result.verdict.name(),
                code(&result.observed),
                code(&reason.unwrap_or_default()),
            )?;
        }
    }
    writeln!(text, "\n</details>")?;
    Ok(text)
}

/// Text as code, so that nothing in it is Markdown, HTML, or the name of a person. It may be in
/// a table.
fn code(text: &str) -> String {
    let text = text.replace(['\r', '\n'], " ").replace('|', "\\|");
    let ticks = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(ticks + 1);
    // A space at both ends separates the fence from a tick and is not shown.
    let pad = if ticks > 0 || text.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::expected::gate::Findings;
    use crate::forged;
    use rstest::rstest;

    #[rstest]
    #[case::plain("a_b <b>", "`a_b <b>`")]
    #[case::tick("a`b", "`` a`b ``")]
    #[case::ticks("``", "``` `` ```")]
    #[case::table("a|b", "`a\\|b`")]
    #[case::lines("a\n# b", "`a # b`")]
    fn nothing_in_code_is_markdown(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(code(text), wanted);
    }

    #[test]
    fn a_long_report_is_cut_and_says_so() {
        let fail = || Judgement::fail("x".repeat(1000));
        let all = crate::clauses::all().map(|it| forged::outcome(it.id, 0, fail()));
        let run = forged::record(&[forged::checked(all.collect())], Findings::default());
        let text = report(&run);
        assert!(text.len() < LONGEST + 200, "{}", text.len());
        assert!(text.starts_with("## heapmin: ✘ new deviations: "));
        assert!(
            text.ends_with("\nThis report is cut. `heapmin report RUN.json` shows all of it.\n")
        );
        let details = |word| text.matches(word).count();
        assert_eq!(details("<details>"), details("</details>"));
    }
}
