//! Which clauses are checked.

use crate::clause::{Case, Clause};
use crate::clauses;
use globset::{Glob, GlobMatcher};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::nearest;

/// What is checked of each candidate.
pub struct Selection {
    /// The clauses.
    pub clauses: Vec<&'static Clause>,
    /// Only the cases that make the system refuse in this way.
    pub fault: Option<String>,
}

impl Selection {
    /// The cases of a clause that are wanted.
    pub fn cases_of(&self, clause: &Clause) -> impl Iterator<Item = &'static Case> {
        let cases = clause.cases.iter().copied();
        cases.filter(|case| self.fault.is_none() || case.fault == self.fault.as_deref())
    }

    /// All cases that are wanted, each once.
    pub fn cases(&self) -> Vec<&'static Case> {
        clauses::distinct(self.clauses.iter().flat_map(|clause| self.cases_of(clause)))
    }
}

/// The clauses that some `only` pattern names, or all if there is none, but
/// for those that a `skip` pattern names.
///
/// # Errors
/// If a pattern is wrong or names no clause.
pub fn select(only: &[String], skip: &[String]) -> Result<Vec<&'static Clause>, InputError> {
    let only = patterns(only)?;
    let skip = patterns(skip)?;
    let is_in = |patterns: &[GlobMatcher], id: &str| patterns.iter().any(|p| p.is_match(id));
    let selected: Vec<_> = clauses::all()
        .filter(|clause| only.is_empty() || is_in(&only, clause.id))
        .filter(|clause| !is_in(&skip, clause.id))
        .collect();
    if selected.is_empty() {
        let problem = "--only and --skip together leave no clause";
        return Err(InputError::new(problem, "leave one of them out"));
    }
    Ok(selected)
}

/// The clause of this name.
///
/// # Errors
/// If there is none; the nearest name is suggested.
pub fn clause(id: &str) -> Result<&'static Clause, InputError> {
    clauses::all()
        .find(|clause| clause.id == id)
        .ok_or_else(|| unknown(id, "clause is called"))
}

fn patterns(texts: &[String]) -> Result<Vec<GlobMatcher>, InputError> {
    texts.iter().map(|text| pattern(text)).collect()
}

/// Of a pattern, in bytes.
const LONGEST: usize = 1000;
/// Braces stand in each other; globset goes down into them without a limit, and
/// panics from a depth of some hundred on.
const MOST_BRACES: usize = 16;

fn pattern(text: &str) -> Result<GlobMatcher, InputError> {
    let monstrous = |what: String| {
        let begin: String = text.chars().take(40).collect();
        InputError::new(
            format!("the pattern {begin}... is wrong: {what}"),
            "give several patterns instead",
        )
    };
    if text.len() > LONGEST {
        return Err(monstrous(format!("it has more than {LONGEST} bytes")));
    }
    if text.matches('{').count() > MOST_BRACES {
        return Err(monstrous(format!("it has more than {MOST_BRACES} braces")));
    }
    let glob = Glob::new(text).map_err(|error| {
        InputError::new(
            format!("the pattern {text} is wrong: {}", error.kind()),
            "`heapmin list` shows the clauses",
        )
    })?;
    let matcher = glob.compile_matcher();
    if clauses::all().any(|clause| matcher.is_match(clause.id)) {
        Ok(matcher)
    } else {
        Err(unknown(text, "clause matches"))
    }
}

fn unknown(text: &str, what: &str) -> InputError {
    let mend = match nearest(text, clauses::all().map(|clause| clause.id)) {
        Some(near) => format!("did you mean {near}?"),
        None => "`heapmin list` shows them all".into(),
    };
    InputError::new(format!("no {what} {text}"), mend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    #[rstest]
    #[case(&["heapmin.*"], &[], 21)]
    #[case(&[], &["heapmin.*"], clauses::all().count() - 21)]
    #[case(&["heapmin.releases-memory"], &[], 1)]
    #[case(&["heapmin.releases-*"], &[], 2)]
    #[case(&["heapmin.releases-*"], &["*-partial"], 1)]
    fn patterns_pick_clauses(#[case] only: &[&str], #[case] skip: &[&str], #[case] count: usize) {
        assert_eq!(select(&strings(only), &strings(skip)).unwrap().len(), count);
    }

    #[rstest]
    #[case("heapmin.releses-memory", "did you mean heapmin.releases-memory?")]
    #[case("[", "`heapmin list` shows the clauses")]
    #[case("zzz", "`heapmin list` shows them all")]
    fn a_wrong_pattern_is_refused_with_a_mend(#[case] only: &str, #[case] mend: &str) {
        let error = select(&strings(&[only]), &[]).unwrap_err();
        assert_eq!(error.mend, mend);
    }

    #[rstest]
    #[case::nested(format!("{}heapmin{}", "{".repeat(300), "}".repeat(300)))]
    #[case::deeper(format!("{}heapmin{}", "{".repeat(50_000), "}".repeat(50_000)))]
    #[case::long("?".repeat(120_000))]
    #[case::classes("[!a]".repeat(30_000))]
    #[case::not_ascii("[é-ü]*".into())]
    #[case::alternatives(format!("{{{}}}", "a,".repeat(60_000)))]
    #[case::stars(format!("{}x", "**/".repeat(40_000)))]
    fn a_monstrous_pattern_is_refused(#[case] only: String) {
        let error = select(&[only], &[]).unwrap_err();
        assert!(error.problem.len() < 1000, "{}", error.problem.len());
    }

    #[test]
    fn nothing_left_is_refused() {
        assert!(select(&[], &strings(&["*"])).is_err());
    }

    #[test]
    fn a_pattern_may_be_as_long_as_it_says_and_no_longer() {
        let braces = |count| format!("{}*{}", "{".repeat(count), "}".repeat(count));
        assert!(select(&[braces(MOST_BRACES)], &[]).is_ok());
        assert!(select(&[braces(MOST_BRACES + 1)], &[]).is_err());
        let long = |length: usize| format!("*{}", "?".repeat(length - 1));
        let told = |length| select(&[long(length)], &[]).unwrap_err().problem;
        assert!(told(LONGEST).starts_with("no clause matches"));
        assert!(told(LONGEST + 1).contains("more than 1000 bytes"));
    }

    #[test]
    fn a_clause_is_found_by_its_whole_name() {
        assert_eq!(
            clause("heapmin.idempotent").unwrap().id,
            "heapmin.idempotent"
        );
        let error = clause("heapmin.idempotant").unwrap_err();
        assert_eq!(error.mend, "did you mean heapmin.idempotent?");
    }

    #[test]
    fn a_fault_picks_cases_and_each_comes_once() {
        let selection = |fault: Option<&str>| Selection {
            clauses: select(&[], &[]).unwrap(),
            fault: fault.map(str::to_owned),
        };
        let all = selection(None).cases();
        assert_eq!(all.len(), clauses::cases().len());
        let faulty = selection(Some("unsupported")).cases();
        assert!(!faulty.is_empty() && faulty.len() < all.len());
        assert!(faulty.iter().all(|case| case.fault == Some("unsupported")));
    }
}
