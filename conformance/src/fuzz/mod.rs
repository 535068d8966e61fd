//! Differential checking: runs random but legal sequences of calls on a candidate
//! and on another library, checks the bytes of every block, and compares the
//! results. A sequence that shows a difference is shrunk.
//!
//! [`draft`] draws sequences, [`transcript`] runs them in probes, [`compare`]
//! finds what is wrong, [`shrink`] shortens the sequence, [`mod@file`] writes and reads
//! it.

pub mod compare;
pub mod draft;
pub mod file;
mod legal;
pub mod shrink;
pub mod transcript;

use compare::{Finding, Whose};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::interruption;
use heapmin_harness::wire::script::CHURN;
use heapmin_harness::wire::step::Step;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The number of steps in a sequence. Each library runs a sequence in one process.
pub const SEQUENCE: usize = 200;

/// The number of times that a sequence with threads runs until it shows a finding
/// again: what threads do depends on their order.
pub const TRIES: usize = 20;

/// Whether a sequence has threads.
pub fn has_threads(steps: &[Step]) -> bool {
    steps.iter().any(|step| step.thread.is_some())
}

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
    /// The routines to leave out of random sequences.
    pub without: Vec<String>,
    /// The most threads in a random sequence; with 0 and 1 no sequence has threads.
    pub threads: u8,
}

/// A finding and the shortest sequence that shows it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The sequence.
    pub steps: Vec<Step>,
    /// The finding.
    pub finding: Finding,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The number of steps that were performed.
    pub steps: usize,
    /// The finding of the first sequence that has one, shrunk.
    pub found: Option<Found>,
}

impl Pair {
    /// Runs a sequence on both libraries; returns the first finding.
    ///
    /// # Errors
    /// Why one of the libraries could not run it.
    pub fn check(&self, steps: &[Step]) -> Result<Option<Finding>, String> {
        let seen = transcript::of(&self.candidate, steps, self.timeout)?;
        if let Some(finding) = compare::by_itself(steps, &seen, Whose::Candidate, &self.ignored) {
            return Ok(Some(finding));
        }
        let other = transcript::of(&self.against, steps, self.timeout)?;
        Ok(
            compare::by_itself(steps, &other, Whose::Against, &self.ignored)
                .or_else(|| compare::with_each_other(steps, &seen, &other, &self.ignored)),
        )
    }

    /// Runs a sequence on one library or on both, as it takes to see a finding about
    /// `whose`; returns the first finding.
    ///
    /// # Errors
    /// Why one of the libraries could not run it.
    pub fn check_again(&self, steps: &[Step], whose: Whose) -> Result<Option<Finding>, String> {
        if whose != Whose::Candidate {
            return self.check(steps);
        }
        let seen = transcript::of(&self.candidate, steps, self.timeout)?;
        Ok(compare::by_itself(steps, &seen, whose, &self.ignored))
    }

    /// Runs a sequence up to `tries` times if it has threads, else once; returns the
    /// first finding.
    ///
    /// # Errors
    /// Why one of the libraries could not run it.
    pub fn check_often(&self, steps: &[Step], tries: usize) -> Result<Option<Finding>, String> {
        let tries = if has_threads(steps) { tries } else { 1 };
        for _ in 1..tries {
            let found = self.check(steps)?;
            if found.is_some() || interruption::is_wanted() {
                return Ok(found);
            }
        }
        self.check(steps)
    }

    /// Whether sequences may call a routine: both libraries have it, and it is not
    /// left out. `churn` needs `malloc` and `free`, and that no routine is left out that
    /// it calls if it is there.
    pub fn have(&self, routine: &str) -> bool {
        let is_left_out = |routine: &str| self.without.iter().any(|name| name == routine);
        if routine == "churn" {
            let is_restricted = CHURN.iter().any(|it| is_left_out(it));
            return !is_restricted && self.have("malloc") && self.have("free");
        }
        let both_have = self.candidate.exports(routine) && self.against.exports(routine);
        !is_left_out(routine) && both_have
    }

    fn draw(&self, seed: u64, number: usize, length: usize) -> Vec<Step> {
        draft::draw(seed, number, length, self.threads, |it| self.have(it))
    }

    /// Checks random sequences of `steps` steps in all, `jobs` sequences at a time. The sequences depend on `seed` alone. `progress` is called after
    /// each sequence, with its number of steps.
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
                let drawn = self.draw(seed, number, length);
                let result = match self.check(&drawn) {
                    Ok(None) => None,
                    Ok(Some(finding)) => Some(Ok(finding)),
                    Err(reason) => Some(Err(reason)),
                };
                if interruption::is_wanted() {
                    return;
                }
                done.fetch_add(drawn.len(), Ordering::Relaxed);
                progress(drawn.len() as u64);
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
                let drawn = self.draw(seed, number, length);
                Some(shrink::shrink(self, drawn, finding)?)
            }
        };
        Ok(Outcome {
            steps: steps_done,
            found,
        })
    }
}
