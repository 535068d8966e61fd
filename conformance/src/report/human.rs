//! The report for people: a table, what deviates and why, and a closing line.

use super::counts;
use crate::clause::{Clause, Level, Verdict};
use crate::figures::{amount, share};
use crate::run::{Checked, Outcome};
use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, Color, ContentArrangement, Table, TableComponent, presets};
use std::fmt::Write;

const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// The report, with colours; printing it takes them away where they do not
/// belong. `width` is that of the terminal, if it goes to one.
pub fn report(checked: &[Checked], width: Option<u16>) -> String {
    let mut text = String::new();
    for one in checked {
        candidate(&mut text, one, width).expect("writing to a string");
    }
    for one in checked {
        closing_line(&mut text, one).expect("writing to a string");
    }
    text
}

fn candidate(text: &mut String, checked: &Checked, width: Option<u16>) -> std::fmt::Result {
    let candidate = &checked.candidate;
    let library = &candidate.image;
    writeln!(text, "{STRONG}{}{STRONG:#}", candidate.name)?;
    write!(
        text,
        "{FAINT}{}, {} {}",
        candidate.path.display(),
        library.format,
        library.arch
    )?;
    if let Some(version) = &library.version {
        write!(text, ", version {version}")?;
    }
    if let Some(profile) = &candidate.profile {
        write!(text, ", profile {}", profile.name)?;
    }
    if let Some(front) = &candidate.runner.front {
        write!(text, ", run by {}", front.display())?;
    }
    writeln!(text, "{FAINT:#}")?;
    writeln!(text, "{}", table(checked, width))?;
    for outcome in &checked.outcomes {
        if outcome.judgement.verdict.is_deviation() {
            deviation(text, outcome)?;
        }
    }
    for known in &checked.stale {
        writeln!(
            text,
            "{STRONG}{}{STRONG:#} is listed as a known deviation ({}), but did not occur; take it out of the profile, or of the file given with --expected",
            known.clause, known.verdict
        )?;
    }
    writeln!(text)
}

/// A row a clause, with the case that counts.
fn table(checked: &Checked, width: Option<u16>) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.unwrap_or(120).max(60))
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .enforce_styling()
        .set_header(["clause", "level", "verdict", "seen"]);
    let mut clauses: Vec<&Clause> = Vec::new();
    for outcome in &checked.outcomes {
        if !clauses.iter().any(|known| known.id == outcome.clause.id) {
            clauses.push(outcome.clause);
        }
    }
    for clause in clauses {
        let cases = checked
            .outcomes
            .iter()
            .filter(|outcome| outcome.clause.id == clause.id);
        // The first of those with the greatest verdict.
        let counting = cases
            .reduce(|first, next| {
                if next.judgement.verdict > first.judgement.verdict {
                    next
                } else {
                    first
                }
            })
            .expect("a clause has a case");
        let (word, colour) = word(counting);
        table.add_row([
            Cell::new(clause.id),
            Cell::new(clause.level),
            Cell::new(word).fg(colour),
            Cell::new(&counting.judgement.observed),
        ]);
    }
    table
}

fn word(outcome: &Outcome) -> (String, Color) {
    let verdict = outcome.judgement.verdict;
    match verdict {
        Verdict::Pass if outcome.clause.level == Level::Record => ("recorded".into(), Color::Green),
        Verdict::Pass => ("pass".into(), Color::Green),
        Verdict::Unsupported => ("unsupported".into(), Color::DarkGrey),
        _ if outcome.known.is_some() => (format!("{} (known)", verdict.name()), Color::Yellow),
        _ => (verdict.name().to_uppercase(), Color::Red),
    }
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
    writeln!(
        text,
        "  promised  {} (page: {})",
        clause.summary, clause.page
    )?;
    writeln!(text, "  expected  {}", clause.expects)?;
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
    writeln!(text)
}
