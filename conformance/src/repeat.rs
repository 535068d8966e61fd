//! Runs a check several times and compares the runs.

use crate::clause::Verdict;
use crate::run::{Checked, Outcome};
use std::collections::BTreeMap;

/// What several runs of a candidate showed.
#[derive(Debug, Default)]
pub struct Repeated {
    /// Number of runs.
    pub runs: usize,
    /// The results that were not the same in every run, in the order of the clauses.
    pub changed: Vec<Changed>,
}

/// A result that was not the same in every run.
#[derive(Debug)]
pub struct Changed {
    /// The clause.
    pub clause: &'static str,
    /// The case.
    pub case: &'static str,
    /// Number of runs with each verdict.
    pub verdicts: BTreeMap<&'static str, usize>,
    /// The first line of the observation that differs between two runs: in the first run,
    /// and in the later one. Amounts of memory and numbers that always vary are words.
    pub observation: Option<(String, String)>,
}

impl Changed {
    /// Whether the verdict changed, and not only the observation.
    pub fn has_two_verdicts(&self) -> bool {
        self.verdicts.len() > 1
    }
}

/// Compares the runs of one candidate. Returns the results, each with the worst verdict of
/// all runs.
pub fn compare(mut runs: Vec<Checked>) -> Checked {
    let mut first = runs.remove(0);
    let mut changed = Vec::new();
    for (index, outcome) in first.outcomes.iter_mut().enumerate() {
        let of_runs = || runs.iter().filter_map(|run| run.outcomes.get(index));
        let mut verdicts = BTreeMap::new();
        for verdict in std::iter::once(verdict(outcome)).chain(of_runs().map(verdict)) {
            *verdicts.entry(verdict.name()).or_default() += 1;
        }
        let case = outcome.case.name;
        let seen = |run: &Checked| run.stable.get(case).cloned();
        let before = first.stable.get(case);
        let others = runs.iter().filter_map(seen);
        let observation = before.and_then(|before| {
            others
                .into_iter()
                .find_map(|after| first_difference(before, &after))
        });
        if verdicts.len() > 1 || observation.is_some() {
            changed.push(Changed {
                clause: outcome.clause.id,
                case,
                verdicts,
                observation,
            });
        }
        let worst = of_runs().max_by_key(|it| verdict(it));
        if let Some(worst) = worst.filter(|it| verdict(it) > verdict(outcome)) {
            *outcome = worst.clone();
            let traced = runs.iter().find_map(|run| {
                let result = run.outcomes.get(index)?;
                (verdict(result) == verdict(outcome)).then(|| run.cases.get(case))?
            });
            if let Some(traced) = traced {
                first.cases.insert(case, traced.clone());
            }
        }
    }
    first.repeated = Some(Repeated {
        runs: runs.len() + 1,
        changed,
    });
    first
}

fn verdict(outcome: &Outcome) -> Verdict {
    outcome.judgement.verdict
}

/// The first line in which two texts differ.
fn first_difference(before: &str, after: &str) -> Option<(String, String)> {
    if before == after {
        return None;
    }
    let mut pairs = before.lines().zip(after.lines());
    let pair = pairs.find(|(before, after)| before != after);
    let nothing = || String::from("no such line");
    Some(match pair {
        Some((before, after)) => (before.to_owned(), after.to_owned()),
        None => {
            let count = before.lines().count().min(after.lines().count());
            let line = |text: &str| text.lines().nth(count).map(str::to_owned);
            (
                line(before).unwrap_or_else(nothing),
                line(after).unwrap_or_else(nothing),
            )
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clause::Judgement;
    use crate::forged::candidate;

    fn run(judgement: Judgement, observation: &str) -> Checked {
        let clause = crate::clauses::all().next().expect("a clause");
        let case = clause.cases[0];
        Checked {
            candidate: candidate(),
            outcomes: vec![Outcome {
                clause,
                case,
                judgement,
                known: None,
                at: None,
                beneath: None,
                duration_ms: 0,
            }],
            cases_run: 1,
            fence: None,
            given_back: None,
            stable: [(case.name, observation.to_owned())].into(),
            cases: BTreeMap::new(),
            numbering: heapmin_harness::library::errno_names::Numbering::Msvc,
            repeated: None,
        }
    }

    #[test]
    fn equal_runs_have_no_change() {
        let pass = || run(Judgement::pass("p"), "a\nb\n");
        let checked = compare(vec![pass(), pass(), pass()]);
        let repeated = checked.repeated.unwrap();
        assert_eq!(repeated.runs, 3);
        assert!(repeated.changed.is_empty());
    }

    #[test]
    fn the_worst_verdict_counts_and_each_is_counted() {
        let runs = vec![
            run(Judgement::pass("p"), "a\n"),
            run(Judgement::fail("f"), "a\n"),
            run(Judgement::pass("p"), "a\n"),
        ];
        let checked = compare(runs);
        assert_eq!(verdict(&checked.outcomes[0]), Verdict::Fail);
        let changed = &checked.repeated.unwrap().changed;
        assert_eq!(changed[0].verdicts, [("fail", 1), ("pass", 2)].into());
        assert!(changed[0].has_two_verdicts() && changed[0].observation.is_none());
    }

    #[test]
    fn another_observation_is_a_change_with_the_line_that_differs() {
        let runs = vec![
            run(Judgement::pass("p"), "a\nb\n"),
            run(Judgement::pass("p"), "a\nb\nc\n"),
        ];
        let changed = compare(runs).repeated.unwrap().changed;
        assert!(!changed[0].has_two_verdicts());
        let lines = ("no such line".to_owned(), "c".to_owned());
        assert_eq!(changed[0].observation, Some(lines));
    }
}
