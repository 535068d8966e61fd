//! The source of a promise, for records and lists.

use crate::clause::{Basis, Clause};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields for the source of a clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceEntry {
    /// The sections of the pages that the promise comes from: one or two.
    pub sources: Vec<Place>,
    /// `stated`, `derived` or `limit chosen by this suite`.
    pub basis: String,
    /// From which statement it is derived, or the limit with its reason.
    pub basis_reason: Option<String>,
}

/// A section of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The page's title.
    pub page: String,
    /// The section's heading.
    pub section: String,
    /// The address of the section.
    pub address: String,
}

impl SourceEntry {
    /// The fields of this clause.
    pub fn of(clause: &Clause) -> SourceEntry {
        let basis = clause.source.basis;
        SourceEntry {
            sources: clause.source.places(),
            basis: basis.name().to_owned(),
            basis_reason: match basis {
                Basis::Stated => None,
                Basis::Derived(from) => Some(from.to_owned()),
                Basis::Limit(limit) => Some(format!("{}: {}", limit.bound, limit.reason)),
            },
        }
    }

    /// The pages and sections: `_heapmin, Return value`.
    pub fn places(&self) -> String {
        let places = self.sources.iter();
        let places: Vec<_> = places
            .map(|place| format!("{}, {}", place.page, place.section))
            .collect();
        places.join("; ")
    }

    /// The basis, for readers. Of a limit, without the reason for it.
    pub fn basis_text(&self) -> String {
        match (self.basis.as_str(), &self.basis_reason) {
            ("derived", Some(from)) => format!("derived: {from}"),
            (basis, Some(limit)) => {
                let (bound, _) = limit.split_once(": ").unwrap_or((limit, ""));
                format!("{basis}: {bound}")
            }
            (_, None) => "stated by the page".into(),
        }
    }
}
