//! A library under test, with what was observed of it.

use crate::beneath;
use crate::clause::{Case, Clause};
use crate::clauses;
use crate::expected::profiles::Profiles;
use crate::expected::{File, status};
use crate::observe::observe;
use crate::pace::Pace;
use crate::run::{Checked, Limits, MOST_TIMEOUTS, conclude, is_pointless, nothing};
use crate::select::Selection;
use heapmin_harness::parent::candidate::{Candidate, Loading};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::wire::observation::{Ending, Observation};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A candidate with the observations of its cases. Each case runs once, when a test first
/// needs it.
pub struct Subject {
    /// The first part of the names of its tests.
    pub name: String,
    /// The candidate.
    pub candidate: Candidate,
    /// The known deviations of its profile.
    pub profiles: Profiles,
    /// The known deviations that the author lists.
    pub(super) expected: Option<Arc<File>>,
    pace: Arc<Pace>,
    seen: BTreeMap<&'static str, OnceLock<Observation>>,
    timeouts: AtomicUsize,
}

impl Subject {
    /// A candidate whose cases have these time limits.
    ///
    /// # Errors
    /// If an entry of its profile is wrong.
    pub fn new(
        name: impl Into<String>,
        candidate: Candidate,
        pace: Arc<Pace>,
        expected: Option<Arc<File>>,
    ) -> Result<Subject, InputError> {
        let cases = clauses::cases().into_iter();
        Ok(Subject {
            name: name.into(),
            profiles: Profiles::of([&candidate])?,
            candidate,
            expected,
            pace,
            seen: cases.map(|case| (case.name, OnceLock::new())).collect(),
            timeouts: AtomicUsize::new(0),
        })
    }

    /// The observation of a case of this package.
    pub fn observation(&self, case: &Case) -> &Observation {
        self.seen[case.name].get_or_init(|| {
            let seen = observe(&self.candidate, case, self.timeout(case));
            if seen.ending == Ending::TimedOut && !case.undefined {
                self.timeouts.fetch_add(1, Ordering::Relaxed);
            }
            seen
        })
    }

    /// The time limit for a case: a shorter one after several timeouts, so that a library that
    /// hangs everywhere does not delay a run by an hour.
    fn timeout(&self, case: &Case) -> Duration {
        let limit = self.pace.of(&self.candidate.runner);
        let is_shrunk = self.timeouts.load(Ordering::Relaxed) >= MOST_TIMEOUTS;
        match is_shrunk && !case.undefined {
            true => limit.shrunk,
            false => limit.full,
        }
    }

    /// Whether no code of the library ended or delayed the process that loaded it.
    pub(super) fn is_loaded(&self) -> bool {
        !matches!(self.candidate.loading, Loading::Ended(_))
    }

    /// The results of these clauses, with the known deviations marked.
    pub(super) fn judge(&self, clauses: &[&'static Clause]) -> Checked {
        let selection = Selection::new(clauses.to_vec(), None);
        let cases = selection.cases().into_iter();
        // A case by which no clause can be judged needs no process.
        let observation = |case: &Case| match is_pointless(&self.candidate, case) {
            true => nothing(Ending::Done),
            false => self.observation(case).clone(),
        };
        let observations: Vec<_> = cases.map(|case| (case, observation(case))).collect();
        let checked = conclude(self.candidate.clone(), &selection, &observations);
        let mut runs = [(checked, observations)];
        let limits = Limits {
            jobs: 1,
            pace: &self.pace,
            until: None,
        };
        beneath::mark(&mut runs, limits);
        let mut checked = runs.map(|(checked, _)| checked);
        self.profiles.mark(&mut checked);
        if let Some(file) = &self.expected {
            status::mark(&mut checked, file.known());
        }
        let [checked] = checked;
        checked
    }
}
