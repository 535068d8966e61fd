//! The words that judges look for; `build.rs` takes them from the sources.

use heapmin_conformance::clause::Clause;

include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// Those of the sources that this clause stands in.
pub fn of_clause(id: &str) -> &'static [&'static str] {
    let entry = WORDS.iter().find(|(ids, _)| ids.contains(&id));
    entry.map_or(&["returned"], |(_, words)| words)
}

/// Whether the clause is judged by this case.
pub fn is_for(clause: &Clause, case: &str) -> bool {
    clause.cases.iter().any(|it| it.name == case)
}
