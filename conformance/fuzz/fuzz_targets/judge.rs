//! A forged observation of any case, before every clause that the case is
//! for; and what reports make of the verdicts.
#![no_main]

use arbitrary::Unstructured;
use heapmin_conformance::clause::Clause;
use heapmin_conformance::clauses;
use heapmin_conformance::expected::gate;
use heapmin_conformance::report::{human, json, markdown};
use heapmin_conformance::run::{Checked, conclude};
use heapmin_conformance::select::Selection;
use heapmin_conformance::snapshot::stable;
use heapmin_fuzz_targets::candidate::candidate;
use heapmin_fuzz_targets::draft::observation;
use heapmin_fuzz_targets::words;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = judge(&mut Unstructured::new(bytes));
});

fn judge(u: &mut Unstructured) -> arbitrary::Result<()> {
    let case = *u.choose(&clauses::cases())?;
    let is_for = |clause: &Clause| clause.cases.iter().any(|it| it.name == case.name);
    let selection = Selection {
        clauses: clauses::all().filter(|it| is_for(it)).collect(),
        fault: None,
    };
    let id = selection.clauses[0].id;
    // They take longer than the judging.
    let is_reported = u.ratio(1, 8)?;
    let candidate = candidate(u)?;
    let observation = observation(u, words::of_clause(id))?;
    let _ = stable(&observation);
    let checked = [conclude(candidate, &selection, &[(case, observation)], &[])];
    assert_eq!(checked[0].outcomes.len(), selection.clauses.len());
    if is_reported {
        report(&checked);
    }
    Ok(())
}

fn report(checked: &[Checked]) {
    let findings = gate::compare(checked, None);
    let human = human::report(checked, &findings, None, true);
    let human = anstream::adapter::strip_str(&human).to_string();
    is_printable(&human);
    let markdown = markdown::report(checked);
    is_printable(&markdown);
    let json = json::report(checked);
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}

/// A terminal would act upon anything else.
fn is_printable(text: &str) {
    let is_bad = |it: &char| it.is_control() && *it != '\n';
    assert_eq!(text.chars().find(is_bad), None, "{text:?}");
}
