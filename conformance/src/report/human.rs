//! The report for people: a table, the deviations with reasons, and a closing line.

use super::counts;
use super::table::table;
use crate::clause::{Reason, Verdict};
use crate::expected::gate::Findings;
use crate::figures::{amount, share};
use crate::judged::{Count, Counted, Group, count, counted, groups, lacking};
use crate::run::{Checked, Outcome};
use anstyle::{AnsiColor, Style};
use heapmin_harness::text::printable::shown;
use std::fmt::Write;

const STRONG: Style = Style::new().bold();
/// Names of clauses of at most this length are on the line of their cause.
const SHORT: usize = 40;
const FAINT: Style = Style::new().dimmed();

/// The report, with colours; the output strips them where they are not wanted.
/// `width` is the terminal's, if the report goes to one. With `every_clause` each
/// clause has a row, even if there are many.
pub fn report(
    checked: &[Checked],
    findings: &Findings,
    width: Option<u16>,
    every_clause: bool,
) -> String {
    let mut text = String::new();
    for one in checked {
        candidate(&mut text, one, width, every_clause).expect("writing to a string");
    }
    expectations(&mut text, findings).expect("writing to a string");
    for one in checked {
        closing_line(&mut text, one).expect("writing to a string");
    }
    text
}

fn candidate(
    text: &mut String,
    checked: &Checked,
    width: Option<u16>,
    every_clause: bool,
) -> std::fmt::Result {
    let candidate = &checked.candidate;
    let library = &candidate.image;
    writeln!(text, "{STRONG}{}{STRONG:#}", candidate.name)?;
    write!(
        text,
        "{FAINT}{}, {} {}",
        shown(candidate.path.as_os_str()),
        library.format,
        library.arch
    )?;
    if let Some(version) = &library.version {
        write!(text, ", version {version}")?;
    }
    if let Some(profile) = &candidate.profile {
        write!(text, ", profile {}", profile.name)?;
    }
    if let Some(heap) = &candidate.heap {
        write!(text, ", heap of {}", heap.name)?;
    }
    let run_by = candidate.runner.description();
    if !run_by.is_empty() {
        write!(text, ", run by {run_by}")?;
    }
    writeln!(text, "{FAINT:#}")?;
    if let Some(original) = candidate.original_name() {
        writeln!(
            text,
            "by its version resource, this file is {original}; the profile is that library's"
        )?;
    }
    fence(text, checked)?;
    let counted = counted(checked);
    writeln!(text, "{}", table(&counted, width, every_clause))?;
    unsupported(text, &counted)?;
    for outcome in &checked.outcomes {
        if outcome.judgement.verdict.is_deviation() {
            deviation(text, outcome)?;
        }
    }
    writeln!(text)
}

/// Writes what the fence kept the candidate from.
fn fence(text: &mut String, checked: &Checked) -> std::fmt::Result {
    let Some(fence) = &checked.fence else {
        // If there is one, no probe raised it.
        return match checked.candidate.runner.is_fenced {
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
fn named(clauses: &[&'static str], counted: &[Counted]) -> Vec<String> {
    /// A family with fewer clauses is written out.
    const MANY: usize = 4;
    let mut names: Vec<String> = Vec::new();
    for id in clauses {
        let family = &id[..=id.find('.').unwrap_or_default()];
        let all = counted.iter().map(|it| it.outcome.clause.id);
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

fn deviation(text: &mut String, outcome: &Outcome) -> std::fmt::Result {
    let clause = outcome.clause;
    let colour = match outcome.known {
        Some(_) => AnsiColor::Yellow.on_default().bold(),
        None => AnsiColor::Red.on_default().bold(),
    };
    writeln!(
        text,
        "{colour}{}{colour:#}: {}",
        clause.id,
        outcome.judgement.verdict.name()
    )?;
    writeln!(text, "  promised  {} ({})", clause.promise, clause.source)?;
    writeln!(text, "  basis     {}", clause.source.basis)?;
    writeln!(text, "  expected  {}", clause.expects())?;
    writeln!(text, "  observed  {}", outcome.judgement.observed)?;
    writeln!(
        text,
        "  case      {}: {}",
        outcome.case.name, outcome.case.summary
    )?;
    if let Some(why) = &outcome.known {
        writeln!(text, "  known     {why}")?;
    }
    Ok(())
}

/// Writes what is not as expected, and which line to change.
fn expectations(text: &mut String, findings: &Findings) -> std::fmt::Result {
    let Findings { complaints, notes } = findings;
    if !complaints.is_empty() {
        let red = AnsiColor::Red.on_default().bold();
        writeln!(text, "{red}not as expected{red:#}")?;
    }
    for complaint in complaints {
        writeln!(text, "{complaint}")?;
    }
    for note in notes {
        writeln!(text, "{note}")?;
    }
    if !(complaints.is_empty() && notes.is_empty()) {
        writeln!(text)?;
    }
    Ok(())
}

fn closing_line(text: &mut String, checked: &Checked) -> std::fmt::Result {
    write!(text, "{STRONG}{}{STRONG:#}: ", checked.candidate.name)?;
    let known = checked
        .outcomes
        .iter()
        .filter(|outcome| outcome.known.is_some())
        .count();
    let parts: Vec<_> = counts(checked)
        .iter()
        .filter(|(verdict, count)| *count > 0 || matches!(verdict, Verdict::Pass | Verdict::Fail))
        .map(|(verdict, count)| format!("{count} {}", verdict.name()))
        .collect();
    write!(text, "{}", parts.join(", "))?;
    if known > 0 {
        write!(text, " ({known} known)")?;
    }
    if let Some((held, back)) = checked.given_back {
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
    } = count(checked);
    writeln!(
        text,
        "; judged {clauses} of {applicable} clauses that apply"
    )
}
