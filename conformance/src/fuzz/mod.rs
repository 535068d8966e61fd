//! Differential checking: random but legal sequences of calls, run on a
//! candidate and on another library, with every block's bytes checked and
//! what was observed compared. A difference is shrunk to a short sequence.
//!
//! [`draft`] makes sequences, [`transcript`] has them acted out in probes,
//! [`compare`] finds what is wrong, [`shrink`] makes it short, [`file`] keeps it.

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

/// Operations in one sequence, and so in one pair of processes.
pub const SEQUENCE: usize = 200;

/// Two libraries that should do the same.
pub struct Pair {
    /// The one that is checked.
    pub candidate: Candidate,
    /// The one it is compared with.
    pub against: Candidate,
    /// How long each may take for a sequence.
    pub timeout: Duration,
    /// Kinds of findings that are known and passed over.
    pub ignored: Vec<String>,
}

/// Something is wrong, and the shortest sequence that shows it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The operations.
    pub operations: Vec<Operation>,
    /// What is wrong.
    pub finding: Finding,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Operations that were performed.
    pub steps: usize,
    /// The first sequence that showed something, shrunk.
    pub found: Option<Found>,
}

impl Pair {
    /// Runs a sequence on both and looks for something wrong.
    ///
    /// # Errors
    /// Why one of them could not be run.
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

    /// Checks random sequences of `steps` operations in all, several at a
    /// time. The same `seed` gives the same sequences, however many at a time.
    /// `progress` is called with the number of operations after each sequence.
    ///
    /// # Errors
    /// Why a library could not be run.
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
        // The first sequence that showed something, by number.
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
