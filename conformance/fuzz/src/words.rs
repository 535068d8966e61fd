//! The words that judges look for, which `build.rs` collects from the sources.

use heapmin_conformance::clause::Clause;

include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// The words in the sources of this clause.
pub fn of_clause(id: &str) -> &'static [&'static str] {
    let entry = WORDS.iter().find(|(ids, _)| ids.contains(&id));
    entry.map_or(&["returned"], |(_, words)| words)
}

/// Whether this case is one of the clause's.
pub fn is_for(clause: &Clause, case: &str) -> bool {
    clause.cases.iter().any(|it| it.name == case)
}
