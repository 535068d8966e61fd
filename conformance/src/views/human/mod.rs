//! The report for people: the new deviations, a table, what was not judged, the known
//! deviations, and a closing line.

mod deviations;
mod not_judged;

use super::table::table;
use crate::clause::Verdict;
use crate::figures::{amount, share};
use crate::record::{Count, GivenBack, Library, Run, counted, counts};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The report, with colours; the output strips them where they are not wanted.
/// `width` is the terminal's, if the report goes to one. With `every_clause` each
/// clause has a row, even if there are many.
pub(super) fn report(run: &Run, width: Option<u16>, every_clause: bool) -> String {
    let mut text = String::new();
    for library in &run.candidates {
        candidate(&mut text, run, library, width, every_clause).expect("writing to a string");
    }
    expectations(&mut text, run).expect("writing to a string");
    for library in &run.candidates {
        closing_line(&mut text, library).expect("writing to a string");
    }
    text
}

fn candidate(
    text: &mut String,
    run: &Run,
    library: &Library,
    width: Option<u16>,
    every_clause: bool,
) -> std::fmt::Result {
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
    writeln!(text, "{}", table(&counted, width, every_clause))?;
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
fn expectations(text: &mut String, run: &Run) -> std::fmt::Result {
    if !run.complaints.is_empty() {
        let red = AnsiColor::Red.on_default().bold();
        writeln!(text, "{red}not as expected{red:#}")?;
    }
    for complaint in &run.complaints {
        writeln!(text, "{}", complaint.message)?;
    }
    for note in &run.notes {
        writeln!(text, "{note}")?;
    }
    if !(run.complaints.is_empty() && run.notes.is_empty()) {
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
