//! The keys `since` and `until` of a known deviation: the versions of Wine and of the library
//! that have it.

use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::version::Version;
use std::fmt;

/// What a version is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The Wine that ran the candidate.
    Wine,
    /// The candidate's file.
    Library,
}

impl Of {
    /// Both, in the order of the keys.
    pub const ALL: [Of; 2] = [Of::Wine, Of::Library];

    /// Its key in the tables `since` and `until`.
    pub fn key(self) -> &'static str {
        match self {
            Of::Wine => "wine",
            Of::Library => "library",
        }
    }

    /// The version that this candidate had in the run, if it is known.
    pub fn version(self, candidate: &Candidate) -> Option<Version> {
        let version = match self {
            Of::Wine => candidate.runner.wine_version.as_ref(),
            Of::Library => candidate.image.version.as_ref(),
        };
        Version::parse(version?)
    }
}

/// One of the tables `since` and `until`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// The version of Wine.
    pub wine: Option<Version>,
    /// The version of the library.
    pub file: Option<Version>,
}

impl Bound {
    fn of(&self, of: Of) -> Option<&Version> {
        match of {
            Of::Wine => self.wine.as_ref(),
            Of::Library => self.file.as_ref(),
        }
    }

    fn of_mut(&mut self, of: Of) -> &mut Option<Version> {
        match of {
            Of::Wine => &mut self.wine,
            Of::Library => &mut self.file,
        }
    }
}

/// As in a file: `{ wine = "10.0" }`.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = Of::ALL
            .iter()
            .filter_map(|of| Some(format!("{} = \"{}\"", of.key(), self.of(*of)?)));
        write!(f, "{{ {} }}", given.collect::<Vec<_>>().join(", "))
    }
}

/// The versions to which an entry applies; all, if it has no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    /// The first versions that have the deviation.
    pub since: Bound,
    /// The first versions that no longer have it.
    pub until: Bound,
}

impl Versions {
    /// Whether there is a bound.
    pub fn are_bounded(&self) -> bool {
        *self != Versions::default()
    }

    /// Whether there is a bound on the version of this.
    pub fn are_bounded_by(&self, of: Of) -> bool {
        self.since.of(of).is_some() || self.until.of(of).is_some()
    }

    /// The first of these that has a `since` which is not below its `until`.
    pub fn empty(&self) -> Option<Of> {
        let is_empty = |of: &Of| match (self.since.of(*of), self.until.of(*of)) {
            (Some(since), Some(until)) => since >= until,
            _ => false,
        };
        Of::ALL.into_iter().find(is_empty)
    }

    /// Whether the candidate, as it was run, is one of these versions. A bound excludes a
    /// candidate whose version is not known.
    pub fn include(&self, candidate: &Candidate) -> bool {
        Of::ALL.into_iter().all(|of| match of.version(candidate) {
            None => !self.are_bounded_by(of),
            Some(version) => {
                self.since.of(of).is_none_or(|since| *since <= version)
                    && self.until.of(of).is_none_or(|until| version < *until)
            }
        })
    }

    /// Whether some version is in both.
    pub fn overlap(&self, other: &Versions) -> bool {
        Of::ALL.into_iter().all(|of| {
            let before = |since: Option<&Version>, until: Option<&Version>| {
                since.is_none_or(|since| until.is_none_or(|until| since < until))
            };
            before(self.since.of(of), other.until.of(of))
                && before(other.since.of(of), self.until.of(of))
        })
    }

    /// The versions beside `others` that include the candidate, as far as its own versions
    /// separate it from them.
    pub fn beside<'a>(
        candidate: &Candidate,
        others: impl IntoIterator<Item = &'a Versions>,
    ) -> Versions {
        let mut own = Versions::default();
        for other in others {
            let mut either = Of::ALL.into_iter();
            either.any(|of| own.overlap(other) && own.avoid(other, of, candidate));
        }
        own
    }

    /// Takes the versions of `other` out; returns whether the candidate's own version allows
    /// that.
    fn avoid(&mut self, other: &Versions, of: Of, candidate: &Candidate) -> bool {
        let Some(version) = of.version(candidate) else {
            return false;
        };
        if other.until.of(of).is_some_and(|until| *until <= version) {
            *self.since.of_mut(of) = Some(version);
            return true;
        }
        let Some(since) = other.since.of(of).filter(|since| version < **since) else {
            return false;
        };
        let until = self.until.of_mut(of);
        *until = until.take().into_iter().chain([since.clone()]).min();
        true
    }

    /// The table `until` with this version in addition. `None` if the entry would then apply
    /// to no version.
    pub fn until(&self, of: Of, version: Version) -> Option<Bound> {
        let mut changed = self.clone();
        *changed.until.of_mut(of) = Some(version);
        changed.empty().is_none().then_some(changed.until)
    }
}

/// For a sentence: ` since Wine 9.0 until Wine 10.0`; empty without a bound.
impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, bound) in [("since", &self.since), ("until", &self.until)] {
            for of in Of::ALL {
                if let Some(version) = bound.of(of) {
                    write!(f, " {word} {}", named(of, version))?;
                }
            }
        }
        Ok(())
    }
}

/// `Wine 10.0`, or `version 7.0` for a library.
pub fn named(of: Of, version: &Version) -> String {
    match of {
        Of::Wine => format!("Wine {version}"),
        Of::Library => format!("version {version}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged;
    use rstest::rstest;

    /// A candidate with these versions; an empty text is a version that is not known.
    fn candidate(wine: &str, library: &str) -> Candidate {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut candidate = forged::candidate();
        candidate.runner.wine_version = known(wine);
        candidate.image.version = known(library);
        candidate
    }

    /// `since` and `until` of Wine, then of the library; an empty text is no bound.
    fn versions([wine_since, wine_until, since, until]: [&str; 4]) -> Versions {
        Versions {
            since: Bound {
                wine: Version::parse(wine_since),
                file: Version::parse(since),
            },
            until: Bound {
                wine: Version::parse(wine_until),
                file: Version::parse(until),
            },
        }
    }

    #[rstest]
    #[case::no_bounds(["", "", "", ""], "", "", true)]
    #[case::first_version(["8.0", "10.0", "", ""], "8", "", true)]
    #[case::before_the_first(["8.0", "", "", ""], "7.22", "", false)]
    #[case::between(["8.0", "10.0", "", ""], "9.21", "", true)]
    #[case::until_excludes_its_version(["8.0", "10.0", "", ""], "10.0.0", "", false)]
    #[case::not_run_by_wine(["", "10.0", "", ""], "", "7.0", false)]
    #[case::library(["", "", "7.0.2", ""], "", "7.0.26100", true)]
    #[case::older_library(["", "", "7.0.26101", ""], "8.0", "7.0.26100", false)]
    #[case::library_without_a_version(["", "", "7.0", ""], "8.0", "", false)]
    #[case::both_must_hold(["8.0", "", "", "7.0"], "8.0", "7.0", false)]
    fn an_entry_applies_to_the_versions_within_its_bounds(
        #[case] bounds: [&str; 4],
        #[case] wine: &str,
        #[case] library: &str,
        #[case] includes: bool,
    ) {
        assert_eq!(
            versions(bounds).include(&candidate(wine, library)),
            includes
        );
    }

    #[rstest]
    #[case::no_bounds(["", "", "", ""], ["", "", "", ""], true)]
    #[case::one_without_bounds(["", "", "", ""], ["8.0", "9.0", "", ""], true)]
    #[case::one_after_the_other(["", "9.0", "", ""], ["9.0", "", "", ""], false)]
    #[case::one_version_in_both(["", "9.1", "", ""], ["9.0", "", "", ""], true)]
    #[case::of_two_things(["", "9.0", "", ""], ["", "", "7.0", ""], true)]
    #[case::apart_by_one_of_two(["", "9.0", "", "7.0"], ["", "", "7.0", ""], false)]
    fn entries_overlap_if_a_version_is_in_both(
        #[case] one: [&str; 4],
        #[case] other: [&str; 4],
        #[case] overlap: bool,
    ) {
        let (one, other) = (versions(one), versions(other));
        assert_eq!(one.overlap(&other), overlap);
        assert_eq!(other.overlap(&one), overlap);
    }

    #[rstest]
    #[case::nothing_beside(&[], ["", "", "", ""])]
    #[case::after_a_fixed_version(&[["", "9.0", "", ""]], ["10.0", "", "", ""])]
    #[case::before_a_first_version(&[["11.0", "", "", ""]], ["", "11.0", "", ""])]
    #[case::between(&[["", "9.0", "", ""], ["12.0", "", "", ""], ["11.0", "12.0", "", ""]], ["10.0", "11.0", "", ""])]
    #[case::apart_by_the_library(&[["", "", "8.0", ""]], ["", "", "", "8.0"])]
    #[case::apart_by_one_of_two(&[["9.0", "", "8.0", ""]], ["", "", "", "8.0"])]
    #[case::cannot_be_separated(&[["", "", "", ""]], ["", "", "", ""])]
    fn a_new_entry_gets_the_versions_that_no_other_entry_has(
        #[case] others: &[[&str; 4]],
        #[case] wanted: [&str; 4],
    ) {
        let others: Vec<_> = others.iter().map(|it| versions(*it)).collect();
        let own = Versions::beside(&candidate("10.0", "7.0"), &others);
        assert_eq!(own, versions(wanted));
        assert!(own.include(&candidate("10.0", "7.0")));
    }

    #[test]
    fn until_keeps_the_other_bounds_and_leaves_a_version() {
        let version = |text| Version::parse(text).unwrap();
        let own = versions(["8.0", "", "", "7.0"]);
        let until = own.until(Of::Wine, version("10.0")).unwrap();
        assert_eq!(until.to_string(), r#"{ wine = "10.0", library = "7.0" }"#);
        assert_eq!(own.until(Of::Wine, version("8")), None);
    }

    #[test]
    fn the_versions_can_be_read_in_a_sentence() {
        assert_eq!(Versions::default().to_string(), "");
        let own = versions(["8.0", "10.0", "", "7.0"]);
        assert_eq!(
            own.to_string(),
            " since Wine 8.0 until Wine 10.0 until version 7.0"
        );
    }
}
