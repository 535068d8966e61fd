//! The report for people: the new deviations, a table, what was not judged, the known
//! deviations, and a closing line.

mod deviations;
mod not_judged;

use super::Style as Wanted;
use super::table::table;
use crate::clause::Verdict;
use crate::figures::{amount, share};
use crate::record::{Count, GivenBack, Library, Run, counted, counts};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The report, with colours; the output strips them where they are not wanted.
pub(super) fn report(run: &Run, wanted: Wanted) -> String {
    let mut text = String::new();
    match wanted.only_unexpected {
        true => unexpected(&mut text, run).expect("writing to a string"),
        false => whole(&mut text, run, wanted).expect("writing to a string"),
    }
    text
}

fn whole(text: &mut String, run: &Run, wanted: Wanted) -> std::fmt::Result {
    for library in &run.candidates {
        candidate(text, run, library, wanted)?;
    }
    expectations(text, run, &run.notes)?;
    for library in &run.candidates {
        closing_line(text, library)?;
    }
    Ok(())
}

/// Writes only what is not as expected: nothing if all is.
fn unexpected(text: &mut String, run: &Run) -> std::fmt::Result {
    for library in &run.candidates {
        deviations::new(text, run, library)?;
    }
    expectations(text, run, &[])?;
    if text.is_empty() {
        return Ok(());
    }
    for library in &run.candidates {
        closing_line(text, library)?;
    }
    Ok(())
}

fn candidate(text: &mut String, run: &Run, library: &Library, wanted: Wanted) -> std::fmt::Result {
    writeln!(text, "{STRONG}{}{STRONG:#}", library.name)?;
    let format = match library.format.as_str() {
        "macho" => "Mach-O".to_owned(),
        other => other.to_uppercase(),
    };
    write!(text, "{FAINT}{}, {format} {}", library.path, library.arch)?;
    if let Some(version) = &library.version {
        write!(text, ", version {version}")?;
    }
    if let Some(profile) = &library.profile {
        write!(text, ", profile {profile}")?;
    }
    if let Some(heap) = &library.heap {
        write!(text, ", heap of {}", heap.name)?;
    }
    let command = library.runner.join(" ");
    if command == library.run_by {
        write!(
            text,
            "{}{command}",
            if command.is_empty() { "" } else { ", run by " }
        )?;
    } else {
        write!(text, ", run by {}, {command}", library.run_by)?;
    }
    writeln!(text, "{FAINT:#}")?;
    if let Some(original) = &library.original_name {
        writeln!(
            text,
            "by its version resource, this file is {original}; the profile is that library's"
        )?;
    }
    fence(text, library)?;
    let counted = counted(run, library);
    deviations::new(text, run, library)?;
    writeln!(
        text,
        "{}",
        table(&counted, wanted.width, wanted.every_clause)
    )?;
    not_judged::not_judged(text, &counted)?;
    deviations::known(text, run, library)?;
    writeln!(text)
}

/// Writes what the fence kept the candidate from.
fn fence(text: &mut String, library: &Library) -> std::fmt::Result {
    let Some(fence) = &library.fence else {
        // If there is one, no probe raised it.
        return match library.fenced {
            true => Ok(()),
            false => writeln!(text, "{FAINT}no fence{FAINT:#}"),
        };
    };
    if !fence.kept.is_empty() {
        writeln!(text, "{FAINT}fence: {}{FAINT:#}", fence.kept.join("; "))?;
    }
    if !fence.missing.is_empty() {
        writeln!(text, "not in force: {}", fence.missing.join("; "))?;
    }
    Ok(())
}

/// Writes what is not as expected, and which line to change.
fn expectations(text: &mut String, run: &Run, notes: &[String]) -> std::fmt::Result {
    if !run.complaints.is_empty() {
        let red = AnsiColor::Red.on_default().bold();
        writeln!(text, "{red}not as expected{red:#}")?;
    }
    for complaint in &run.complaints {
        writeln!(text, "{}", complaint.message)?;
    }
    for note in notes {
        writeln!(text, "{note}")?;
    }
    if !(run.complaints.is_empty() && notes.is_empty()) {
        writeln!(text)?;
    }
    Ok(())
}

fn closing_line(text: &mut String, library: &Library) -> std::fmt::Result {
    write!(text, "{STRONG}{}{STRONG:#}: ", library.name)?;
    let known = library.results.iter().filter(|it| it.known).count();
    let new = library
        .results
        .iter()
        .filter(|it| it.is_unexpected())
        .count();
    let parts: Vec<_> = counts(library)
        .iter()
        .filter(|(verdict, count)| *count > 0 || matches!(verdict, Verdict::Pass | Verdict::Fail))
        .map(|(verdict, count)| format!("{count} {}", verdict.name()))
        .collect();
    write!(text, "{}", parts.join(", "))?;
    if known + new > 0 {
        write!(text, " ({new} new, {known} known)")?;
    }
    if let Some(GivenBack { held, back }) = library.given_back {
        write!(
            text,
            "; given back {} of {} ({})",
            amount(back),
            amount(held),
            share(back, held)
        )?;
    }
    let Count {
        clauses,
        applicable,
    } = library.judged;
    writeln!(
        text,
        "; judged {clauses} of {applicable} clauses that apply"
    )
}
