//! The parts of a run as the whole run.

use super::{Library, Outcome, Run, count, counts};
use crate::partition::Partition;
use heapmin_harness::text::input_error::InputError;
use std::collections::HashMap;

/// The parts as one run, without what is decided by the expected results.
///
/// # Errors
/// If the parts are not those of one run, or not all of them.
pub fn merge(parts: Vec<(String, Run)>) -> Result<Run, InputError> {
    let refuse = |what: String| {
        let mend = "give all parts of one run, each once: `heapmin check --partition slice:M/N --format json`";
        InputError::new(what, mend)
    };
    let mut by_number: HashMap<usize, (String, Run)> = HashMap::new();
    let mut first: Option<(String, Partition)> = None;
    for (name, run) in parts {
        let partition = run.options.partition.as_deref();
        let partition = partition.and_then(|text| text.parse::<Partition>().ok());
        let Some(part) = partition else {
            return Err(refuse(format!("{name} is a whole run and no part")));
        };
        if run.interrupted {
            return Err(refuse(format!(
                "{name} was interrupted, so cases are missing"
            )));
        }
        if let Some((first, known)) = &first
            && known.with_number(part.number()) != part
        {
            return Err(refuse(format!(
                "{name} is {part} and {first} is {known}: parts of two divisions"
            )));
        }
        first.get_or_insert_with(|| (name.clone(), part));
        if let Some((other, _)) = by_number.get(&part.number()) {
            return Err(refuse(format!(
                "{name} and {other} are the same part, {part}"
            )));
        }
        by_number.insert(part.number(), (name, run));
    }
    let Some((_, division)) = first else {
        return Err(refuse("no part was given".into()));
    };
    for number in 1..=division.parts() {
        if !by_number.contains_key(&number) {
            let part = division.with_number(number);
            return Err(refuse(format!("the part {part} is missing")));
        }
    }
    let mut parts = (1..=division.parts()).filter_map(|number| by_number.remove(&number));
    let (name, mut whole) = parts.next().expect("there is a first part");
    let rest: Vec<_> = parts.collect();
    for (other, part) in &rest {
        same_run((&name, &whole), (other, part)).map_err(refuse)?;
    }
    whole.options.partition = None;
    for (_, part) in rest {
        join(&mut whole, part);
    }
    order(&mut whole);
    for index in 0..whole.candidates.len() {
        let judged = count(&whole, &whole.candidates[index]);
        let library = &mut whole.candidates[index];
        library.judged = judged;
        library.summary = counts(library)
            .map(|(verdict, count)| (verdict.name().to_owned(), count))
            .into();
    }
    whole.complaints.clear();
    whole.notes.clear();
    whole.known.clear();
    Ok(whole)
}

/// Checks that two parts are of one run.
fn same_run((a, one): (&str, &Run), (b, other): (&str, &Run)) -> Result<(), String> {
    let differ = |what: &str| Err(format!("{a} and {b} are not parts of one run: {what}"));
    if (&one.build, &one.suite) != (&other.build, &other.suite) {
        return differ("two versions of heapmin made them");
    }
    let mut options = [one.options.clone(), other.options.clone()];
    for options in &mut options {
        // What does not change the results, or must differ.
        options.arguments.clear();
        options.partition = None;
        options.jobs = 0;
        options.expected = None;
    }
    if options[0] != options[1] {
        return differ("their options differ");
    }
    let libraries = |run: &Run| -> Vec<_> {
        let libraries = run.candidates.iter();
        libraries
            .map(|it| (it.name.clone(), it.sha256.clone(), it.run_by.clone()))
            .collect()
    };
    let (libraries, others) = (libraries(one), libraries(other));
    for (library, other) in libraries.iter().zip(&others) {
        if library != other {
            return differ(&format!("{} and {} differ", library.0, other.0));
        }
    }
    match libraries.len() == others.len() && one.refused == other.refused {
        true => Ok(()),
        false => differ("they have other libraries"),
    }
}

fn join(whole: &mut Run, part: Run) {
    for promise in part.clauses {
        if whole.promise(&promise.id).is_none() {
            whole.clauses.push(promise);
        }
    }
    whole.duration_ms += part.duration_ms;
    for (library, part) in whole.candidates.iter_mut().zip(part.candidates) {
        join_library(library, part);
    }
}

fn join_library(whole: &mut Library, part: Library) {
    whole.results.extend(part.results);
    whole.cases.extend(part.cases);
    whole.cases_run += part.cases_run;
    whole.fence = whole.fence.take().or(part.fence);
    if let Some(more) = part.given_back {
        let sum = whole
            .given_back
            .get_or_insert(super::GivenBack { held: 0, back: 0 });
        sum.held = sum.held.saturating_add(more.held);
        sum.back = sum.back.saturating_add(more.back);
    }
    if let (Some(observations), Some(more)) = (&mut whole.observations, part.observations) {
        observations.extend(more);
    }
    if let (Some(repeated), Some(more)) = (&mut whole.repeated, part.repeated) {
        repeated.changed.extend(more.changed);
    }
}

/// Puts the clauses and results into the order of an undivided run.
fn order(whole: &mut Run) {
    let place: HashMap<&str, usize> = crate::clauses::all()
        .enumerate()
        .map(|(place, clause)| (clause.id, place))
        .collect();
    let of = |id: &str| place.get(id).copied().unwrap_or(usize::MAX);
    whole.clauses.sort_by_key(|it| of(&it.id));
    let cases: HashMap<(&str, &str), usize> = whole
        .clauses
        .iter()
        .flat_map(|it| {
            it.cases
                .iter()
                .enumerate()
                .map(move |(n, case)| ((it.id.as_str(), case.as_str()), n))
        })
        .collect();
    let key = |clause: &str, case: &str| {
        let case = cases.get(&(clause, case)).copied();
        (of(clause), case.unwrap_or(usize::MAX))
    };
    for library in &mut whole.candidates {
        library
            .results
            .sort_by_key(|it: &Outcome| key(&it.clause, &it.case));
        if let Some(repeated) = &mut library.repeated {
            repeated.changed.sort_by_key(|it| key(&it.clause, &it.case));
        }
    }
}
