//! The moments of the calibration, at which the parent measures memory.

use super::observation::Observation;

/// Size of the memory that the calibration writes, in bytes.
pub const SIZE: usize = 16 << 20;
/// Before it requests the memory.
pub const BEFORE: &str = "before";
/// After it wrote the memory.
pub const WRITTEN: &str = "written";
/// After it released the memory.
pub const RELEASED: &str = "released";
/// After [`THREADS`] threads ended, one after the other, after those before [`BEFORE`].
pub const THREADED: &str = "threaded";
/// Number of threads.
pub const THREADS: usize = 50;

/// Whether the memory was seen to become resident, and to fall again.
pub fn shows_memory(seen: &Observation) -> bool {
    let resident = |moment| Some(seen.memory(moment)?.resident);
    let (Some(before), Some(written), Some(released)) =
        (resident(BEFORE), resident(WRITTEN), resident(RELEASED))
    else {
        return false;
    };
    let most = SIZE as u64 / 10 * 9;
    written.saturating_sub(before) >= most && written.saturating_sub(released) >= most
}

/// Whether no memory stayed for threads that ended.
pub fn frees_threads(seen: &Observation) -> bool {
    /// In bytes: much less than a stack for each thread.
    const MOST: u64 = 2 << 20;
    let resident = |moment| Some(seen.memory(moment)?.resident);
    match (resident(RELEASED), resident(THREADED)) {
        (Some(before), Some(after)) => after.saturating_sub(before) <= MOST,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Memory;
    use crate::wire::observation::{Ending, Event};
    use rstest::rstest;

    #[rstest]
    #[case::nothing([10, 10], true)]
    #[case::less([10, 9], true)]
    #[case::a_stack_for_each([10, 14], false)]
    fn ended_threads_may_keep_little(#[case] mebibytes: [u64; 2], #[case] frees: bool) {
        let moments = [RELEASED, THREADED].into_iter().zip(mebibytes);
        assert_eq!(frees_threads(&observation(moments)), frees);
    }

    #[rstest]
    #[case::exact([10, 26, 10], true)]
    #[case::with_something_else([10, 28, 12], true)]
    #[case::no_rise([10, 10, 10], false)]
    #[case::no_fall([10, 26, 26], false)]
    #[case::half_of_it([10, 26, 18], false)]
    fn memory_must_come_and_go(#[case] mebibytes: [u64; 3], #[case] shows: bool) {
        let moments = [BEFORE, WRITTEN, RELEASED].into_iter().zip(mebibytes);
        assert_eq!(shows_memory(&observation(moments)), shows);
    }

    /// With this resident memory at each moment, in MiB.
    fn observation<'a>(moments: impl Iterator<Item = (&'a str, u64)>) -> Observation {
        let moment = |(name, mebibytes): (&str, u64)| Event::Moment {
            name: name.into(),
            inside: None,
            outside: Some(Memory {
                resident: mebibytes << 20,
                lazily_freed: 0,
            }),
        };
        Observation {
            events: moments.map(moment).collect(),
            ending: Ending::Done,
            duration_ms: 0,
        }
    }
}
