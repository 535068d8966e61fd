//! The saved runs, sorted: libraries, the versions of each, and the results of each version from
//! run to run.

use super::names::Names;
use crate::record::{Change, Diff, How, Library, Run, diff};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet};

/// All that the site shows.
pub(super) struct History {
    /// The runs, the oldest first. Their libraries are in `libraries`.
    pub(super) runs: Vec<Saved>,
    /// The libraries, by name.
    pub(super) libraries: Vec<Tracked>,
}

/// A run without its libraries.
pub(super) struct Saved {
    pub(super) run: Run,
    /// Identifies the run by all that the site shows of it.
    pub(super) id: String,
    /// The libraries, as indices.
    pub(super) libraries: BTreeSet<usize>,
}

/// A library: what runs call by one name and have for one architecture.
pub(super) struct Tracked {
    /// The name of its file, or the name by which heapmin knows it.
    pub(super) name: String,
    pub(super) arch: String,
    /// The name of its page's file.
    pub(super) file: String,
    /// Its versions: first those that are current, the newest first.
    pub(super) versions: Vec<Version>,
}

/// A version of a library, as one runner runs it.
pub(super) struct Version {
    /// The version in its file.
    pub(super) version: Option<String>,
    /// What runs it; empty if the system does.
    pub(super) run_by: String,
    /// The name that the user gave, if one run has two files with one name and version.
    pub(super) given: Option<String>,
    /// Its runs, the oldest first; never empty.
    pub(super) points: Vec<Point>,
    /// Whether another version of the library came after the last run of this one.
    pub(super) is_past: bool,
}

/// The results of a version in a run.
pub(super) struct Point {
    /// The index of the run.
    pub(super) run: usize,
    /// The library, as the run saw it.
    pub(super) seen: Library,
    /// What changed since the run before, if there is one.
    pub(super) since: Option<Since>,
}

/// What changed since another run.
pub(super) struct Since {
    /// The index of that run.
    pub(super) run: usize,
    /// The version that it had, if it was another.
    pub(super) other: Option<String>,
    pub(super) diff: Diff,
}

impl Tracked {
    /// The name with the architecture.
    pub(super) fn title(&self) -> String {
        format!("{}, {}", self.name, self.arch)
    }

    /// The versions that are current.
    pub(super) fn current(&self) -> impl Iterator<Item = &Version> {
        self.versions.iter().filter(|it| !it.is_past)
    }

    /// The number of new failures in the newest runs of its current versions.
    pub(super) fn new_failures(&self) -> usize {
        let versions = self.current().map(|it| it.changes(How::Regressed).count());
        versions.sum()
    }
}

impl Version {
    /// The version, what runs it, and where its file is, as far as these are known.
    pub(super) fn title(&self) -> String {
        match self.known().as_str() {
            "" => "no version".into(),
            known => known.into(),
        }
    }

    /// As [`Version::title`], after the name of the library.
    pub(super) fn after(&self, library: &str) -> String {
        match self.known().as_str() {
            "" => library.into(),
            known => format!("{library}, {known}"),
        }
    }

    fn known(&self) -> String {
        let run_by = Some(self.run_by.clone()).filter(|it| !it.is_empty());
        let parts = [self.version.clone(), run_by, self.given.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// The newest run.
    pub(super) fn newest(&self) -> &Point {
        self.points.last().expect("a version was in a run")
    }

    /// What changed in this way in the newest run.
    pub(super) fn changes(&self, how: How) -> impl Iterator<Item = &Change> {
        let since = self.newest().since.iter();
        let changes = since.flat_map(|it| &it.diff.changes);
        changes.filter(move |it| it.kind == how)
    }

    fn first_run(&self) -> usize {
        self.points[0].run
    }
}

/// What distinguishes the versions of a library.
type Key = (Option<String>, String, Option<String>);

impl History {
    /// Sorts the runs. A run that is there twice counts once.
    pub(super) fn new(runs: Vec<(String, Run)>) -> History {
        let mut runs = runs;
        // Of two runs of one second, the one that was given first is the older.
        runs.sort_by(|(_, one), (_, other)| one.started.cmp(&other.started));
        let mut seen = BTreeSet::new();
        runs.retain(|(id, _)| seen.insert(id.clone()));
        let ambiguous = ambiguous(&runs);
        let mut libraries: BTreeMap<(String, String), BTreeMap<Key, Vec<Point>>> = BTreeMap::new();
        let mut saved = Vec::new();
        for (index, (id, mut run)) in runs.into_iter().enumerate() {
            for library in std::mem::take(&mut run.candidates) {
                let of = (name(&library), library.arch.clone());
                let mut key = (library.version.clone(), library.run_by.clone(), None);
                if ambiguous.contains(&(of.clone(), key.clone())) {
                    key.2 = Some(library.name.clone());
                }
                let points = libraries.entry(of).or_default().entry(key).or_default();
                // A run that joins others may have a library twice; the last counts.
                points.retain(|it: &Point| it.run != index);
                points.push(Point {
                    run: index,
                    seen: library,
                    since: None,
                });
            }
            saved.push(Saved {
                run,
                id,
                libraries: BTreeSet::new(),
            });
        }
        let mut names = Names::default();
        let libraries = libraries.into_iter();
        let libraries: Vec<_> = libraries
            .map(|((name, arch), versions)| Tracked {
                file: names.file(&format!("{name}-{arch}")),
                versions: sorted(versions, &saved),
                name,
                arch,
            })
            .collect();
        for (index, library) in libraries.iter().enumerate() {
            for point in library.versions.iter().flat_map(|it| &it.points) {
                saved[point.run].libraries.insert(index);
            }
        }
        History {
            runs: saved,
            libraries,
        }
    }

    /// When the run of this index began.
    pub(super) fn started(&self, run: usize) -> &str {
        &self.runs[run].run.started
    }
}

/// The name of the library's file without its folder and the architecture.
fn name(library: &Library) -> String {
    let file = library.name.rsplit(['/', '\\']).next();
    let file = file.filter(|it| !it.is_empty()).unwrap_or(&library.name);
    match file.rsplit_once(':') {
        Some((name, arch)) if arch == library.arch && !name.is_empty() => name.to_owned(),
        _ => file.to_owned(),
    }
}

/// The versions of which one run has two files.
fn ambiguous(runs: &[(String, Run)]) -> BTreeSet<((String, String), Key)> {
    let mut ambiguous = BTreeSet::new();
    for (_, run) in runs {
        let mut seen: BTreeMap<_, &str> = BTreeMap::new();
        for library in &run.candidates {
            let key = (library.version.clone(), library.run_by.clone(), None);
            let key = ((name(library), library.arch.clone()), key);
            match seen.get(&key) {
                Some(other) if *other != library.name => {
                    ambiguous.insert(key);
                }
                Some(_) => {}
                None => {
                    seen.insert(key, &library.name);
                }
            }
        }
    }
    ambiguous
}

/// The versions of a library, with what changed from run to run.
fn sorted(versions: BTreeMap<Key, Vec<Point>>, runs: &[Saved]) -> Vec<Version> {
    let versions = versions.into_iter();
    let mut versions: Vec<_> = versions
        .map(|((version, run_by, given), points)| Version {
            version,
            run_by,
            given,
            points,
            is_past: false,
        })
        .collect();
    let first_runs: Vec<_> = versions.iter().map(Version::first_run).collect();
    for version in &mut versions {
        let newest = version.newest().run;
        version.is_past = first_runs.iter().any(|first| *first > newest);
    }
    for index in 0..versions.len() {
        let before = before(&versions, index);
        let found = changes(&versions[index], before, runs);
        for (point, since) in versions[index].points.iter_mut().zip(found) {
            point.since = since;
        }
    }
    versions.sort_by(|one, other| {
        (one.is_past.cmp(&other.is_past))
            .then_with(|| Reverse(one.newest().run).cmp(&Reverse(other.newest().run)))
            .then_with(|| by_number(&other.version, &one.version))
    });
    versions
}

/// The version before the one at this index: the last whose runs had ended when it came.
fn before(versions: &[Version], index: usize) -> Option<&Version> {
    let first = versions[index].first_run();
    let ended = versions.iter().filter(|it| it.newest().run < first);
    ended.max_by(|one, other| {
        (one.newest().run.cmp(&other.newest().run))
            .then_with(|| by_number(&one.version, &other.version))
    })
}

/// What changed before each of the points.
fn changes(version: &Version, before: Option<&Version>, runs: &[Saved]) -> Vec<Option<Since>> {
    let mut old = before.map(|it| (it.newest(), Some(it.title())));
    let mut found = Vec::new();
    for point in &version.points {
        let since = old.take().map(|(old, other)| Since {
            run: old.run,
            other,
            diff: diff(&alone(old, runs), &alone(point, runs)),
        });
        found.push(since);
        old = Some((point, None));
    }
    found
}

/// A run with this library only: two such runs are compared whatever the library is called.
fn alone(point: &Point, runs: &[Saved]) -> Run {
    Run {
        candidates: vec![point.seen.clone()],
        ..runs[point.run].run.clone()
    }
}

/// Compares versions by their numbers: 10.0 comes after 9.1.
fn by_number(one: &Option<String>, other: &Option<String>) -> Ordering {
    let numbers = |version: &Option<String>| -> Vec<u64> {
        let text = version.as_deref().unwrap_or_default();
        let parts = text.split(|it: char| !it.is_ascii_digit());
        parts.filter_map(|it| it.parse().ok()).collect()
    };
    (numbers(one).cmp(&numbers(other))).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::{Judgement, Verdict};
    use crate::views::site::forged::{named, run};

    fn history(runs: Vec<Run>) -> History {
        let runs = runs.into_iter().enumerate();
        History::new(runs.map(|(index, run)| (index.to_string(), run)).collect())
    }

    fn pass() -> Judgement {
        Judgement::pass("0")
    }

    #[test]
    fn runs_are_ordered_by_their_start_and_compared_with_the_one_before() {
        let fail = Judgement::fail("1");
        let history = history(vec![
            run("2026-01-03", vec![named("/b/m.so", fail)]),
            run("2026-01-01", vec![named("/a/m.so", pass())]),
            run("2026-01-02", vec![named("m.so", pass())]),
        ]);
        let [library] = &history.libraries[..] else {
            panic!("{} libraries", history.libraries.len());
        };
        assert_eq!(library.title(), "m.so, x86_64");
        let points = &library.versions[0].points;
        let changes: Vec<_> = points
            .iter()
            .map(|it| it.since.as_ref().map(|it| it.diff.changes.len()))
            .collect();
        assert_eq!(changes, [None, Some(0), Some(1)]);
        assert_eq!(library.new_failures(), 1);
    }

    #[test]
    fn a_run_that_is_given_twice_counts_once() {
        let one = run("2026-01-01", vec![named("m.so", pass())]);
        let runs = vec![("x".to_owned(), one.clone()), ("x".to_owned(), one)];
        assert_eq!(History::new(runs).runs.len(), 1);
    }

    #[test]
    fn a_new_version_is_compared_with_the_one_that_it_follows() {
        let version = |number: &str, judgement| Library {
            version: Some(number.into()),
            ..named("m.dll", judgement)
        };
        let history = history(vec![
            run("1", vec![version("9.1", pass()), version("9.0", pass())]),
            run("2", vec![version("10.0", Verdict::Crash.because("c"))]),
        ]);
        let versions = &history.libraries[0].versions;
        let seen: Vec<_> = versions
            .iter()
            .map(|it| (it.title(), it.is_past, it.changes(How::Regressed).count()))
            .collect();
        let wanted = [
            ("10.0".to_owned(), false, 1),
            ("9.1".to_owned(), true, 0),
            ("9.0".to_owned(), true, 0),
        ];
        assert_eq!(seen, wanted);
        let since = versions[0].newest().since.as_ref().unwrap();
        assert_eq!(since.other.as_deref(), Some("9.1"));
        assert_eq!(history.libraries[0].new_failures(), 1);
    }

    #[test]
    fn versions_that_runs_have_side_by_side_are_all_current() {
        let by = |run_by: &str| Library {
            run_by: run_by.into(),
            ..named("m.dll", pass())
        };
        let history = history(vec![
            run("1", vec![by("Wine 8.0")]),
            run("2", vec![by("Wine 10.0")]),
            run("3", vec![by("Wine 8.0")]),
            run("4", vec![by("Wine 10.0")]),
        ]);
        assert_eq!(history.libraries[0].current().count(), 2);
    }

    #[test]
    fn two_files_of_one_name_in_one_run_are_two_versions() {
        let both = || vec![named("a/m.so", pass()), named("b/m.so", pass())];
        let mut turned = both();
        turned.reverse();
        let history = history(vec![run("1", both()), run("2", turned)]);
        let versions = &history.libraries[0].versions;
        assert_eq!(versions.len(), 2);
        for version in versions {
            assert_eq!(version.points.len(), 2);
            let names = version.points.iter().map(|it| Some(it.seen.name.clone()));
            assert!(names.into_iter().all(|it| it == version.given));
        }
    }
}
