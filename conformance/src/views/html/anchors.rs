//! The ids of the page's elements, for links to a clause or a deviation. The same clause of the
//! same library has the same id in each report, whatever its result is.

use crate::record::{Library, Outcome, Run};
use std::collections::{HashMap, HashSet};

/// Names of more characters are cut.
const MOST: usize = 80;

/// The ids of the page's own parts.
const OWN: [&str; 19] = [
    "main",
    "summary",
    "summary-heading",
    "configuration",
    "configuration-heading",
    "new",
    "new-heading",
    "known",
    "known-heading",
    "changed",
    "changed-heading",
    "not-judged",
    "not-judged-heading",
    "matrix",
    "matrix-heading",
    "matrix-caption",
    "filter-text",
    "filter-state",
    "filter-count",
];

/// The ids of the results.
pub(super) struct Anchors {
    /// Of the clauses of each library.
    clauses: Vec<HashMap<String, String>>,
    /// Of the deviations.
    results: HashMap<*const Outcome, String>,
}

impl Anchors {
    /// Finds an id for each clause and each deviation. No id occurs twice.
    pub(super) fn new(run: &Run, titles: &[String]) -> Anchors {
        let mut taken: HashSet<String> = OWN.map(str::to_owned).into();
        let mut unique = |wanted: String| {
            let numbered = (2..).map(|number| format!("{wanted}-{number}"));
            let mut ids = std::iter::once(wanted.clone()).chain(numbered);
            ids.find(|id| taken.insert(id.clone()))
                .expect("numbers do not end")
        };
        let mut clauses = Vec::new();
        let mut results = HashMap::new();
        for (library, title) in run.candidates.iter().zip(titles) {
            let mut of_library: HashMap<String, String> = HashMap::new();
            for outcome in &library.results {
                let clause = format!("{}-{}", plain(title), plain(&outcome.clause));
                (of_library.entry(outcome.clause.clone()))
                    .or_insert_with(|| unique(clause.clone()));
                if outcome.verdict.is_deviation() {
                    let id = unique(format!("{clause}-{}", plain(&outcome.case)));
                    results.insert(std::ptr::from_ref(outcome), id);
                }
            }
            clauses.push(of_library);
        }
        Anchors { clauses, results }
    }

    /// The id of a clause of the library at this index.
    pub(super) fn of_clause(&self, library: usize, clause: &str) -> &str {
        &self.clauses[library][clause]
    }

    /// The id of a deviation of the run.
    pub(super) fn of_result(&self, outcome: &Outcome) -> &str {
        &self.results[&std::ptr::from_ref(outcome)]
    }
}

/// The deviation at which a link to its clause leads: the first of the clause.
pub(super) fn is_first_of_its_clause(library: &Library, outcome: &Outcome) -> bool {
    let mut deviations = library.results.iter();
    let first = deviations.find(|it| it.clause == outcome.clause && it.verdict.is_deviation());
    first.is_some_and(|first| std::ptr::eq(first, outcome))
}

/// The text with a hyphen for each character that an address would have to escape.
fn plain(text: &str) -> String {
    let plain = |it: char| match it.is_ascii_alphanumeric() || "._-".contains(it) {
        true => it,
        false => '-',
    };
    text.chars().take(MOST).map(plain).collect()
}
