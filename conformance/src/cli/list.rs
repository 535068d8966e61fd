//! `heapmin list`: lists the clauses and cases, or the known libraries.

use super::options::ListFormat;
use super::output::{Output, terminal_width};
use super::{AS_EXPECTED, catalogue};
use crate::clause::{Case, Clause, Level};
use crate::clauses;
use crate::promises::{Change, Release};
use crate::record::SourceEntry;
use clap::{Args, ValueHint};
use comfy_table::{ContentArrangement, Table, TableComponent, presets};
use heapmin_harness::text::input_error::InputError;
use serde::Serialize;

const EXAMPLES: &str = "\
Examples:
  heapmin list --candidates
  heapmin list --changed-since 2026.1";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct ListArgs {
    /// List the known libraries instead of the clauses
    #[arg(long, conflicts_with = "format", help_heading = WHAT)]
    candidates: bool,
    /// List only what changed since this release of the promises, such as 2026.1
    #[arg(
        long,
        value_name = "VERSION",
        conflicts_with_all = ["format", "candidates"],
        value_hint = ValueHint::Other,
        help_heading = WHAT
    )]
    changed_since: Option<String>,
    /// Format of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Human, help_heading = "Reports")]
    format: ListFormat,
}

const WHAT: &str = "What to list";

#[derive(Serialize)]
struct List {
    schema: u32,
    clauses: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    routine: &'static str,
    level: Level,
    page: String,
    #[serde(flatten)]
    source: SourceEntry,
    summary: &'static str,
    cases: Vec<&'static str>,
}

pub(super) fn list(args: &ListArgs) -> Result<u8, InputError> {
    let text = if let Some(version) = &args.changed_since {
        changed_since(&Release::named(version)?)
    } else if args.candidates {
        candidates()?
    } else {
        match args.format {
            ListFormat::Json => json(),
            ListFormat::Human => human(),
        }
    };
    Output::Standard.write(&text)?;
    Ok(AS_EXPECTED)
}

/// The clauses that differ from a release, each with how.
fn changed_since(release: &Release) -> String {
    let mut text = String::new();
    for clause in clauses::all() {
        for change in release.changes(clause) {
            let id = clause.id;
            let line = match change {
                Change::Added => format!("{id}: new: {}", clause.promise),
                Change::Renamed(old) => format!("{id}: was called {old}"),
                Change::Level(level) => format!("{id}: {}, was {level}", clause.level),
                Change::Text(old) => {
                    format!("{id}: says now: {}\n  said before: {old}", clause.promise)
                }
            };
            text += &(line + "\n");
        }
    }
    if text.is_empty() {
        text = format!("no clause changed since {}\n", release.version);
    }
    text
}

fn case_names(clause: &Clause) -> Vec<&'static str> {
    clause.cases.iter().map(|case: &&Case| case.name).collect()
}

fn json() -> String {
    let entry = |clause: &Clause| Entry {
        id: clause.id,
        routine: clause.routine,
        level: clause.level,
        page: clause.source.titles(),
        source: SourceEntry::of(clause),
        summary: clause.promise,
        cases: case_names(clause),
    };
    let list = List {
        schema: 1,
        clauses: clauses::all().map(entry).collect(),
    };
    serde_json::to_string_pretty(&list).expect("a list is plain data") + "\n"
}

fn human() -> String {
    let mut table = table(&["clause", "level", "what must hold", "cases"]);
    for clause in clauses::all() {
        table.add_row([
            clause.id.to_owned(),
            clause.level.to_string(),
            clause.promise.to_owned(),
            case_names(clause).join("\n"),
        ]);
    }
    format!(
        "{table}\n{}\n{} clauses, {} cases\n",
        counts(),
        clauses::all().count(),
        clauses::cases().len()
    )
}

/// A table with the number of clauses of each routine and level.
fn counts() -> Table {
    let mut routines: Vec<&str> = clauses::all().map(|clause| clause.routine).collect();
    routines.dedup();
    let mut seen = Vec::new();
    routines.retain(|routine| {
        !seen.contains(routine) && {
            seen.push(*routine);
            true
        }
    });
    let count = |routine: Option<&str>, level: Option<Level>| {
        let clauses = clauses::all()
            .filter(|clause| routine.is_none_or(|it| it == clause.routine))
            .filter(|clause| level.is_none_or(|it| it == clause.level));
        match clauses.count() {
            0 => String::new(),
            count => count.to_string(),
        }
    };
    let row = |name: &str, routine: Option<&str>| {
        [
            name.to_owned(),
            count(routine, Some(Level::Must)),
            count(routine, Some(Level::Should)),
            count(routine, Some(Level::Record)),
            count(routine, None),
        ]
    };
    let mut table = table(&["routine", "must", "should", "record", "clauses"]);
    table.remove_style(TableComponent::HorizontalLines);
    table.remove_style(TableComponent::MiddleIntersections);
    for routine in routines {
        table.add_row(row(routine, Some(routine)));
    }
    table.add_row(row("all", None));
    table
}

fn candidates() -> Result<String, InputError> {
    let mut table = table(&["name", "library", "what it is"]);
    for profile in catalogue()?.profiles {
        table.add_row([profile.name, profile.file_name, profile.title]);
    }
    Ok(format!("{table}\n"))
}

pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal_width().unwrap_or(120).max(60))
        .set_header(header);
    table
}
