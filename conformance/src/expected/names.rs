//! Checks that the entries of a file name clauses, cases and verdicts that exist.

use super::known::{Expected, Judged, Known};
use super::place::Place;
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
            let mend = "delete one of the two entries";
            return Err(repeated(&entry.clause, &entry.place, &other.place, mend));
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
        check_verdicts(&entry.verdicts).map_err(|(problem, mend)| error(problem, mend))?;
        let same = |other: &&Known| {
            (&other.clause, &other.case, &other.candidate)
                == (&entry.clause, &entry.case, &entry.candidate)
                && (other.maker, other.arch) == (entry.maker, entry.arch)
                && DEVIATIONS
                    .iter()
                    .any(|it| other.expects(*it) && entry.expects(*it))
                && other.versions.overlap(&entry.versions)
                && other.place.file == entry.place.file
        };
        if let Some(other) = known[..index].iter().find(same) {
            let mend = "delete one of the two entries, or give them versions that do not overlap";
            return Err(repeated(&entry.clause, &entry.place, &other.place, mend));
        }
    }
    Ok(())
}

/// Checks the verdicts of an entry. The error has the problem and the correction.
fn check_verdicts(verdicts: &[String]) -> Result<(), (String, String)> {
    let deviations = DEVIATIONS.map(Verdict::name);
    for (index, verdict) in verdicts.iter().enumerate() {
        let verdict = verdict.as_str();
        if verdicts[..index].iter().any(|other| other == verdict) {
            let mend = "delete one of the two".to_owned();
            return Err((format!("the verdict {verdict} is in the list twice"), mend));
        }
        if deviations.contains(&verdict) || (verdict == Verdict::Pass.name() && verdicts.len() > 1)
        {
            continue;
        }
        let problem = match Verdict::ALL.map(Verdict::name).contains(&verdict) {
            true => format!("no entry can expect the verdict {verdict}"),
            false => format!("there is no verdict {verdict}"),
        };
        let near = nearest(verdict, deviations);
        let near = near.map(|near| format!("did you mean {near}? "));
        let mend = near.unwrap_or_default()
            + "the verdict can be fail, crash or timeout, or a list of them, with pass if it comes and goes";
        return Err((problem, mend));
    }
    Ok(())
}

/// The clause with this id. The error names the place.
fn clause_of(id: &str, place: &Place) -> Result<&'static Clause, InputError> {
    clause(id).map_err(|error| InputError::new(format!("{place}: {}", error.problem), error.mend))
}

fn repeated(id: &str, place: &Place, other: &Place, mend: &str) -> InputError {
    InputError::new(
        format!("{place}: {id} is already listed in line {}", other.line),
        mend,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// What is wrong with a file of two entries about one clause that have these lines too.
    fn problem(one: &str, other: &str) -> Option<String> {
        let entry = |more| format!("[[known]]\nclause = 'heapmin.exported'\nwhy = 'w'\n{more}\n");
        let text = entry(one) + &entry(other);
        let expected = Expected::parse("f.toml", &text).unwrap();
        check(&expected).err().map(|error| error.to_string())
    }

    #[rstest]
    #[case::one_after_the_other("until = { wine = '9.0' }", "since = { wine = '9.0' }", false)]
    #[case::one_version_in_both("until = { wine = '9.1' }", "since = { wine = '9.0' }", true)]
    #[case::all_versions("", "since = { wine = '9.0' }", true)]
    #[case::versions_of_two_things("until = { wine = '9.0' }", "since = { library = '1' }", true)]
    #[case::other_verdict("verdict = 'crash'", "", false)]
    #[case::verdict_of_a_list("verdict = ['crash', 'fail']", "", true)]
    #[case::only_pass_in_both("verdict = ['crash', 'pass']", "verdict = ['pass', 'fail']", false)]
    #[case::other_maker("maker = 'wine'", "maker = 'microsoft'", false)]
    #[case::other_arch("arch = 'x86'", "arch = 'x86_64'", false)]
    fn two_entries_are_the_same_if_a_version_and_a_deviation_are_in_both(
        #[case] one: &str,
        #[case] other: &str,
        #[case] are_same: bool,
    ) {
        let wanted = "heapmin.exported is already listed in line 1; delete one of the two entries, or give them versions that do not overlap";
        let wanted = are_same.then(|| format!("f.toml:5: {wanted}"));
        assert_eq!(problem(one, other), wanted);
        assert_eq!(problem(other, one), wanted);
    }

    #[rstest]
    #[case::pass_alone("['pass']", "no entry can expect the verdict pass; the verdict can be")]
    #[case::twice(
        "['fail', 'fail']",
        "the verdict fail is in the list twice; delete one"
    )]
    #[case::not_judged(
        "['fail', 'unsupported']",
        "no entry can expect the verdict unsupported"
    )]
    #[case::misspelt("['pass', 'fial']", "there is no verdict fial; did you mean fail?")]
    fn a_list_of_verdicts_has_a_deviation(#[case] verdicts: &str, #[case] wanted: &str) {
        let seen = problem(&format!("verdict = {verdicts}"), "verdict = 'crash'").unwrap();
        assert!(seen.starts_with(&format!("f.toml:1: {wanted}")), "{seen}");
    }
}
