//! The deviations of a library by cause. A heap that crashes at the first call breaks dozens
//! of clauses, and its author has one thing to mend.

use super::{Case, Event, Library, Outcome};
use crate::clause::Verdict;

/// Deviations that have one cause, as far as the record shows.
#[derive(Debug)]
pub struct Cause<'a> {
    /// The results, in the order of the clauses.
    pub results: Vec<&'a Outcome>,
    /// What they have in common.
    pub kind: CauseKind,
}

/// What deviations have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CauseKind {
    /// Bytes of live blocks changed.
    LostBytes,
    /// The process ended, or hung, before the first call of the library returned.
    FirstUse,
    /// The process ended, or hung, in this step; numbers are left out.
    Step(String),
    /// They are of this clause.
    Clause(String),
}

impl<'a> Cause<'a> {
    /// The result that shows the cause best: the first.
    pub fn first(&self) -> &'a Outcome {
        self.results[0]
    }

    /// The clauses, each once.
    pub fn clauses(&self) -> Vec<&'a str> {
        let mut clauses: Vec<&str> = Vec::new();
        for result in &self.results {
            if clauses.last() != Some(&result.clause.as_str()) {
                clauses.push(&result.clause);
            }
        }
        clauses
    }
}

/// The deviations of a library for which `is_meant` is true, by cause. What loses data comes
/// first, then what ends the process, then what hides most clauses.
pub fn causes(library: &Library, is_meant: impl Fn(&Outcome) -> bool) -> Vec<Cause<'_>> {
    let mut causes: Vec<(Verdict, Cause)> = Vec::new();
    let deviations = library.results.iter();
    for result in deviations.filter(|it| it.verdict.is_deviation() && is_meant(it)) {
        let kind = kind(library.cases.get(&result.case), result);
        let ending = |it: &Outcome| library.cases.get(&it.case).map(|case| &case.ending);
        let is_same = |(verdict, cause): &(Verdict, Cause)| {
            (*verdict, &cause.kind) == (result.verdict, &kind)
                && (*verdict == Verdict::Fail || ending(cause.first()) == ending(result))
        };
        match causes.iter().position(is_same) {
            Some(place) => causes[place].1.results.push(result),
            None => {
                let results = vec![result];
                causes.push((result.verdict, Cause { results, kind }));
            }
        }
    }
    causes.sort_by_key(|(verdict, cause)| {
        let loses_data = cause.results.iter().any(|it| it.loses_data);
        let ends = matches!(verdict, Verdict::Crash | Verdict::Timeout);
        let clauses = usize::MAX - cause.clauses().len();
        (!loses_data, !ends, if ends { clauses } else { 0 })
    });
    causes.into_iter().map(|(_, cause)| cause).collect()
}

fn kind(case: Option<&Case>, result: &Outcome) -> CauseKind {
    let is_call = |event: &Event| matches!(event, Event::Call(_));
    match result.verdict {
        Verdict::Crash | Verdict::Timeout => {
            let has_called = case.is_some_and(|it| it.events.iter().any(is_call));
            match result.at.as_ref().and_then(|at| at.step.as_deref()) {
                Some(_) if !has_called && case.is_some_and(|it| steps(it) <= 1) => {
                    CauseKind::FirstUse
                }
                Some(step) => CauseKind::Step(without_numbers(step)),
                None => CauseKind::FirstUse,
            }
        }
        Verdict::Fail
            if result.loses_data && result.observed.contains("live blocks have changed") =>
        {
            CauseKind::LostBytes
        }
        _ => CauseKind::Clause(result.clause.clone()),
    }
}

fn steps(case: &Case) -> usize {
    let is_step = |event: &&Event| matches!(event, Event::Step(_));
    case.events.iter().filter(is_step).count()
}

/// The text up to its first comma, with one sign for each number: what follows the comma is
/// how the step differs from others, and blocks of other sizes are the same step.
fn without_numbers(text: &str) -> String {
    let text = text.split(", ").next().unwrap_or_default();
    let mut short = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '0'..='9' if short.ends_with('#') => {}
            '0'..='9' => short.push('#'),
            other => short.push(other),
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::expected::gate::Findings;
    use crate::forged;
    use crate::record::{At, Call, Run};

    fn at(step: &str) -> Option<At> {
        Some(At {
            step: Some(step.into()),
            ..At::default()
        })
    }

    fn call() -> Event {
        Event::Call(Call {
            call: "f()".into(),
            event: 0,
            returned: "0".into(),
            errno: None,
            doserrno: None,
            last_error: 0,
            handler_calls: 0,
            refusals: None,
        })
    }

    /// A run of five crashes and two failures; the first two crashes are before any call.
    fn run() -> Run {
        let crash = || Verdict::Crash.because("SIGSEGV");
        let loss = Judgement {
            loses_data: true,
            ..Judgement::fail("3 bytes of live blocks have changed since they were written")
        };
        let mut run = forged::record(
            &[forged::checked(vec![
                forged::outcome("heapmin.idempotent", 0, Judgement::fail("grew")),
                forged::outcome("heapmin.empty-heap", 0, crash()),
                forged::outcome("calloc.zero-size", 0, crash()),
                forged::outcome("realloc.keeps-contents", 0, crash()),
                forged::outcome("realloc.keeps-contents", 1, crash()),
                forged::outcome("malloc.zero-size", 0, loss),
                forged::outcome("malloc.alignment", 0, Judgement::pass("16")),
            ])],
            Findings::default(),
        );
        let steps = ["", "a", "b", "resize 10", "resize 200", "", ""];
        let library = &mut run.candidates[0];
        for (index, step) in steps.into_iter().enumerate() {
            let result = &mut library.results[index];
            result.at = at(step);
            let case = library.cases.get_mut(&result.case).unwrap();
            case.events = match step.starts_with("resize") {
                true => vec![call()],
                false => Vec::new(),
            };
        }
        run
    }

    #[test]
    fn what_ends_in_one_step_is_one_cause_and_a_loss_of_data_comes_first() {
        let run = run();
        let seen: Vec<_> = causes(&run.candidates[0], |_| true)
            .into_iter()
            .map(|cause| (cause.clauses(), cause.results.len(), cause.kind))
            .collect();
        let step = CauseKind::Step("resize #".into());
        let grew = CauseKind::Clause("heapmin.idempotent".into());
        let wanted = [
            (vec!["malloc.zero-size"], 1, CauseKind::LostBytes),
            (
                vec!["heapmin.empty-heap", "calloc.zero-size"],
                2,
                CauseKind::FirstUse,
            ),
            (vec!["realloc.keeps-contents"], 2, step),
            (vec!["heapmin.idempotent"], 1, grew),
        ];
        assert_eq!(seen, wanted);
    }

    #[test]
    fn only_the_deviations_that_are_meant_are_grouped() {
        let run = run();
        let seen = causes(&run.candidates[0], |it| it.verdict == Verdict::Fail);
        assert_eq!(seen.len(), 2);
    }
}
