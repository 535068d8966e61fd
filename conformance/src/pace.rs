//! The time limits of cases, by how fast this machine is now.
//!
//! A limit that suits a fast machine cuts sound libraries short on a slow or busy one, and
//! a limit that suits every machine lets a library that hangs delay a run by minutes. So a
//! fixed piece of work is measured first, through the same runner.

use heapmin_harness::parent::launch::Launch;
use heapmin_harness::parent::runner::{Runner, Starter};
use heapmin_harness::parent::runners::calibration_job;
use heapmin_harness::parent::target::Target;
use heapmin_harness::wire::calibration::{frees_threads, shows_memory};
use heapmin_harness::wire::observation::Ending;
use std::collections::HashMap;
use std::time::Duration;

/// The least time limit of a case.
const LEAST: Duration = Duration::from_secs(10);
/// The limit of a case, as a multiple of the time that the calibration takes. The slowest
/// case of the reference takes about 20 times as long as the calibration.
const FULL: u32 = 200;
/// The limit of a case after [`crate::run::MOST_TIMEOUTS`] timeouts, as a multiple of that
/// time, and the least such limit.
const SHRUNK: u32 = 12;
const LEAST_SHRUNK: Duration = Duration::from_millis(500);
/// How long the calibration may take. A machine so slow gets limits of this length.
const CALIBRATION: Duration = Duration::from_secs(60);

/// The time limits of a candidate's cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The limit.
    pub full: Duration,
    /// The limit after several timeouts; the same one if the user gave the limit.
    pub shrunk: Duration,
}

/// The time limits for each runner, and whether it shows memory.
#[derive(Debug, Default)]
pub struct Pace {
    by_runner: HashMap<Key, (Limit, Memory)>,
    fixed: Option<Limit>,
}

/// A stage has a link to the program of its runner, which is not another one.
type Key = (Starter, Target);

fn key(runner: &Runner) -> Key {
    (runner.starter.clone(), runner.target.clone())
}

impl Pace {
    /// The limit that the user gave, for each case.
    pub fn fixed(timeout: Duration) -> Pace {
        Pace {
            fixed: Some(Limit {
                full: timeout,
                shrunk: timeout,
            }),
            ..Pace::default()
        }
    }

    /// Measures the pace of these runners, for this many cases at a time on this number of
    /// processors.
    pub fn measured<'a>(
        runners: impl IntoIterator<Item = &'a Runner>,
        jobs: usize,
        processors: usize,
    ) -> Pace {
        let mut by_runner = HashMap::new();
        for runner in runners {
            by_runner.entry(key(runner)).or_insert_with(|| {
                let share = jobs.div_ceil(processors.max(1)).max(1) as u32;
                let (taken, memory) = calibrate(runner);
                (limit(taken * share), memory)
            });
        }
        Pace {
            by_runner,
            fixed: None,
        }
    }

    /// The limits for a runner's cases.
    pub fn of(&self, runner: &Runner) -> Limit {
        let measured = self.by_runner.get(&key(runner)).map(|(limit, _)| *limit);
        self.fixed.or(measured).unwrap_or(limit(CALIBRATION))
    }

    /// What the controls showed of memory through this runner.
    pub fn memory(&self, runner: &Runner) -> Memory {
        let measured = self.by_runner.get(&key(runner));
        measured.map_or(Memory::MEASURED, |(_, memory)| *memory)
    }
}

/// The limits after a calibration that took this long.
fn limit(taken: Duration) -> Limit {
    let full = (taken * FULL).max(LEAST);
    Limit {
        full,
        shrunk: (taken * SHRUNK).clamp(LEAST_SHRUNK, full),
    }
}

/// What the controls show of memory through a runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Memory that a probe writes and releases is seen to come and go.
    pub is_seen: bool,
    /// No memory stays for threads that ended.
    pub frees_threads: bool,
}

impl Memory {
    const MEASURED: Memory = Memory {
        is_seen: true,
        frees_threads: true,
    };

    /// What the controls show through this runner.
    pub fn through(runner: &Runner) -> Memory {
        calibrate(runner).1
    }
}

/// The time that a probe takes to start and to do a fixed piece of work, and what its
/// controls show.
fn calibrate(runner: &Runner) -> (Duration, Memory) {
    let seen = Launch::new(runner, CALIBRATION).observe(&calibration_job());
    let memory = Memory {
        is_seen: shows_memory(&seen),
        frees_threads: frees_threads(&seen),
    };
    match seen.ending {
        Ending::Done => (Duration::from_millis(seen.duration_ms), memory),
        Ending::TimedOut => (CALIBRATION, memory),
        // The trial says what is wrong with the runner.
        _ => (Duration::ZERO, Memory::MEASURED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::fast(20, 10_000, 500)]
    #[case::as_here(50, 10_000, 600)]
    #[case::eight_times_slower(400, 80_000, 4_800)]
    fn a_slow_machine_gets_longer_limits(
        #[case] taken: u64,
        #[case] full: u64,
        #[case] shrunk: u64,
    ) {
        let millis = Duration::from_millis;
        let expected = Limit {
            full: millis(full),
            shrunk: millis(shrunk),
        };
        assert_eq!(limit(millis(taken)), expected);
    }
}
