//! Reports of benchmarks: for a terminal, as Markdown, and as JSON.

use super::figures::{Figures, Summary, geometric_mean};
use super::{Bench, Measured, Row};
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;
use std::fmt::Write;

/// What was measured, and on which machine.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// The number and model of the processors.
    pub processor: String,
    /// The operating system and its kernel's release.
    pub system: String,
    /// The number of runs of each benchmark.
    pub repeats: u16,
    /// The allocators, in the order of the rows.
    pub candidates: Vec<Named>,
}

/// An allocator.
#[derive(Debug, Serialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its file; for an adapted allocator, the adapter's.
    pub path: String,
    /// The version that an adapted allocator reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

const COLUMNS: [&str; 8] = [
    "allocator",
    "alloc, fill, free (ms)",
    "of the best other",
    "release (ms)",
    "of bare madvise",
    "again (µs)",
    "held (MiB)",
    "over live (KiB)",
];

/// What the columns are, for a terminal. The book has more.
const LEGEND: &str = "\
alloc, fill, free  time to allocate every block, write all of it, and free the blocks that go
of the best other  that time, divided by the least time of the other allocators
release            time of _heapmin, or of the allocator's function for it
of bare madvise    that time, divided by the time of madvise alone for as many pages
again              time of a second _heapmin right after the first
held               resident memory while all blocks live
over live          resident memory after the release, above the pages with a live block
most resident      the most resident memory after any round, divided by the bytes alive
";

/// The tables for a terminal of this width, if it is known.
pub fn human(setting: &Setting, measured: &[Measured], width: Option<u16>) -> String {
    let mut out = text(setting, measured, presets::UTF8_HORIZONTAL_ONLY, "", width);
    if !measured.is_empty() {
        let _ = write!(out, "\n{LEGEND}");
    }
    out
}

/// The tables in Markdown.
pub fn markdown(setting: &Setting, measured: &[Measured]) -> String {
    text(setting, measured, presets::ASCII_MARKDOWN, "## ", None)
}

fn text(
    setting: &Setting,
    measured: &[Measured],
    preset: &str,
    mark: &str,
    width: Option<u16>,
) -> String {
    let mut out = heading(setting);
    for one in measured {
        let _ = writeln!(out, "\n{mark}{}: {}\n", one.bench.name, one.bench.summary);
        let _ = writeln!(out, "{}", table(one, preset, width));
    }
    if let Some(line) = closing_line(measured) {
        let _ = writeln!(out, "\n{line}");
    }
    out
}

/// The first lines of a report: the machine, the number of runs and the allocators.
pub(super) fn heading(setting: &Setting) -> String {
    let candidates = setting.candidates.iter().map(|named| match &named.version {
        Some(version) => format!("{} {version}", named.name),
        None => named.name.clone(),
    });
    format!(
        "{}, {}; medians of {} runs (range)\n{}\n",
        setting.processor,
        setting.system,
        setting.repeats,
        candidates.collect::<Vec<_>>().join(", ")
    )
}

fn table(measured: &Measured, preset: &str, width: Option<u16>) -> Table {
    let is_day = measured
        .rows
        .iter()
        .any(|row| figure(row, |f| f.over_live_bytes).is_some());
    let mut table = Table::new();
    table.load_preset(preset);
    match width {
        None => table.set_content_arrangement(ContentArrangement::Disabled),
        Some(width) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(width.max(60)),
    };
    let mut header = COLUMNS.to_vec();
    if is_day {
        header.truncate(3);
        header.push("most resident, of the bytes alive");
    }
    table.set_header(header);
    for (index, row) in measured.rows.iter().enumerate() {
        let mut cells = vec![Cell::new(&row.candidate)];
        match &row.figures {
            Err(why) => cells.push(Cell::new(why)),
            Ok(figures) => {
                cells.push(number(figures.work_ms, 1));
                cells.push(Cell::new(
                    over_best_other(measured, index)
                        .map_or("—".into(), |ratio| format!("{ratio:.2}")),
                ));
                if is_day {
                    cells.push(number(figures.over_live_bytes, 3));
                } else {
                    cells.push(number(figures.release_ms, 2));
                    cells.push(number(figures.release_over_bare, 2));
                    cells.push(number(figures.again_us, 1));
                    cells.push(number(figures.held_mib, 1));
                    cells.push(number(figures.over_live_kib, 0));
                }
            }
        }
        let cells = cells.into_iter().enumerate();
        table.add_row(cells.map(|(index, cell)| if index == 0 { cell } else { right(cell) }));
    }
    table
}

/// The cell, aligned to the right.
pub(super) fn right(cell: Cell) -> Cell {
    cell.set_alignment(CellAlignment::Right)
}

/// A cell with the median and, if it differs, the range.
pub(super) fn number(figure: Option<Summary>, digits: usize) -> Cell {
    Cell::new(match figure {
        None => "—".to_owned(),
        Some(Summary {
            median,
            least,
            most,
        }) if least == most => format!("{median:.digits$}"),
        Some(Summary {
            median,
            least,
            most,
        }) => format!("{median:.digits$} ({least:.digits$}–{most:.digits$})"),
    })
}

fn figure(row: &Row, of: fn(&Figures<Option<Summary>>) -> Option<Summary>) -> Option<f64> {
    of(row.figures.as_ref().ok()?).map(|summary| summary.median)
}

/// The time of a row's work, divided by that of the fastest other row.
fn over_best_other(measured: &Measured, index: usize) -> Option<f64> {
    let work = |row: &Row| figure(row, |figures| figures.work_ms);
    let others = measured
        .rows
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != index);
    let best = others
        .filter_map(|(_, row)| work(row))
        .min_by(f64::total_cmp)?;
    Some(work(&measured.rows[index])? / best)
}

/// The mean result of the first candidate, which is the reference by default.
fn closing_line(measured: &[Measured]) -> Option<String> {
    let name = &measured.first()?.rows.first()?.candidate;
    let mean = |threads: usize| {
        let fills = measured
            .iter()
            .filter(|one| is_fill(&one.bench) && one.bench.threads == threads);
        let ratios: Vec<f64> = fills.filter_map(|one| over_best_other(one, 0)).collect();
        geometric_mean(&ratios).map(|mean| {
            format!(
                "{mean:.2} with {threads} thread{}",
                if threads == 1 { "" } else { "s" }
            )
        })
    };
    let means: Vec<String> = [1, 2].into_iter().filter_map(mean).collect();
    (!means.is_empty()).then(|| {
        format!("Time of {name} to allocate, fill and free, divided by that of the fastest other allocator (geometric mean of the fills): {}.", means.join(", "))
    })
}

fn is_fill(bench: &Bench) -> bool {
    super::workload::FILLS
        .iter()
        .any(|fill| fill.name == bench.act)
        && !bench.name.starts_with("size-")
}

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    setting: &'a Setting,
    benches: Vec<BenchReport<'a>>,
}

#[derive(Serialize)]
struct BenchReport<'a> {
    name: &'a str,
    summary: &'a str,
    threads: usize,
    mebibytes: usize,
    results: Vec<RowReport<'a>>,
}

#[derive(Serialize)]
struct RowReport<'a> {
    candidate: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    figures: Option<&'a Figures<Option<Summary>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// The figures as JSON.
pub fn json(setting: &Setting, measured: &[Measured]) -> String {
    let benches = measured.iter().map(|one| BenchReport {
        name: &one.bench.name,
        summary: &one.bench.summary,
        threads: one.bench.threads,
        mebibytes: one.bench.mebibytes,
        results: one
            .rows
            .iter()
            .map(|row| RowReport {
                candidate: &row.candidate,
                figures: row.figures.as_ref().ok(),
                problem: row.figures.as_ref().err().map(String::as_str),
            })
            .collect(),
    });
    let report = Report {
        schema: 1,
        setting,
        benches: benches.collect(),
    };
    let mut text = serde_json::to_string_pretty(&report).expect("figures are plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::benches;

    fn row(name: &str, work: f64) -> Row {
        let same = |value| {
            Some(Summary {
                median: value,
                least: value,
                most: value,
            })
        };
        Row {
            candidate: name.into(),
            figures: Ok(Figures {
                work_ms: same(work),
                over_live_kib: same(40.0),
                ..Figures::default()
            }),
        }
    }

    fn measured(work: [f64; 3]) -> Vec<Measured> {
        let names = ["reference", "glibc", "jemalloc"];
        let rows = names
            .iter()
            .zip(work)
            .map(|(name, work)| row(name, work))
            .collect();
        vec![Measured {
            bench: benches(false)[0].clone(),
            rows,
        }]
    }

    fn setting() -> Setting {
        Setting {
            processor: "2 × some".into(),
            system: "Linux".into(),
            repeats: 5,
            candidates: vec![],
        }
    }

    #[test]
    fn the_tables_fit_the_terminal_and_a_legend_names_every_column() {
        let text = human(&setting(), &measured([90.0, 120.0, 100.0]), Some(80));
        let (tables, legend) = text.split_once("\nalloc, fill, free").unwrap();
        let rules = tables.lines().filter(|line| line.contains('─'));
        let widest = rules.map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{widest:?}\n{tables}");
        for column in &COLUMNS[2..] {
            let name = column.split(" (").next().unwrap();
            assert!(legend.contains(&format!("\n{name} ")), "{name}");
        }
    }

    #[test]
    fn each_allocator_is_compared_with_the_fastest_other() {
        let measured = measured([90.0, 120.0, 100.0]);
        let ratios = [0, 1, 2].map(|index| over_best_other(&measured[0], index).unwrap());
        assert_eq!(ratios, [0.9, 120.0 / 90.0, 100.0 / 90.0]);
        assert!(
            closing_line(&measured)
                .unwrap()
                .ends_with("0.90 with 1 thread.")
        );
    }

    #[test]
    fn the_report_says_why_an_allocator_could_not_be_measured() {
        let mut measured = measured([90.0, 120.0, 100.0]);
        measured[0].rows[1].figures = Err("it has no free".into());
        assert!(human(&setting(), &measured, None).contains("it has no free"));
        let json: serde_json::Value = serde_json::from_str(&json(&setting(), &measured)).unwrap();
        let results = &json["benches"][0]["results"];
        assert_eq!(results[1]["problem"], "it has no free");
        assert_eq!(results[0]["figures"]["work_ms"]["median"], 90.0);
    }
}
