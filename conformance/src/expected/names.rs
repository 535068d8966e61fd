//! Checks that the entries of a file name clauses, cases and verdicts that exist.

use super::known::{Expected, Judged, Known, Place};
use crate::clause::{Clause, Verdict};
use crate::select::clause;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::nearest;

/// The verdicts that an entry may expect. `pass` and `unsupported` are not deviations,
/// and an `error` says nothing about the library.
const DEVIATIONS: [Verdict; 3] = [Verdict::Fail, Verdict::Crash, Verdict::Timeout];

/// Checks the entries of a file given with `--expected`.
///
/// # Errors
/// If an entry names something that does not exist, or repeats another entry. The
/// message names its line.
pub fn check(expected: &Expected) -> Result<(), InputError> {
    check_known(&expected.known)?;
    for (index, entry) in expected.judged.iter().enumerate() {
        clause_of(&entry.clause, &entry.place)?;
        let same = |other: &&Judged| {
            (&other.clause, &other.candidate) == (&entry.clause, &entry.candidate)
        };
        if let Some(other) = expected.judged[..index].iter().find(same) {
            return Err(repeated(&entry.clause, &entry.place, &other.place));
        }
    }
    Ok(())
}

/// Checks the known deviations of a profile or of a file.
///
/// # Errors
/// As [`check`].
pub fn check_known(known: &[Known]) -> Result<(), InputError> {
    for (index, entry) in known.iter().enumerate() {
        let clause = clause_of(&entry.clause, &entry.place)?;
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
        let verdict = entry.verdict.as_str();
        if !DEVIATIONS.map(Verdict::name).contains(&verdict) {
            let problem = match Verdict::ALL.map(Verdict::name).contains(&verdict) {
                true => format!("no entry can expect the verdict {verdict}"),
                false => format!("there is no verdict {verdict}"),
            };
            let near = nearest(verdict, DEVIATIONS.map(Verdict::name));
            let near = near.map(|near| format!("did you mean {near}? "));
            let mend = near.unwrap_or_default() + "the verdict can be fail, crash or timeout";
            return Err(error(problem, mend));
        }
        let same = |other: &&Known| {
            (&other.clause, &other.case, other.maker) == (&entry.clause, &entry.case, entry.maker)
                && (&other.candidate, &other.verdict) == (&entry.candidate, &entry.verdict)
                && other.place.file == entry.place.file
        };
        if let Some(other) = known[..index].iter().find(same) {
            return Err(repeated(&entry.clause, &entry.place, &other.place));
        }
    }
    Ok(())
}

/// The clause with this id. The error names the place.
fn clause_of(id: &str, place: &Place) -> Result<&'static Clause, InputError> {
    clause(id).map_err(|error| InputError::new(format!("{place}: {}", error.problem), error.mend))
}

fn repeated(id: &str, place: &Place, other: &Place) -> InputError {
    InputError::new(
        format!("{place}: {id} is already listed in line {}", other.line),
        "delete one of the two entries",
    )
}
