//! The table of the report for people: a row for each clause, or, if there are
//! many clauses, for each routine.

use crate::clause::{Clause, Level, Verdict};
use crate::run::{Checked, Outcome};
use comfy_table::{Cell, Color, ContentArrangement, Table, TableComponent, presets};

/// With more clauses than this, the table has a row for each routine instead.
const MOST_ROWS: usize = 40;

/// The outcome that counts for each clause: the first of those with the worst
/// verdict.
pub(super) fn counting(checked: &Checked) -> Vec<&Outcome> {
    let mut counting: Vec<&Outcome> = Vec::new();
    for outcome in &checked.outcomes {
        match counting
            .iter_mut()
            .find(|known| known.clause.id == outcome.clause.id)
        {
            Some(known) if outcome.judgement.verdict > known.judgement.verdict => *known = outcome,
            Some(_) => {}
            None => counting.push(outcome),
        }
    }
    counting
}

/// The table, as wide as the terminal if it goes to one. With `every_clause`
/// each clause has a row.
pub(super) fn table(checked: &Checked, width: Option<u16>, every_clause: bool) -> Table {
    let counting = counting(checked);
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.unwrap_or(120).max(60))
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .enforce_styling();
    if every_clause || counting.len() <= MOST_ROWS {
        clause_rows(&mut table, &counting);
    } else {
        routine_rows(&mut table, &counting);
    }
    table
}

fn clause_rows(table: &mut Table, counting: &[&Outcome]) {
    table.set_header(["clause", "level", "verdict", "seen"]);
    for outcome in counting {
        let (word, colour) = word(outcome);
        table.add_row([
            Cell::new(outcome.clause.id),
            Cell::new(outcome.clause.level),
            Cell::new(word).fg(colour),
            Cell::new(&outcome.judgement.observed),
        ]);
    }
}

fn routine_rows(table: &mut Table, counting: &[&Outcome]) {
    table.set_header(["routine", "clauses", "verdicts"]);
    let mut routines: Vec<&Clause> = Vec::new();
    for outcome in counting {
        if !routines
            .iter()
            .any(|known| known.routine == outcome.clause.routine)
        {
            routines.push(outcome.clause);
        }
    }
    for Clause { routine, .. } in routines {
        let of_routine = || {
            let outcomes = counting.iter();
            outcomes.filter(|outcome| outcome.clause.routine == *routine)
        };
        // The words in order of severity, the worst last.
        let mut words: Vec<(Verdict, String, Color, usize)> = Vec::new();
        for outcome in of_routine() {
            let (text, colour) = word(outcome);
            match words.iter_mut().find(|known| known.1 == text) {
                Some(known) => known.3 += 1,
                None => words.push((outcome.judgement.verdict, text, colour, 1)),
            }
        }
        words
            .sort_by_key(|(verdict, text, ..)| (*verdict != Verdict::Pass, *verdict, text.clone()));
        let colour = words.last().map_or(Color::Green, |word| word.2);
        let verdicts: Vec<_> = words
            .iter()
            .map(|(_, text, _, count)| format!("{count} {text}"))
            .collect();
        table.add_row([
            Cell::new(routine),
            Cell::new(of_routine().count()),
            Cell::new(verdicts.join(", ")).fg(colour),
        ]);
    }
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
