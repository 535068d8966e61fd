//! The table of the report for people: a row for each clause, or, if there are
//! many clauses, for each routine.

use crate::clause::{Level, Reason, Verdict};
use crate::record::{Counted, Outcome};
use comfy_table::{Cell, Color, ContentArrangement, Table, TableComponent, presets};

/// With more clauses than this, the table has a row for each routine instead.
const MOST_ROWS: usize = 40;

/// The table, as wide as the terminal if it goes to one. With `every_clause`
/// each clause has a row.
pub(super) fn table(counted: &[Counted], width: Option<u16>, every_clause: bool) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.unwrap_or(120).max(60))
        .remove_style(TableComponent::HorizontalLines)
        .remove_style(TableComponent::MiddleIntersections)
        .enforce_styling();
    if every_clause || counted.len() <= MOST_ROWS {
        clause_rows(&mut table, counted);
    } else {
        routine_rows(&mut table, counted);
    }
    table
}

fn clause_rows(table: &mut Table, counted: &[Counted]) {
    table.set_header(["clause", "level", "verdict", "seen"]);
    for Counted { outcome, .. } in counted {
        let (word, colour) = word(outcome);
        table.add_row([
            Cell::new(&outcome.clause),
            Cell::new(outcome.level),
            Cell::new(word).fg(colour),
            Cell::new(&outcome.observed),
        ]);
    }
}

/// A row for each routine that has a clause which applies and for which it was not missing.
/// The lines below the table name the other clauses and routines.
fn routine_rows(table: &mut Table, counted: &[Counted]) {
    table.set_header(["routine", "clauses", "verdicts"]);
    let mut routines: Vec<&str> = Vec::new();
    for one in counted {
        let routine = one.promise.routine.as_str();
        let applies = one.outcome.reason != Some(Reason::NotApplicable);
        if applies && one.missing() != Some(routine) && !routines.contains(&routine) {
            routines.push(routine);
        }
    }
    for routine in routines {
        let of_routine = || {
            let of_routine = counted.iter().filter(|it| it.promise.routine == routine);
            of_routine.map(|it| it.outcome)
        };
        // The words in order of severity, the worst last.
        let mut words: Vec<(Verdict, String, Color, usize)> = Vec::new();
        for outcome in of_routine() {
            let (text, colour) = word(outcome);
            match words.iter_mut().find(|known| known.1 == text) {
                Some(known) => known.3 += 1,
                None => words.push((outcome.verdict, text, colour, 1)),
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
    let verdict = outcome.verdict;
    match verdict {
        Verdict::Pass if outcome.level == Level::Record => ("recorded".into(), Color::Green),
        Verdict::Pass => ("pass".into(), Color::Green),
        Verdict::Unsupported => ("unsupported".into(), Color::DarkGrey),
        _ if outcome.known => (format!("{} (known)", verdict.name()), Color::Yellow),
        _ => (verdict.name().to_uppercase(), Color::Red),
    }
}
