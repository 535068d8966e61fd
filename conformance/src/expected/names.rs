//! Whether the entries of a file name clauses, cases and verdicts that exist.

use crate::clause::{Clause, Verdict};
use crate::select::clause;
use heapmin_harness::input_error::InputError;
use heapmin_harness::known::{Expected, Known, Place};
use heapmin_harness::suggest::nearest;

/// Checks the entries of a file given with `--expected`.
///
/// # Errors
/// If one names what does not exist, or says what another one has said; the
/// message has its line.
pub fn check(expected: &Expected) -> Result<(), InputError> {
    check_known(&expected.known)?;
    for (index, entry) in expected.judged.iter().enumerate() {
        named(&entry.clause, &entry.place)?;
        let earlier = expected.judged[..index].iter();
        let same = |other: &&_| {
            let other: &heapmin_harness::known::Judged = other;
            (&other.clause, &other.candidate) == (&entry.clause, &entry.candidate)
        };
        if let Some(other) = earlier.clone().find(same) {
            return Err(twice(&entry.clause, &entry.place, &other.place));
        }
    }
    Ok(())
}

/// Checks known deviations, those of a profile or of a file.
///
/// # Errors
/// As [`check`].
pub fn check_known(known: &[Known]) -> Result<(), InputError> {
    for (index, entry) in known.iter().enumerate() {
        let clause = named(&entry.clause, &entry.place)?;
        let error = |problem: String, mend: String| {
            InputError::new(format!("{}: {problem}", entry.place), mend)
        };
        if let Some(case) = &entry.case
            && !clause.cases.iter().any(|known| known.name == case)
        {
            let problem = format!("{} has no case {case}", clause.id);
            let mend = match nearest(case, clause.cases.iter().map(|case| case.name)) {
                Some(near) => format!("did you mean {near}?"),
                None => "`heapmin list` shows its cases".into(),
            };
            return Err(error(problem, mend));
        }
        let verdicts = Verdict::ALL.map(Verdict::name);
        if !verdicts.contains(&entry.verdict.as_str()) {
            let near = nearest(&entry.verdict, verdicts);
            let near = near.map(|near| format!("did you mean {near}? "));
            let all = verdicts.join(", ");
            let mend = format!("{}verdicts are {all}", near.unwrap_or_default());
            return Err(error(
                format!("there is no verdict {}", entry.verdict),
                mend,
            ));
        }
        let same = |other: &&Known| {
            (&other.clause, &other.case, other.maker) == (&entry.clause, &entry.case, entry.maker)
                && (&other.candidate, &other.verdict) == (&entry.candidate, &entry.verdict)
                && other.place.file == entry.place.file
        };
        if let Some(other) = known[..index].iter().find(same) {
            return Err(twice(&entry.clause, &entry.place, &other.place));
        }
    }
    Ok(())
}

fn named(id: &str, place: &Place) -> Result<&'static Clause, InputError> {
    clause(id).map_err(|error| InputError::new(format!("{place}: {}", error.problem), error.mend))
}

fn twice(id: &str, place: &Place, other: &Place) -> InputError {
    InputError::new(
        format!("{place}: {id} is in line {} already", other.line),
        "delete one of the two",
    )
}
