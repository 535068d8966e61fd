//! Differential checking: runs random but legal sequences of calls on a candidate
//! and on another library, checks the bytes of every block, and compares the
//! results. A sequence that shows a difference is shrunk.
//!
//! [`draft`] makes sequences, [`transcript`] runs them in probes, [`compare`]
//! finds what is wrong, [`shrink`] shortens the sequence, [`mod@file`] writes and reads
//! it.

pub mod compare;
pub mod draft;
pub mod file;
pub mod shrink;
pub mod transcript;

use compare::{Finding, Whose};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::interruption;
use heapmin_harness::wire::script::Operation;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The number of operations in a sequence. Each library runs a sequence in one
/// process.
pub const SEQUENCE: usize = 200;

/// Two libraries that should behave alike.
pub struct Pair {
    /// The library to check.
    pub candidate: Candidate,
    /// The library to compare it with.
    pub against: Candidate,
    /// The time limit for each library's run of a sequence.
    pub timeout: Duration,
    /// The kinds of findings to ignore.
    pub ignored: Vec<String>,
}

/// A finding and the shortest sequence that shows it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The sequence.
    pub operations: Vec<Operation>,
    /// The finding.
    pub finding: Finding,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The number of operations that were performed.
    pub steps: usize,
    /// The finding of the first sequence that has one, shrunk.
    pub found: Option<Found>,
}

impl Pair {
    /// Runs a sequence on both libraries; returns the first finding.
    ///
    /// # Errors
    /// Why one of the libraries could not run it.
    pub fn check(&self, operations: &[Operation]) -> Result<Option<Finding>, String> {
        let seen = transcript::of(&self.candidate, operations, self.timeout)?;
        if let Some(finding) =
            compare::by_itself(operations, &seen, Whose::Candidate, &self.ignored)
        {
            return Ok(Some(finding));
        }
        let other = transcript::of(&self.against, operations, self.timeout)?;
        Ok(
            compare::by_itself(operations, &other, Whose::Against, &self.ignored)
                .or_else(|| compare::with_each_other(operations, &seen, &other, &self.ignored)),
        )
    }

    /// Whether both libraries export a routine.
    pub fn have(&self, routine: &str) -> bool {
        let has = |candidate: &Candidate| {
            let exports = candidate.image.exports.iter();
            exports.into_iter().any(|name| name == routine)
        };
        has(&self.candidate) && has(&self.against)
    }

    /// Checks random sequences of `steps` operations in all, `jobs` sequences at
    /// a time. The sequences depend on `seed` alone. `progress` is called after
    /// each sequence, with its number of operations.
    ///
    /// # Errors
    /// Why one of the libraries could not run a sequence.
    pub fn fuzz(
        &self,
        seed: u64,
        steps: usize,
        jobs: usize,
        progress: impl Fn(u64) + Sync,
    ) -> Result<Outcome, String> {
        let sequences = steps.div_ceil(SEQUENCE);
        let next = AtomicUsize::new(0);
        let done = AtomicUsize::new(0);
        // The lowest sequence number that has a finding or an error, with it.
        let first: Mutex<Option<(usize, Result<Finding, String>)>> = Mutex::new(None);
        let is_wanted = |number: usize| {
            let first = first.lock().expect("no holder panics");
            first.as_ref().is_none_or(|(known, _)| number < *known)
        };
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= sequences || !is_wanted(number) || interruption::is_wanted() {
                    return;
                }
                let length = SEQUENCE.min(steps - number * SEQUENCE);
                let operations = draft::draw(seed, number, length, |it| self.have(it));
                let result = match self.check(&operations) {
                    Ok(None) => None,
                    Ok(Some(finding)) => Some(Ok(finding)),
                    Err(reason) => Some(Err(reason)),
                };
                if interruption::is_wanted() {
                    return;
                }
                done.fetch_add(operations.len(), Ordering::Relaxed);
                progress(operations.len() as u64);
                if let Some(result) = result
                    && is_wanted(number)
                {
                    *first.lock().expect("no holder panics") = Some((number, result));
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, sequences.max(1)) {
                scope.spawn(work);
            }
        });
        let steps_done = done.into_inner();
        let first = first.into_inner().expect("no holder panics");
        let found = match first {
            None => None,
            Some((_, Err(reason))) => return Err(reason),
            Some((number, Ok(finding))) => {
                let length = SEQUENCE.min(steps - number * SEQUENCE);
                let operations = draft::draw(seed, number, length, |it| self.have(it));
                Some(shrink::shrink(self, operations, finding)?)
            }
        };
        Ok(Outcome {
            steps: steps_done,
            found,
        })
    }
}
