//! The promises of each release, which are kept for good: a library that is judged by
//! `--promises 2026.1` is judged by the same clauses at the same levels after any upgrade.

use crate::clause::{Clause, Level};
use crate::clauses;
use heapmin_fixtures::PROMISES;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::nearest;

/// Ids that were renamed: the old one, and the one now. An old id stays valid for good.
const ALIASES: &[(&str, &str)] = &[];

/// The clauses of a release.
#[derive(Debug)]
pub struct Release {
    /// Its version, `2026.1`.
    pub version: &'static str,
    promises: Vec<Frozen>,
}

/// A clause as it was in a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frozen {
    id: &'static str,
    level: Level,
    promise: &'static str,
}

/// How a clause differs from a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The release does not have it.
    Added,
    /// The release has it under this id.
    Renamed(&'static str),
    /// It had this level.
    Level(Level),
    /// It had this text.
    Text(&'static str),
}

impl Release {
    /// The release of this version.
    ///
    /// # Errors
    /// If there is no such release.
    pub fn named(version: &str) -> Result<Release, InputError> {
        let versions = || PROMISES.iter().map(|(version, _)| *version);
        match PROMISES.iter().find(|(known, _)| *known == version) {
            Some((version, text)) => Ok(Release::parse(version, text)),
            None => Err(InputError::new(
                format!("no release of the promises is called {version}"),
                match nearest(version, versions()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!(
                        "the releases are {}",
                        versions().collect::<Vec<_>>().join(", ")
                    ),
                },
            )),
        }
    }

    fn parse(version: &'static str, text: &'static str) -> Release {
        let line = |line: &'static str| {
            let mut fields = line.splitn(3, '\t');
            let mut next = || fields.next().unwrap_or_default();
            Frozen {
                level: match next() {
                    "must" => Level::Must,
                    "should" => Level::Should,
                    _ => Level::Record,
                },
                id: next(),
                promise: next(),
            }
        };
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Release {
            version,
            promises: lines.map(line).collect(),
        }
    }

    /// The level that the clause has in this release; `None` if it is not in it, or is only
    /// recorded.
    pub fn level(&self, clause: &Clause) -> Option<Level> {
        let level = self.frozen(clause)?.level;
        // What was only recorded was no promise.
        (level != Level::Record || clause.level == Level::Record).then_some(level)
    }

    /// How a clause differs from this release. Nothing if it is the same.
    pub fn changes(&self, clause: &Clause) -> Vec<Change> {
        let Some(frozen) = self.frozen(clause) else {
            return vec![Change::Added];
        };
        let mut changes = Vec::new();
        if frozen.id != clause.id {
            changes.push(Change::Renamed(frozen.id));
        }
        if frozen.level != clause.level {
            changes.push(Change::Level(frozen.level));
        }
        if frozen.promise != clause.promise {
            changes.push(Change::Text(frozen.promise));
        }
        changes
    }

    fn frozen(&self, clause: &Clause) -> Option<&Frozen> {
        self.promises.iter().find(|it| present(it.id) == clause.id)
    }
}

/// The id that a clause has now.
pub fn present(id: &str) -> &str {
    present_in(ALIASES, id)
}

fn present_in<'a>(aliases: &[(&str, &'a str)], id: &'a str) -> &'a str {
    let alias = aliases.iter().find(|(old, _)| *old == id);
    alias.map_or(id, |(_, now)| *now)
}

/// The promises as the text of a release: a line for each clause, with its level, its id and
/// its promise.
pub fn text() -> String {
    let lines = clauses::all().map(|it| format!("{}\t{}\t{}\n", it.level, it.id, it.promise));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_of_a_release_is_a_clause_now() {
        assert!(!PROMISES.is_empty());
        for (version, text) in PROMISES {
            let release = Release::parse(version, text);
            assert!(release.promises.len() > 300, "{version}");
            for frozen in &release.promises {
                let is_there = clauses::all().any(|it| it.id == present(frozen.id));
                assert!(is_there, "{version}: {} is gone: add an alias", frozen.id);
            }
        }
    }

    #[test]
    fn the_specification_of_this_program_is_released() {
        let version = crate::record::SPECIFICATION;
        assert!(
            Release::named(version).is_ok(),
            "fixtures/promises/{version}.tsv is missing"
        );
    }

    #[test]
    fn a_change_since_a_release_is_found() {
        let clause = clauses::all().find(|it| it.level == Level::Must).unwrap();
        let release = |level, promise| Release {
            version: "v",
            promises: vec![Frozen {
                id: clause.id,
                level,
                promise,
            }],
        };
        let same = release(Level::Must, clause.promise);
        assert_eq!(same.changes(clause), []);
        assert_eq!(same.level(clause), Some(Level::Must));
        let other = release(Level::Should, "p");
        let changes = [Change::Level(Level::Should), Change::Text("p")];
        assert_eq!(other.changes(clause), changes);
        assert_eq!(other.level(clause), Some(Level::Should));
        let new = clauses::all().last().unwrap();
        assert_eq!(
            (same.changes(new), same.level(new)),
            (vec![Change::Added], None)
        );
        let recorded = release(Level::Record, clause.promise);
        assert_eq!(recorded.level(clause), None, "it was no promise");
    }

    #[test]
    fn an_old_id_leads_to_the_present_one() {
        let aliases = [("heapmin.old", "heapmin.new")];
        assert_eq!(present_in(&aliases, "heapmin.old"), "heapmin.new");
        assert_eq!(present_in(&aliases, "heapmin.other"), "heapmin.other");
        for (old, now) in ALIASES {
            assert!(
                clauses::all().all(|it| it.id != *old),
                "{old} is used again"
            );
            assert!(clauses::all().any(|it| it.id == *now), "{now} is no clause");
        }
    }

    #[test]
    fn an_unknown_release_is_refused_with_a_suggestion() {
        let error = Release::named("2026.2").unwrap_err();
        assert_eq!(error.mend, "did you mean 2026.1?");
    }
}
