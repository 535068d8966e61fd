//! Views of a record: for people, for browsers, for programs and for CI systems. A view runs nothing.

mod badge;
mod badge_svg;
mod github;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
pub mod site;
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
    /// For a pull request: a summary, the new deviations, and folded tables.
    Markdown,
    /// For the test pages of CI systems.
    Junit,
    /// Annotations for GitHub.
    Github,
    /// A page for browsers, in one file: every deviation with its calls, and every clause.
    Html,
    /// A badge, as JSON for shields.io.
    Badge,
    /// A badge, as an image.
    BadgeSvg,
}

/// How a view is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// The width of the terminal, if the view goes to one.
    pub width: Option<u16>,
    /// Whether each clause has a row, even if there are many.
    pub every_clause: bool,
    /// Whether the report for people has only what is not as expected.
    pub only_unexpected: bool,
}

/// A view of a run, as text.
pub fn view(run: &Run, format: Format, style: Style) -> String {
    match format {
        Format::Human => human::report(run, style),
        Format::Json => json::report(run),
        Format::Markdown => markdown::report(run),
        Format::Junit => junit::report(run),
        Format::Github => github::report(run),
        Format::Html => html::report(run),
        Format::Badge => badge::report(run),
        Format::BadgeSvg => badge_svg::report(run),
    }
}
