//! `heapmin known`: lists the known deviations of saved runs by age.

use super::AS_EXPECTED;
use super::list::table;
use super::options::ListFormat;
use super::output::Output;
use crate::record::{self, Listed, Occurrence, Run};
use clap::{Args, ValueHint};
use heapmin_harness::text::input_error::InputError;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  heapmin known run.json
  heapmin known run-*.json --format json";

#[derive(Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct KnownArgs {
    /// Saved runs: files that `heapmin check --format json` wrote
    #[arg(required = true, value_name = "RUN", value_hint = ValueHint::FilePath)]
    runs: Vec<PathBuf>,
    /// Format of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Human, help_heading = "Reports")]
    format: ListFormat,
}

/// An entry, with the runs that it concerns.
#[derive(Debug, Serialize)]
struct Row {
    /// The days since it was written; `None` without a date.
    age_days: Option<i64>,
    added: Option<String>,
    clause: String,
    case: Option<String>,
    candidates: BTreeSet<String>,
    bug: Option<String>,
    why: String,
    file: String,
    line: usize,
    /// Number of runs that show the deviation.
    shown_by: usize,
    /// Number of runs that could show it.
    runs: usize,
}

pub(super) fn known(args: &KnownArgs) -> Result<u8, InputError> {
    let runs = args.runs.iter().map(|path| record::read(path));
    let runs: Vec<Run> = runs.collect::<Result<_, _>>()?;
    let rows = rows(&runs, today());
    let text = match args.format {
        ListFormat::Human => human(&rows),
        ListFormat::Json => {
            serde_json::to_string_pretty(&rows).expect("a list is plain data") + "\n"
        }
    };
    Output::Standard.write(&text)?;
    Ok(AS_EXPECTED)
}

/// The entries of these runs, the oldest first; those without a date are last.
fn rows(runs: &[Run], today: i64) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for run in runs {
        let mut concerned: BTreeSet<usize> = BTreeSet::new();
        let mut shown: BTreeSet<usize> = BTreeSet::new();
        for listed in &run.known {
            let place = rows.iter().position(|row| row.is_of(listed));
            let place = place.unwrap_or_else(|| {
                rows.push(Row::of(listed, today));
                rows.len() - 1
            });
            rows[place].candidates.extend(listed.candidate.clone());
            match listed.occurrence {
                Occurrence::Occurs => {
                    concerned.insert(place);
                    shown.insert(place);
                }
                Occurrence::Gone | Occurrence::Undecided => {
                    concerned.insert(place);
                }
                Occurrence::NotRun => {}
            }
        }
        concerned.iter().for_each(|place| rows[*place].runs += 1);
        shown.iter().for_each(|place| rows[*place].shown_by += 1);
    }
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.added.is_none(), row.added.clone());
        (key(a), &a.file, a.line).cmp(&(key(b), &b.file, b.line))
    });
    rows
}

impl Row {
    fn is_of(&self, listed: &Listed) -> bool {
        (&self.file, self.line) == (&listed.entry.file, listed.entry.line)
            && (&self.clause, &self.case) == (&listed.clause, &listed.case)
    }

    fn of(listed: &Listed, today: i64) -> Row {
        let entry = &listed.entry;
        Row {
            age_days: entry.added.as_deref().and_then(day).map(|day| today - day),
            added: entry.added.clone(),
            clause: listed.clause.clone(),
            case: listed.case.clone(),
            candidates: BTreeSet::new(),
            bug: entry.bug.clone(),
            why: entry.why.clone(),
            file: entry.file.clone(),
            line: entry.line,
            shown_by: 0,
            runs: 0,
        }
    }
}

fn human(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "no known deviation concerns these runs\n".into();
    }
    let mut table = table(&[
        "age",
        "clause",
        "library",
        "shown by",
        "bug or reason",
        "place",
    ]);
    for row in rows {
        let of_case = row.case.iter().map(|case| format!("\nwith {case}"));
        let clause = row.clause.clone() + &of_case.collect::<String>();
        table.add_row([
            row.age_days
                .map_or("no date".into(), |days| format!("{days} d")),
            clause,
            (row.candidates.iter().cloned().collect::<Vec<_>>()).join(", "),
            format!("{} of {}", row.shown_by, row.runs),
            row.bug.clone().unwrap_or_else(|| row.why.clone()),
            format!("{}:{}", row.file, row.line),
        ]);
    }
    let mut text = format!("{table}\n");
    let list = |text: &mut String, what: &str, is_meant: &dyn Fn(&&Row) -> bool| {
        let meant = rows.iter().filter(is_meant);
        let places: Vec<_> = meant.map(|it| format!("{}:{}", it.file, it.line)).collect();
        if !places.is_empty() {
            writeln!(text, "{what}: {}", places.len()).expect("writing to a string");
            for place in places {
                writeln!(text, "  {place}").expect("writing to a string");
            }
        }
    };
    writeln!(text, "entries: {}", rows.len()).expect("writing to a string");
    list(&mut text, "without a bug report", &|row| row.bug.is_none());
    list(&mut text, "without a date", &|row| row.added.is_none());
    list(&mut text, "shown by no run", &|row| row.shown_by == 0);
    text
}

/// The number of this day since the first of January 1970.
fn today() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| (since.as_secs() / 86_400) as i64)
}

/// The number of a day written as `2026-11-26`.
fn day(text: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some((since.as_secs() / 86_400) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::gate::Findings;
    use crate::forged;
    use crate::record::Entry;

    fn listed(line: usize, added: Option<&str>, occurrence: Occurrence) -> Listed {
        Listed {
            clause: "heapmin.idempotent".into(),
            case: None,
            candidate: Some("c".into()),
            entry: Entry {
                file: "e.toml".into(),
                line,
                why: "w".into(),
                added: added.map(str::to_owned),
                bug: (line == 2).then(|| "https://bugs.example/2".into()),
            },
            is_of_a_profile: false,
            occurrence,
        }
    }

    fn run(known: Vec<Listed>) -> Run {
        Run {
            known,
            ..forged::record(&[], Findings::default())
        }
    }

    #[test]
    fn entries_are_listed_by_age_with_the_runs_that_show_them() {
        use Occurrence::{Gone, NotRun, Occurs};
        let runs = [
            run(vec![
                listed(1, None, Occurs),
                listed(2, Some("2026-11-25"), Occurs),
                listed(3, Some("2025-11-26"), Gone),
            ]),
            run(vec![
                listed(2, Some("2026-11-25"), Gone),
                listed(3, Some("2025-11-26"), NotRun),
            ]),
        ];
        let rows = rows(&runs, day("2026-11-26").unwrap());
        let seen: Vec<_> = rows
            .iter()
            .map(|it| (it.line, it.age_days, it.shown_by, it.runs))
            .collect();
        assert_eq!(
            seen,
            [(3, Some(365), 0, 1), (2, Some(1), 1, 2), (1, None, 1, 1)]
        );
        let text = human(&rows);
        for line in [
            "without a bug report: 2\n  e.toml:3\n  e.toml:1\n",
            "without a date: 1\n  e.toml:1\n",
            "shown by no run: 1\n  e.toml:3\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn without_an_entry_the_list_says_so() {
        assert_eq!(
            human(&rows(&[run(vec![])], 0)),
            "no known deviation concerns these runs\n"
        );
    }
}
