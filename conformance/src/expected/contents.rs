//! The contents of a file, without the places of its entries. An update compares
//! the contents of the changed file with the intended contents.

use super::addition::{Addition, NewJudged};
use super::known::{Expected, Judged, Known};
use super::place::Place;

/// The entries of a file, sorted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contents {
    known: Vec<String>,
    judged: Vec<[String; 2]>,
}

impl Contents {
    /// The contents of a parsed file.
    pub(super) fn of(expected: &Expected) -> Contents {
        let known = expected.known.iter().map(known_contents).collect();
        let judged = expected.judged.iter().map(judged_contents).collect();
        Contents { known, judged }.sorted()
    }

    /// The contents that a file should have after an update. The update removes the
    /// known deviations marked in `stale` and the judged clauses marked in `lost`.
    pub(super) fn intended(
        before: &Expected,
        stale: &[bool],
        lost: &[bool],
        new_known: &[Addition],
        new_judged: &NewJudged,
        today: &str,
    ) -> Contents {
        let kept = before.known.iter().zip(stale).filter(|(_, stale)| !**stale);
        let mut known: Vec<_> = kept.map(|(entry, _)| known_contents(entry)).collect();
        let new_known = new_known.iter().flat_map(|it| it.entries(today));
        known.extend(new_known.map(|entry| known_contents(&entry)));
        let kept = before.judged.iter().zip(lost).filter(|(_, lost)| !**lost);
        let mut judged: Vec<_> = kept.map(|(entry, _)| judged_contents(entry)).collect();
        for (candidate, ids) in new_judged {
            let each = ids.iter();
            judged.extend(each.map(|id| [id.to_string(), format!("{candidate:?}")]));
        }
        Contents { known, judged }.sorted()
    }

    fn sorted(mut self) -> Contents {
        self.known.sort();
        self.judged.sort();
        self
    }
}

/// All values of an entry.
fn known_contents(entry: &Known) -> String {
    let entry = Known {
        place: Place::default(),
        until_line: None,
        ..entry.clone()
    };
    format!("{entry:?}")
}

fn judged_contents(entry: &Judged) -> [String; 2] {
    [entry.clause.clone(), format!("{:?}", entry.candidate)]
}
