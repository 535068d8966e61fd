//! What was not judged, for people: by cause, and for each routine in a line.

use super::FAINT;
use crate::clause::Reason;
use crate::record::{Counted, Group, groups, lacking};
use std::fmt::Write;

/// Names of clauses of at most this length are on the line of their cause.
const SHORT: usize = 40;

/// Writes the clauses that do not apply, and those that could not be judged, by cause.
/// The routines that the library lacks are on one line.
pub(super) fn not_judged(text: &mut String, counted: &[Counted]) -> std::fmt::Result {
    let not_applicable = groups(counted, Reason::NotApplicable).into_iter();
    let not_judged = groups(counted, Reason::NotJudged).into_iter();
    let groups = not_applicable
        .map(|group| ("not applicable", group))
        .chain(not_judged.map(|group| ("not judged", group)));
    for (word, Group { cause, clauses }) in groups {
        let names = named(&clauses, counted).join(", ");
        // A short report fits on one screen.
        match names.len() <= SHORT {
            true => writeln!(text, "{FAINT}{word}: {cause}{FAINT:#} ({names})")?,
            false => writeln!(text, "{FAINT}{word}: {cause}{FAINT:#}\n  {names}")?,
        }
    }
    if let Some(Group { cause, clauses }) = lacking(counted) {
        let were = match clauses.len() {
            1 => "clause was",
            _ => "clauses were",
        };
        let count = clauses.len();
        writeln!(text, "{FAINT}{cause}: {count} {were} not judged{FAINT:#}")?;
    }
    Ok(())
}

/// The names of these clauses. A family whose clauses are all among them has one name.
fn named(clauses: &[&str], counted: &[Counted]) -> Vec<String> {
    /// A family with fewer clauses is written out.
    const MANY: usize = 4;
    let mut names: Vec<String> = Vec::new();
    for id in clauses {
        let family = &id[..=id.find('.').unwrap_or_default()];
        let all = counted.iter().map(|it| it.outcome.clause.as_str());
        let mut of_family = all.filter(|other| other.starts_with(family));
        let count = of_family.clone().count();
        let name = match count >= MANY && of_family.all(|other| clauses.contains(&other)) {
            true => format!("{family}* ({count} clauses)"),
            false => (*id).to_owned(),
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}
