//! Reports of a program under each allocator: for a terminal, as Markdown, and as JSON.

use super::{Figures, Row};
use crate::bench::report::{Setting, heading, number, right};
use comfy_table::{Cell, ContentArrangement, Table, presets};
use heapmin_harness::text::printable::shown;
use serde::Serialize;
use std::ffi::OsString;

const COLUMNS: [&str; 5] = [
    "allocator",
    "time (ms)",
    "of the best",
    "most resident (MiB)",
    "at stop (MiB)",
];

/// The table for a terminal.
pub fn human(setting: &Setting, command: &[OsString], rows: &[Row]) -> String {
    text(setting, command, rows, presets::UTF8_HORIZONTAL_ONLY, "")
}

/// The table in Markdown.
pub fn markdown(setting: &Setting, command: &[OsString], rows: &[Row]) -> String {
    text(setting, command, rows, presets::ASCII_MARKDOWN, "## ")
}

fn text(setting: &Setting, command: &[OsString], rows: &[Row], preset: &str, mark: &str) -> String {
    format!(
        "{}\n{mark}program: {}\n\n{}\n",
        heading(setting),
        words(command).join(" "),
        table(rows, preset)
    )
}

/// The program and its arguments as text.
fn words(command: &[OsString]) -> Vec<String> {
    command.iter().map(|word| shown(word)).collect()
}

fn table(rows: &[Row], preset: &str) -> Table {
    let mut table = Table::new();
    table
        .load_preset(preset)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(COLUMNS);
    let times = rows.iter().filter_map(|row| row.figures.as_ref().ok());
    let best = times
        .map(|figures| figures.time_ms.median)
        .min_by(f64::total_cmp);
    for row in rows {
        let mut cells = vec![Cell::new(&row.allocator)];
        match (&row.figures, best) {
            (Ok(figures), Some(best)) => {
                let ratio = figures.time_ms.median / best;
                cells.push(right(number(Some(figures.time_ms), 1)));
                cells.push(right(Cell::new(format!("{ratio:.2}"))));
                cells.push(right(number(Some(figures.most_resident_mib), 1)));
                cells.push(right(number(figures.at_stop_mib, 1)));
            }
            (Err(problem), _) => cells.push(Cell::new(&problem.what)),
            (Ok(_), None) => unreachable!("this row has a time"),
        }
        table.add_row(cells);
    }
    table
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    setting: &'a Setting,
    program: ProgramReport<'a>,
}

#[derive(Serialize)]
struct ProgramReport<'a> {
    command: Vec<String>,
    results: Vec<RowReport<'a>>,
}

#[derive(Serialize)]
struct RowReport<'a> {
    candidate: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<&'a Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// The figures as JSON.
pub fn json(setting: &Setting, command: &[OsString], rows: &[Row]) -> String {
    let results = rows.iter().map(|row| RowReport {
        candidate: &row.allocator,
        figures: row.figures.as_ref().ok(),
        problem: row.figures.as_ref().err().map(|it| it.what.as_str()),
    });
    let report = Report {
        schema: 1,
        setting,
        program: ProgramReport {
            command: words(command),
            results: results.collect(),
        },
    };
    let mut text = serde_json::to_string_pretty(&report).expect("figures are plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Summary;
    use crate::bench::program::Problem;

    fn same(value: f64) -> Summary {
        Summary {
            median: value,
            least: value,
            most: value,
        }
    }

    fn row(name: &str, time: f64) -> Row {
        Row {
            allocator: name.into(),
            figures: Ok(Figures {
                time_ms: same(time),
                most_resident_mib: same(7.0),
                at_stop_mib: None,
            }),
        }
    }

    #[test]
    fn each_time_is_divided_by_the_best() {
        let failed = Row {
            allocator: "c".into(),
            figures: Err(Problem {
                what: "it exited with status 3".into(),
                printed: "because".into(),
            }),
        };
        let rows = [row("a", 30.0), row("b", 20.0), failed];
        let text = table(&rows, presets::ASCII_MARKDOWN).to_string();
        let lines: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split('|').map(str::trim).collect())
            .collect();
        assert_eq!(lines[2][1..6], ["a", "30.0", "1.50", "7.0", "—"]);
        assert_eq!(lines[3][1..6], ["b", "20.0", "1.00", "7.0", "—"]);
        assert_eq!(lines[4][1..3], ["c", "it exited with status 3"]);
    }
}
