//! From an observation to a verdict: what holds for every clause comes first.

use crate::clause::{Judgement, Level, Seen, Verdict};
use heapmin_harness::observation::{Ending, Observation};

/// The fact that any case may report: bytes of live blocks that changed.
pub const LOST_BYTES: &str = "lost bytes";

/// Judges a clause by what was seen in one of its cases.
pub fn judge(seen: &Seen) -> Judgement {
    let has_ended = matches!(seen.observation.ending, Ending::Died(_) | Ending::TimedOut);
    let is_an_answer = seen.case.undefined && seen.observation.has_started();
    if !(has_ended && is_an_answer)
        && let Some(judgement) = not_observed(seen)
    {
        return judgement;
    }
    let observation = seen.observation;
    if let Some(lost @ 1..) = observation.fact(LOST_BYTES)
        && seen.clause.level != Level::Record
    {
        return Judgement::fail(format!(
            "{lost} bytes of live blocks were not as they were written"
        ));
    }
    (seen.clause.judge)(seen)
}

/// What there is to say if the case did not run to its end.
fn not_observed(seen: &Seen) -> Option<Judgement> {
    let observation = seen.observation;
    let during = during(observation);
    let judgement = match &observation.ending {
        Ending::Failed(reason) => Verdict::Error.because(reason.clone()),
        Ending::Interrupted => Verdict::Error.because("the run was interrupted"),
        Ending::TimedOut => Verdict::Timeout.because(format!(
            "nothing came back within {} s{during}",
            observation.duration_ms / 1000
        )),
        // Only our own filter sends it; a thread that blocks signals dies of
        // it, as glibc's do while they end.
        Ending::Died(how) if how.contains("SIGSYS") => Verdict::Error.because(format!(
            "{how}{during}: the fault met a thread that blocks signals"
        )),
        Ending::Died(how) if !observation.has_started() => {
            Verdict::Error.because(format!("the probe did not start: {how}"))
        }
        Ending::Died(how) => Verdict::Crash.because(format!("{how}{during}")),
        Ending::Done => {
            if let Some(reason) = observation.load_failure() {
                Verdict::Error.because(format!("the library could not be loaded: {reason}"))
            } else if let Some(other) = other_file(seen) {
                Verdict::Error.because(other)
            } else if let Some(routine) = observation.missing() {
                Judgement::unsupported(format!("the library does not export {routine}"))
            } else if let Some(reason) = observation.not_applicable() {
                Judgement::unsupported(reason)
            } else if let Some((size, available)) = observation.out_of_memory() {
                no_block(size, available, &during)
            } else {
                return None;
            }
        }
    };
    Some(judgement)
}

/// A candidate that gives NULL where there is memory breaks every promise
/// about blocks. Where there may be none, nobody can say.
fn no_block(size: u64, available: Option<u64>, during: &str) -> Judgement {
    const MARGIN: u64 = 256 << 20;
    let observed = format!("NULL for {size} bytes{during}");
    match available {
        Some(available) if available > size + MARGIN => Judgement::fail(format!(
            "{observed}, with {} available",
            crate::figures::amount(available)
        )),
        _ => Verdict::Error.because(format!("{observed}; memory is short on this machine")),
    }
}

fn during(observation: &Observation) -> String {
    match observation.last_step() {
        Some(step) => format!(", in the step \"{step}\""),
        None if observation.loaded_from().is_some() => String::new(),
        None => ", while the library was being loaded".into(),
    }
}

/// Wine has libraries of its own under the same names. A verdict about them
/// must not be taken for one about the file that was asked for.
fn other_file(seen: &Seen) -> Option<String> {
    let candidate = seen.candidate;
    // What has no stage is Wine's own, or needs no care.
    candidate.stage.as_ref()?;
    let loaded = seen.observation.loaded_from()?;
    let same = candidate.load_name.eq_ignore_ascii_case(loaded);
    (!same).then(|| format!("Wine loaded {loaded} instead of this file"))
}
