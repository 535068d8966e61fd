//! The source of a promise, for JSON reports and lists.

use crate::clause::source::Place;
use crate::clause::{Basis, Clause};
use serde::Serialize;

/// The fields for the source of a clause.
#[derive(Serialize)]
pub struct SourceEntry {
    sources: Vec<Place>,
    basis: &'static str,
    basis_reason: Option<String>,
}

impl SourceEntry {
    /// The fields of this clause.
    pub fn of(clause: &Clause) -> SourceEntry {
        let basis = clause.source.basis;
        SourceEntry {
            sources: clause.source.places(),
            basis: basis.name(),
            basis_reason: match basis {
                Basis::Stated => None,
                Basis::Derived(from) => Some(from.to_owned()),
                Basis::Limit(limit) => Some(format!("{}: {}", limit.bound, limit.reason)),
            },
        }
    }
}
