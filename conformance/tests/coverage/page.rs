//! The table of routines and dimensions, for the terminal and for the book.

use super::impossible::IMPOSSIBLE;
use super::{Covered, count};
use crate::dimensions::dimensions_of;
use comfy_table::{ContentArrangement, Table, presets};
use heapmin_harness::wire::coverage::{Dimension, ROUTINES, Value};
use std::fmt::Write;
use std::path::Path;

const START: &str = "<!-- pairs: written by a test, see testing.md -->";
const END: &str = "<!-- end of the pairs -->";

/// For each routine and dimension the pairs that are covered, of how many that can be.
pub(super) fn terminal(covered: &Covered) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header());
    for routine in ROUTINES.iter().copied() {
        let cells = Dimension::ALL.iter().map(|dimension| {
            let count = count(covered, routine, *dimension);
            match dimensions_of(routine).any(|it| it == *dimension) {
                true => format!("{} of {}", count.covered, count.covered + count.uncovered),
                false => String::new(),
            }
        });
        table.add_row(std::iter::once(routine.to_owned()).chain(cells));
    }
    table
}

fn header() -> impl Iterator<Item = &'static str> {
    let titles = Dimension::ALL.iter().map(|it| it.title());
    std::iter::once("routine").chain(titles)
}

/// Compares the page of the book with the dimensions and the list of impossible pairs, and
/// rewrites it with UPDATE_BOOK=1. Every possible pair is covered.
pub(super) fn compare() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/internals/coverage.md");
    let text = std::fs::read_to_string(&path).expect("the book is part of the repository");
    let (before, rest) = text.split_once(START).expect("the start is marked");
    let (found, after) = rest.split_once(END).expect("the end is marked");
    let wanted = tables();
    if found == wanted {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_BOOK").is_some(),
        "{} is not up to date: UPDATE_BOOK=1 cargo test -p heapmin-conformance --test coverage writes it anew",
        path.display()
    );
    let text = format!("{before}{START}{wanted}{END}{after}");
    std::fs::write(path, text).expect("the book can be written");
}

fn tables() -> String {
    let mut text = String::from("\n\n| dimension | values |\n| --- | --- |\n");
    for dimension in Dimension::ALL {
        let values = super::values(*dimension).map(Value::name);
        let values = values.collect::<Vec<_>>().join("; ");
        line(&mut text, &[dimension.title(), &values]);
    }
    text += "\nEach cell is the number of possible pairs in which a value of the dimension is. All of them are in a case.\n\n";
    let header: Vec<&str> = header().collect();
    line(&mut text, &header);
    line(&mut text, &vec!["---"; header.len()]);
    for routine in ROUTINES.iter().copied() {
        let mut cells = vec![format!("`{routine}`")];
        for dimension in Dimension::ALL {
            let count = count(&Covered::new(), routine, *dimension);
            cells.push(match dimensions_of(routine).any(|it| it == *dimension) {
                true => count.uncovered.to_string(),
                false => String::new(),
            });
        }
        line(&mut text, &cells);
    }
    text += "\n| routines | value | cannot be with | because |\n| --- | --- | --- | --- |\n";
    for rule in IMPOSSIBLE {
        let routines = rule.routines.iter().map(|name| format!("`{name}`"));
        let routines = or_all(routines.collect());
        let names = |values: &[Value]| values.iter().map(|it| it.name().to_owned()).collect();
        let one = or_all(names(rule.one));
        let other = or_all(names(rule.other));
        line(&mut text, &[routines.as_str(), &one, &other, rule.why]);
    }
    text + "\n"
}

fn or_all(names: Vec<String>) -> String {
    match names.is_empty() {
        true => "all".into(),
        false => names.join("; "),
    }
}

fn line(text: &mut String, cells: &[impl AsRef<str>]) {
    let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
    writeln!(text, "| {} |", cells.join(" | ")).expect("writing to a string");
}
