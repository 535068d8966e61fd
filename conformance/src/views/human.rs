//! The report for people: a table, the deviations with reasons, and a closing line.

use super::table::table;
use crate::clause::{Reason, Verdict};
use crate::figures::{amount, share};
use crate::record::{
    Count, Counted, GivenBack, Group, Library, Outcome, Run, counted, counts, groups, lacking,
};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

const STRONG: Style = Style::new().bold();
/// Names of clauses of at most this length are on the line of their cause.
const SHORT: usize = 40;
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
        write!(text, ", heap of {}", heap.library)?;
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
    writeln!(text, "{}", table(&counted, width, every_clause))?;
    unsupported(text, &counted)?;
    for outcome in &library.results {
        if outcome.verdict.is_deviation() {
            deviation(text, run, library, outcome)?;
        }
    }
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

/// Writes the clauses that do not apply, and those that could not be judged, by cause.
/// The routines that the library lacks are on one line.
fn unsupported(text: &mut String, counted: &[Counted]) -> std::fmt::Result {
    let not_applicable = groups(counted, Reason::NotApplicable).into_iter();
    let not_judged = groups(counted, Reason::NotJudged).into_iter();
    let groups = not_applicable
        .map(|group| ("not applicable", group))
        .chain(not_judged.map(|group| ("not judged", group)));
    for (word, Group { cause, clauses }) in groups {
        let names = named(&clauses, counted).join(", ");
        // A short report fits on one screen.
        match names.len() <= SHORT {
            true => writeln!(text, "{FAINT}{word}: {cause}{FAINT:#} ({names})")?,
            false => writeln!(text, "{FAINT}{word}: {cause}{FAINT:#}\n  {names}")?,
        }
    }
    if let Some(Group { cause, clauses }) = lacking(counted) {
        let were = match clauses.len() {
            1 => "clause was",
            _ => "clauses were",
        };
        let count = clauses.len();
        writeln!(text, "{FAINT}{cause}: {count} {were} not judged{FAINT:#}")?;
    }
    Ok(())
}

/// The names of these clauses. A family whose clauses are all among them has one name.
fn named(clauses: &[&str], counted: &[Counted]) -> Vec<String> {
    /// A family with fewer clauses is written out.
    const MANY: usize = 4;
    let mut names: Vec<String> = Vec::new();
    for id in clauses {
        let family = &id[..=id.find('.').unwrap_or_default()];
        let all = counted.iter().map(|it| it.outcome.clause.as_str());
        let mut of_family = all.filter(|other| other.starts_with(family));
        let count = of_family.clone().count();
        let name = match count >= MANY && of_family.all(|other| clauses.contains(&other)) {
            true => format!("{family}* ({count} clauses)"),
            false => (*id).to_owned(),
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}

fn deviation(
    text: &mut String,
    run: &Run,
    library: &Library,
    outcome: &Outcome,
) -> std::fmt::Result {
    let colour = match outcome.known {
        true => AnsiColor::Yellow.on_default().bold(),
        false => AnsiColor::Red.on_default().bold(),
    };
    let name = outcome.verdict.name();
    writeln!(text, "{colour}{}{colour:#}: {name}", outcome.clause)?;
    let promise = run.promise(&outcome.clause).map_or("", |it| &it.promise);
    writeln!(text, "  promised  {promise} ({})", outcome.source.places())?;
    writeln!(text, "  basis     {}", outcome.source.basis_text())?;
    writeln!(text, "  expected  {}", outcome.expected)?;
    writeln!(text, "  observed  {}", outcome.observed)?;
    let summary = library
        .cases
        .get(&outcome.case)
        .map_or("", |it| &it.summary);
    writeln!(text, "  case      {}: {summary}", outcome.case)?;
    if let Some(entry) = &outcome.entry {
        writeln!(text, "  known     {}", entry.reason())?;
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
    let parts: Vec<_> = counts(library)
        .iter()
        .filter(|(verdict, count)| *count > 0 || matches!(verdict, Verdict::Pass | Verdict::Fail))
        .map(|(verdict, count)| format!("{count} {}", verdict.name()))
        .collect();
    write!(text, "{}", parts.join(", "))?;
    if known > 0 {
        write!(text, " ({known} known)")?;
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
