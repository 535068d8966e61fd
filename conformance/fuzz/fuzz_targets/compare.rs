//! Compares forged transcripts of a sequence by two libraries.
#![no_main]

use arbitrary::Unstructured;
use heapmin_conformance::fuzz::compare::{Finding, KINDS, Whose, by_itself, with_each_other};
use heapmin_conformance::fuzz::transcript::{self, Transcript};
use heapmin_fuzz_targets::candidate::candidate;
use heapmin_fuzz_targets::draft::{answer, observation};
use heapmin_harness::wire::observation::Event;
use heapmin_harness::wire::script::{Operation, Slot};
use heapmin_harness::wire::step::{MOST_THREADS, Step};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let _ = compare(&mut Unstructured::new(bytes));
});

fn compare(u: &mut Unstructured) -> arbitrary::Result<()> {
    let mut steps = vec![step(u)?];
    for _ in 0..u.int_in_range(0..=7)? {
        steps.push(step(u)?);
    }
    let Some(seen) = transcript(u, &steps)? else {
        return Ok(());
    };
    check(by_itself(&steps, &seen, Whose::Candidate, &[]), &steps);
    let Some(other) = transcript(u, &steps)? else {
        return Ok(());
    };
    check(with_each_other(&steps, &seen, &other, &[]), &steps);
    Ok(())
}

fn check(finding: Option<Finding>, steps: &[Step]) {
    if let Some(finding) = finding {
        assert!(finding.index < steps.len());
        assert!(KINDS.contains(&finding.kind));
    }
}

fn transcript(u: &mut Unstructured, steps: &[Step]) -> arbitrary::Result<Option<Transcript>> {
    let candidate = candidate(u)?;
    let length = u.int_in_range(0..=u.len() / 2)?;
    let mut rest = Unstructured::new(u.bytes(length.min(64))?);
    let words = ["malloc", "_heapwalk"];
    let mut observation = observation(&mut rest, &words)?;
    observation
        .events
        .retain(|event| !matches!(event, Event::Answer(_)));
    // Mostly an answer for each step, sometimes fewer or more, or out of order.
    for index in 0..u.int_in_range(0..=steps.len() + 1)? {
        let mut answer = answer(u, &words)?;
        if u.ratio(31, 32)? {
            answer.index = index as u64;
        }
        observation.events.push(Event::Answer(answer));
    }
    let timeout = Duration::from_secs(1);
    Ok(transcript::read(&candidate, steps, observation, timeout).ok())
}

/// A step of a thread, or one that runs alone.
fn step(u: &mut Unstructured) -> arbitrary::Result<Step> {
    let operation = operation(u)?;
    let thread = u.int_in_range(0..=MOST_THREADS)?;
    let is_alone = thread == 0 || !Step::is_for_threads(operation);
    Ok(Step {
        thread: (!is_alone).then_some(thread),
        operation,
    })
}

fn operation(u: &mut Unstructured) -> arbitrary::Result<Operation> {
    let slot = Slot::new(u.int_in_range(0..=3)?);
    let size = 24;
    Ok(match u.int_in_range(0..=6)? {
        0 => Operation::Malloc { slot, size },
        1 => Operation::Free { slot },
        2 => Operation::Expand { slot, size },
        3 => Operation::Heapmin {},
        4 => Operation::Heapwalk {},
        5 => Operation::Churn { count: 5, size },
        _ => Operation::Msize { slot },
    })
}
