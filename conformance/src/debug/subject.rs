//! Finds the case in which a library deviates.

use super::place::Place;
use crate::clause::{Case, Clause, Judgement, Verdict};
use crate::observe::observe;
use crate::run::judge_observation;
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::parent::interruption;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::on_one_line;
use heapmin_harness::text::suggest::nearest;
use heapmin_harness::wire::observation::Observation;
use heapmin_harness::wire::stop::StopAt;
use std::time::Duration;

/// A case of a library, with what was observed without a debugger.
pub struct Subject {
    /// The clause.
    pub clause: &'static Clause,
    /// The case.
    pub case: &'static Case,
    /// What was seen in it.
    pub judgement: Judgement,
    /// Where it deviates; `None` if it does not.
    pub place: Option<Place>,
}

impl Subject {
    /// A case of a clause, judged by an observation.
    fn new(
        clause: &'static Clause,
        case: &'static Case,
        candidate: &Candidate,
        observation: &Observation,
    ) -> Subject {
        let judgement = judge_observation(clause, case, candidate, observation);
        let place = Place::of(clause, case, candidate, observation, &judgement);
        Subject {
            clause,
            case,
            judgement,
            place,
        }
    }

    /// The place at which the probe stops: right before what deviates. If nothing does, before
    /// the case begins.
    pub fn stop(&self) -> StopAt {
        self.place
            .as_ref()
            .map_or(StopAt::Report(0), |place| place.stop)
    }

    /// Whether the library deviates in this case.
    pub fn deviates(&self) -> bool {
        let verdict = self.judgement.verdict;
        verdict.is_deviation() && verdict.is_judged()
    }
}

/// Runs the cases of these clauses one by one, up to the first in which the library deviates.
/// With the name of a case, only that one, whatever it shows.
///
/// # Errors
/// If no clause has the case, or if the library deviates in no case and none is named.
pub fn find(
    clauses: &[&'static Clause],
    case: Option<&str>,
    candidate: &Candidate,
    timeout: Duration,
) -> Result<Subject, InputError> {
    let pairs = pairs(clauses, case)?;
    let mut seen: Vec<(&'static Case, Observation)> = Vec::new();
    let mut best: Option<Subject> = None;
    for (clause, case) in pairs {
        if !seen.iter().any(|(known, _)| known.name == case.name) {
            seen.push((case, observe(candidate, case, timeout)));
        }
        if interruption::is_wanted() {
            return Err(InputError::new(
                "the check was interrupted",
                "start it again",
            ));
        }
        let observation = seen.iter().find(|(known, _)| known.name == case.name);
        let (_, observation) = observation.expect("it was run");
        let subject = Subject::new(clause, case, candidate, observation);
        let is_judged = |it: &Subject| it.judgement.verdict.is_judged();
        if subject.deviates() {
            return Ok(subject);
        }
        if (best.as_ref()).is_none_or(|best| is_judged(&subject) && !is_judged(best)) {
            best = Some(subject);
        }
    }
    let best = best.expect("a clause has a case");
    match case {
        Some(_) => Ok(best),
        None => Err(nothing_to_debug(clauses, candidate, &best)),
    }
}

/// The cases to run, each with its clause.
fn pairs(
    clauses: &[&'static Clause],
    wanted: Option<&str>,
) -> Result<Vec<(&'static Clause, &'static Case)>, InputError> {
    let of_clause = |clause: &&'static Clause| {
        let clause = *clause;
        clause.cases.iter().map(move |case| (clause, *case))
    };
    let all: Vec<_> = clauses.iter().flat_map(of_clause).collect();
    let Some(wanted) = wanted else {
        return Ok(all);
    };
    let is_wanted = |(_, case): &&(&Clause, &Case)| case.name == wanted;
    let found: Vec<_> = all.iter().filter(is_wanted).copied().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let whose = match clauses {
        [clause] => clause.id,
        _ => "the family",
    };
    let mut names: Vec<&str> = all.iter().map(|(_, case)| case.name).collect();
    names.dedup();
    let mend = match nearest(wanted, names.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if names.len() > 10 => "`heapmin explain CLAUSE` lists the cases".into(),
        None => format!("its cases are {}", names.join(", ")),
    };
    Err(InputError::new(
        format!("{whose} has no case {wanted}"),
        mend,
    ))
}

fn nothing_to_debug(clauses: &[&Clause], candidate: &Candidate, best: &Subject) -> InputError {
    let name = &candidate.name;
    let what = match clauses {
        [clause] => clause.id.to_owned(),
        clauses => format!("each of the {} clauses", clauses.len()),
    };
    let observed = match clauses {
        [_] => format!(": {}", on_one_line(&best.judgement.observed)),
        _ => String::new(),
    };
    let problem = match best.judgement.verdict {
        Verdict::Pass => format!("{name} keeps {what} as far as it was judged{observed}"),
        _ => format!("{what} was not judged for {name}{observed}"),
    };
    let case = best.case.name;
    InputError::new(
        problem,
        format!("to debug a case that does not deviate, name it: --case {case}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::named;
    use rstest::rstest;

    #[test]
    fn the_cases_of_a_family_are_run_in_the_order_of_its_clauses() {
        let clauses = named("heapmin").unwrap();
        let all = pairs(&clauses, None).unwrap();
        assert_eq!(all[0].0.id, clauses[0].id);
        assert!(all.len() > clauses.len());
        let one = all[3].1.name;
        let named = pairs(&clauses, Some(one)).unwrap();
        assert!(named.iter().all(|(_, case)| case.name == one));
    }

    #[rstest]
    #[case::near("heapmin.exported", "loat", "did you mean load?")]
    #[case::far("heapmin.idempotent", "zzzzzzzzzz", "its cases are")]
    #[case::of_a_family("heapmin", "zzzzzzzzzz", "lists the cases")]
    fn a_case_that_no_clause_has_is_refused(
        #[case] clause: &str,
        #[case] case: &str,
        #[case] mend: &str,
    ) {
        let error = pairs(&named(clause).unwrap(), Some(case)).unwrap_err();
        assert!(error.mend.contains(mend), "{}", error.mend);
    }
}
