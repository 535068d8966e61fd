//! Compares forged transcripts of a sequence by two libraries.
#![no_main]

use arbitrary::Unstructured;
use heapmin_conformance::fuzz::compare::{Finding, KINDS, Whose, by_itself, with_each_other};
use heapmin_conformance::fuzz::transcript::{self, Transcript};
use heapmin_fuzz_targets::candidate::candidate;
use heapmin_fuzz_targets::draft::{answer, observation};
use heapmin_harness::wire::observation::Event;
use heapmin_harness::wire::script::{Operation, Slot};
use libfuzzer_sys::fuzz_target;
use std::time::Duration;

fuzz_target!(|bytes: &[u8]| {
    let _ = compare(&mut Unstructured::new(bytes));
});

fn compare(u: &mut Unstructured) -> arbitrary::Result<()> {
    let mut operations = vec![operation(u)?];
    for _ in 0..u.int_in_range(0..=7)? {
        operations.push(operation(u)?);
    }
    let Some(seen) = transcript(u, &operations)? else {
        return Ok(());
    };
    check(
        by_itself(&operations, &seen, Whose::Candidate, &[]),
        &operations,
    );
    let Some(other) = transcript(u, &operations)? else {
        return Ok(());
    };
    check(
        with_each_other(&operations, &seen, &other, &[]),
        &operations,
    );
    Ok(())
}

fn check(finding: Option<Finding>, operations: &[Operation]) {
    if let Some(finding) = finding {
        assert!(finding.index < operations.len());
        assert!(KINDS.contains(&finding.kind));
    }
}

fn transcript(
    u: &mut Unstructured,
    operations: &[Operation],
) -> arbitrary::Result<Option<Transcript>> {
    let candidate = candidate(u)?;
    let length = u.int_in_range(0..=u.len() / 2)?;
    let mut rest = Unstructured::new(u.bytes(length.min(64))?);
    let words = ["malloc", "_heapwalk"];
    let mut observation = observation(&mut rest, &words)?;
    observation
        .events
        .retain(|event| !matches!(event, Event::Answer(_)));
    // Mostly an answer for each operation, sometimes fewer or more, or out of order.
    for index in 0..u.int_in_range(0..=operations.len() + 1)? {
        let mut answer = answer(u, &words)?;
        if u.ratio(31, 32)? {
            answer.index = index as u64;
        }
        observation.events.push(Event::Answer(answer));
    }
    let timeout = Duration::from_secs(1);
    Ok(transcript::read(&candidate, operations, observation, timeout).ok())
}

fn operation(u: &mut Unstructured) -> arbitrary::Result<Operation> {
    let slot = Slot::new(u.int_in_range(0..=3)?);
    let size = 24;
    Ok(match u.int_in_range(0..=5)? {
        0 => Operation::Malloc { slot, size },
        1 => Operation::Free { slot },
        2 => Operation::Expand { slot, size },
        3 => Operation::Heapmin {},
        4 => Operation::Heapwalk {},
        _ => Operation::Msize { slot },
    })
}
