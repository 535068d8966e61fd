//! Deviations for people: each cause once, with the clauses that it hides.

use super::FAINT;
use crate::clause::Verdict;
use crate::record::{At, Call, Cause, CauseKind, Library, Outcome, Run, causes};
use anstyle::AnsiColor;
use std::fmt::Write;

/// The width of sentences, in columns.
const COLUMNS: usize = 70;
/// The width of the words that begin a line.
const INDENT: usize = 12;

/// Writes the deviations that no entry lists.
pub(super) fn new(text: &mut String, run: &Run, library: &Library) -> std::fmt::Result {
    let causes = causes(library, |it| !it.known);
    if causes.is_empty() {
        return Ok(());
    }
    let results: usize = causes.iter().map(|it| it.results.len()).sum();
    let red = AnsiColor::Red.on_default().bold();
    writeln!(
        text,
        "{red}new deviations{red:#}: {}, {}",
        number(results, "result"),
        number(causes.len(), "cause")
    )?;
    for cause in &causes {
        let first = cause.first();
        let name = first.verdict.name();
        writeln!(text, "\n{red}{}{red:#}: {name}", first.clause)?;
        deviation(text, run, library, first)?;
        hidden(text, cause)?;
        if !was_not_observed(first) {
            let what = format!("{} {}", first.clause, library.name);
            writeln!(text, "  again     heapmin check --only {what}")?;
            writeln!(text, "  alone     heapmin repro {what}")?;
        }
    }
    writeln!(text)
}

/// Writes the deviations that an entry lists.
pub(super) fn known(text: &mut String, run: &Run, library: &Library) -> std::fmt::Result {
    let yellow = AnsiColor::Yellow.on_default().bold();
    for result in library.results.iter().filter(|it| it.known) {
        let name = result.verdict.name();
        writeln!(text, "{yellow}{}{yellow:#}: {name}", result.clause)?;
        deviation(text, run, library, result)?;
        if let Some(entry) = &result.entry {
            line(text, "known", &entry.reason())?;
        }
    }
    Ok(())
}

/// `1 result`, `2 results`.
fn number(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Whether the library was not observed, so that nothing of it can be seen again.
fn was_not_observed(result: &Outcome) -> bool {
    result.verdict == Verdict::Error
}

fn deviation(
    text: &mut String,
    run: &Run,
    library: &Library,
    result: &Outcome,
) -> std::fmt::Result {
    let promise = run.promise(&result.clause).map_or("", |it| &it.promise);
    let source = result.source.places();
    line(text, "promised", &format!("{promise} ({source})"))?;
    line(text, "basis", &result.source.basis_text())?;
    line(text, "expected", &result.expected)?;
    line(text, "observed", &result.observed)?;
    if let Some(hint) = &result.hint {
        line(text, "perhaps", hint)?;
    }
    if let (
        Verdict::Crash | Verdict::Timeout,
        Some(At {
            call: Some(call), ..
        }),
    ) = (result.verdict, &result.at)
    {
        line(text, "last call", &call_text(call))?;
    }
    if let Some(beneath) = &result.beneath {
        let same = format!("the system beneath, {}, does the same", beneath.system);
        line(text, "system", &same)?;
    }
    let summary = library.cases.get(&result.case).map_or("", |it| &it.summary);
    line(text, "case", &format!("{}: {summary}", result.case))
}

/// A call in words: `malloc(24) returned a block, errno 0`.
fn call_text(call: &Call) -> String {
    let mut text = format!("{} returned {}", call.call, call.returned);
    match &call.errno {
        Some([before, after]) if before == after => {
            write!(text, ", errno still {after}").expect("writing to a string");
        }
        Some([before, after]) => {
            write!(text, ", errno {after}, before {before}").expect("writing to a string");
        }
        None => {}
    }
    text
}

/// Writes which other results have the same cause.
fn hidden(text: &mut String, cause: &Cause) -> std::fmt::Result {
    let others = cause.results.len() - 1;
    if others == 0 {
        return Ok(());
    }
    let own = &cause.first().clause;
    let clauses: Vec<_> = cause.clauses().into_iter().filter(|it| it != own).collect();
    if clauses.is_empty() {
        let cases: Vec<_> = cause.results[1..]
            .iter()
            .map(|it| it.case.as_str())
            .collect();
        return line(text, "also with", &cases.join(", "));
    }
    let same = match &cause.kind {
        CauseKind::LostBytes => "bytes of live blocks changed",
        CauseKind::FirstUse => "the process ended at the first use of the library",
        CauseKind::Step(_) => "the process ended in this step",
        CauseKind::Clause(_) => "the same",
    };
    let list = clauses.join(", ");
    let count = number(others, "more result");
    line(text, "hides", &format!("{count}, because {same}: {list}"))
}

/// Writes a line with a word at its beginning, wrapped.
fn line(text: &mut String, word: &str, sentence: &str) -> std::fmt::Result {
    let options = textwrap::Options::new(COLUMNS + INDENT)
        .subsequent_indent("            ")
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
        .break_words(false);
    let whole = format!("  {word:<10}{sentence}");
    for (index, part) in textwrap::wrap(&whole, options).iter().enumerate() {
        match (index, part.split_once(word)) {
            (0, Some((before, after))) => writeln!(text, "{before}{FAINT}{word}{FAINT:#}{after}")?,
            _ => writeln!(text, "{part}")?,
        }
    }
    Ok(())
}
