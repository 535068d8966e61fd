//! Views of a record: for a terminal, as JSON and as Markdown. A view runs nothing.

mod human;
mod json;
mod markdown;
mod table;
#[cfg(test)]
mod tests;

use crate::record::Run;
use clap::ValueEnum;

/// The format of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people: a table, the deviations with reasons, and a closing line.
    Human,
    /// The record itself.
    Json,
    /// A table of routines by library, and the deviations.
    Markdown,
}

/// How a view is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// The width of the terminal, if the view goes to one.
    pub width: Option<u16>,
    /// Whether each clause has a row, even if there are many.
    pub every_clause: bool,
}

/// A view of a run, as text.
pub fn view(run: &Run, format: Format, style: Style) -> String {
    match format {
        Format::Human => human::report(run, style.width, style.every_clause),
        Format::Json => json::report(run),
        Format::Markdown => markdown::report(run),
    }
}
