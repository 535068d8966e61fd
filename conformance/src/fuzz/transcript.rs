//! The transcript of a sequence: a library's answers to its steps.

use crate::observe::observe_script;
use crate::run::numbering;
use heapmin_harness::library::errno_names::Numbering;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::wire::observation::{Answer, Ending, Event, Observation};
use heapmin_harness::wire::step::Step;
use std::fmt::Write;
use std::time::Duration;

/// The answers of a library to a sequence.
#[derive(Debug)]
pub struct Transcript {
    /// An answer to each step that was performed.
    pub answers: Vec<Answer>,
    /// How the process ended, if it ended before the sequence did.
    pub ended: Option<String>,
    /// The numbering of the library's `errno`.
    pub numbering: Numbering,
}

/// Runs a sequence on a library, in a new process.
///
/// # Errors
/// Why the library could not run it.
pub fn of(candidate: &Candidate, steps: &[Step], timeout: Duration) -> Result<Transcript, String> {
    let mut script = String::new();
    for step in steps {
        writeln!(script, "{step}").expect("writing to a string");
    }
    let observation = observe_script(candidate, &script, timeout);
    read(candidate, steps, observation, timeout)
}

/// The transcript in an observation of a sequence.
///
/// # Errors
/// Why the observation has no transcript.
pub fn read(
    candidate: &Candidate,
    steps: &[Step],
    observation: Observation,
    timeout: Duration,
) -> Result<Transcript, String> {
    let name = &candidate.name;
    let ended = match &observation.ending {
        Ending::Done => None,
        Ending::Died(how) if observation.has_started() => Some(on_one_line(how)),
        Ending::TimedOut => Some(format!("did not finish within {} s", timeout.as_secs())),
        Ending::Interrupted => return Err(format!("{name}: interrupted")),
        Ending::Died(how) | Ending::Failed(how) => {
            return Err(format!("{name}: {}", on_one_line(how)));
        }
    };
    if let Some(reason) = observation.load_failure() {
        let reason = on_one_line(reason);
        return Err(format!("{name} could not be loaded: {reason}"));
    }
    if let Some(routine) = observation.missing() {
        let routine = on_one_line(routine);
        return Err(format!("{name} does not export {routine}"));
    }
    if let Some((routine, file)) = observation.elsewhere() {
        let file = on_one_line(file);
        return Err(format!("{name} calls {routine} in {file}, not its own"));
    }
    let numbering = numbering(candidate, &observation);
    let answers: Vec<Answer> = observation
        .events
        .into_iter()
        .filter_map(|event| match event {
            Event::Answer(answer) => Some(answer),
            _ => None,
        })
        .collect();
    // A candidate can forge answers; then their indices may be wrong.
    let indices = answers.iter().map(|answer| answer.index);
    if answers.len() > steps.len() || !indices.eq(0..answers.len() as u64) {
        return Err(format!(
            "{name}: the answers of its probe do not match this sequence"
        ));
    }
    if ended.is_none() && answers.len() < steps.len() {
        let reached = answers.len();
        return Err(format!("{name}: the probe stopped after {reached} steps"));
    }
    Ok(Transcript {
        answers,
        ended,
        numbering,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forged::candidate;
    use heapmin_harness::wire::script::Operation;
    use rstest::rstest;

    #[rstest]
    #[case::as_many(&[0, 1], true)]
    #[case::fewer(&[0], false)]
    #[case::more(&[0, 1, 2], false)]
    #[case::out_of_order(&[1, 0], false)]
    #[case::another_sequence(&[7, 8], false)]
    fn answers_make_a_transcript_only_if_they_match_the_sequence(
        #[case] indices: &[u64],
        #[case] is_one: bool,
    ) {
        let steps = [Operation::Heapmin {}, Operation::Check {}].map(Step::alone);
        let events = indices.iter().map(|&index| {
            Event::Answer(Answer {
                index,
                ..Answer::default()
            })
        });
        let observation = Observation {
            events: events.collect(),
            ending: Ending::Done,
            duration_ms: 0,
        };
        let timeout = Duration::from_secs(1);
        let transcript = read(&candidate(), &steps, observation, timeout);
        assert_eq!(transcript.is_ok(), is_one, "{transcript:?}");
    }
}
