//! Judges all clauses of a case by a forged observation, and writes the reports.
#![no_main]

use heapmin_conformance::clauses;
use heapmin_conformance::expected::gate;
use heapmin_conformance::expected::profiles::Profiles;
use heapmin_conformance::report::{human, json, markdown};
use heapmin_conformance::run::{Checked, conclude};
use heapmin_conformance::select::Selection;
use heapmin_conformance::snapshot::stable;
use heapmin_fuzz_targets::candidate::without;
use heapmin_fuzz_targets::forgery::Forgery;
use heapmin_fuzz_targets::mutate::mutate;
use heapmin_fuzz_targets::words::is_for;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| judge(&Forgery::read(bytes)));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Sometimes change bytes, to test the code that reads the lines.
    if seed % 16 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let changed = mutate(&data[..size], seed);
    let length = changed.len().min(max_size);
    data[..length].copy_from_slice(&changed[..length]);
    length
});

fn judge(forgery: &Forgery) {
    let case = forgery.case;
    let selection = Selection::new(clauses::all()
            .filter(|clause| is_for(clause, case.name))
            .collect(), None);
    let observation = forgery.observation();
    let _ = stable(&observation);
    let candidate = without(forgery.missing);
    let checked = [conclude(candidate, &selection, &[(case, observation)])];
    assert_eq!(checked[0].outcomes.len(), selection.clauses.len());
    // Only sometimes: reports take longer than judging.
    if forgery.events.len() % 8 == 0 {
        report(&checked);
    }
}

fn report(checked: &[Checked]) {
    let findings = gate::compare(checked, &Profiles::default(), None);
    let human = human::report(checked, &findings, None, true);
    let human = anstream::adapter::strip_str(&human).to_string();
    is_printable(&human);
    let markdown = markdown::report(checked);
    is_printable(&markdown);
    let json = json::report(checked, &[]);
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}

/// Panics if the text has a control character that a terminal would obey.
fn is_printable(text: &str) {
    let is_bad = |it: &char| it.is_control() && *it != '\n';
    assert_eq!(text.chars().find(is_bad), None, "{text:?}");
}
