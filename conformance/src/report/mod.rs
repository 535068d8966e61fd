//! Reports of a check: for a terminal, as JSON and as Markdown.

pub mod human;
pub mod json;
pub mod markdown;
mod source;
mod table;
#[cfg(test)]
mod tests;

pub use source::SourceEntry;

use crate::clause::Verdict;
use crate::run::Checked;

/// The number of outcomes with each verdict, in the order of [`Verdict::ALL`].
pub fn counts(checked: &Checked) -> [(Verdict, usize); 6] {
    Verdict::ALL.map(|verdict| {
        let outcomes = checked.outcomes.iter();
        let count = outcomes
            .filter(|outcome| outcome.judgement.verdict == verdict)
            .count();
        (verdict, count)
    })
}
