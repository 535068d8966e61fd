//! The tests of a library, as trials of libtest-mimic.

use super::{Subject, in_own_words};
use crate::clause::{Clause, Verdict};
use crate::expected::gate;
use crate::judge::ended_loading;
use crate::record::Kind;
use crate::run::{Outcome, lacks_routine_of};
use heapmin_harness::parent::candidate::{Candidate, Loading};
use heapmin_harness::text::printable::on_one_line;
use libtest_mimic::{Completion, Failed, Trial};
use std::fmt::Write;
use std::sync::Arc;

/// The test that a library can be loaded.
pub(super) fn loading_trial(subject: &Arc<Subject>) -> Trial {
    let subject = subject.clone();
    Trial::test(format!("{}::loads", subject.name), move || {
        ended(&subject).map_or(Ok(()), Err)
    })
}

/// Why no clause can be judged, if the library ended or delayed the process that loaded it.
fn ended(subject: &Subject) -> Option<Failed> {
    match &subject.candidate.loading {
        Loading::Ended(seen) => {
            let observed = on_one_line(&ended_loading(seen).observed);
            Some(Failed::from(format!("{observed}; no clause was judged")))
        }
        _ => None,
    }
}

/// The test that fails if no clause about the result of `_heapmin` was judged. `None` if these
/// clauses leave out one that it needs.
pub(super) fn judged_trial(subject: &Arc<Subject>, clauses: &[&'static Clause]) -> Option<Trial> {
    let is_essential = |clause: &&'static Clause| clause.is_essential;
    let essential: Vec<_> = clauses.iter().copied().filter(is_essential).collect();
    let all = crate::clauses::all().filter(is_essential).count();
    let subject = subject.clone();
    let test = Trial::test(format!("{}::is-judged", subject.name), move || {
        if let Some(failed) = ended(&subject) {
            return Err(failed);
        }
        let outcomes = subject.judge(&essential).outcomes;
        let verdicts = outcomes.iter().map(|it| it.judgement.verdict);
        if verdicts.into_iter().any(|it| it != Verdict::Unsupported) {
            return Ok(());
        }
        let ids: Vec<_> = essential.iter().map(|it| it.id).collect();
        let why = outcomes.first().map(|it| it.judgement.observed.as_str());
        Err(Failed::from(format!(
            "these tests say nothing about _heapmin: none of {} was judged ({}); remove the cause, or leave these clauses out of the suite",
            ids.join(", "),
            why.unwrap_or_default()
        )))
    });
    (clauses.iter().filter(|it| it.is_essential).count() == all).then_some(test)
}

/// The test of a clause: every deviation in one of its cases is known, and every known
/// deviation occurs. It is ignored if no case could be judged.
pub fn clause_trial(subject: &Arc<Subject>, clause: &'static Clause) -> Trial {
    let subject = subject.clone();
    let name = format!("{}::{}", subject.name, clause.id);
    Trial::ignorable_test(name, move || {
        if let Some(failed) = ended(&subject) {
            return Err(failed);
        }
        let file = subject.expected.as_deref();
        let mut checked = [subject.judge(&[clause])];
        let complaints = gate::compare(&checked, &subject.profiles, file).complaints;
        let [checked] = &mut checked;
        let unexpected: Vec<_> = checked
            .outcomes
            .iter()
            .filter(|it| it.is_unexpected())
            .collect();
        let mut text = String::new();
        for outcome in &unexpected {
            text += &deviation(outcome);
        }
        for complaint in complaints {
            // Without a file, the results say the same.
            let is_said = match complaint.kind {
                Kind::New => file.is_none(),
                Kind::Error => true,
                _ => false,
            };
            if !is_said {
                text += &in_own_words(&complaint.message);
                text.push('\n');
            }
        }
        if !text.is_empty() {
            return Err(Failed::from(text.trim_end()));
        }
        let mut judged = checked.outcomes.iter();
        Ok(
            match judged.all(|it| it.judgement.verdict == Verdict::Unsupported) {
                true => {
                    let why = checked.outcomes.first().map(|it| &it.judgement.observed);
                    Completion::ignored_with(why.map_or("", |it| it.as_str()))
                }
                false => Completion::Completed,
            },
        )
    })
}

/// Whether the library's file shows that the clause cannot be judged: it lacks the routine, or
/// does not stand in for the system's heap.
pub(super) fn cannot_apply(candidate: &Candidate, clause: &'static Clause) -> bool {
    let stands_in = candidate.stands_in && candidate.can_be_preloaded();
    let mut cases = clause.cases.iter();
    cases.all(|case| {
        let is_of_others = case.stand_in.is_some() && !stands_in;
        is_of_others || lacks_routine_of(candidate, clause, case)
    })
}

/// A result that is not as expected, in lines.
fn deviation(outcome: &Outcome) -> String {
    let clause = outcome.clause;
    let verdict = outcome.judgement.verdict.name();
    let mut text = String::new();
    let mut line = |what: &str, value: &str| {
        writeln!(text, "  {what:<9} {value}").expect("writing to a string");
    };
    line("promise", clause.promise);
    line(
        "case",
        &format!("{}: {}", outcome.case.name, outcome.case.summary),
    );
    line("verdict", verdict);
    line("expected", &clause.expects());
    line("observed", &outcome.judgement.observed);
    for place in clause.source.places() {
        line("source", &format!("{}, {}", place.section, place.address));
    }
    text
}
