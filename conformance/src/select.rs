//! Selects the clauses to check.

use crate::clause::{Case, Clause};
use crate::clauses;
use crate::partition::Partition;
use crate::promises::present;
use globset::{Glob, GlobMatcher};
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::suggest::nearest;
use std::collections::BTreeSet;

/// The clauses and cases to check.
pub struct Selection {
    /// The clauses.
    pub clauses: Vec<&'static Clause>,
    /// The fault mode that a case must have; `None` selects all cases.
    pub fault: Option<String>,
    /// The names of the cases in the part of the run; `None` if the run is not divided.
    part: Option<BTreeSet<&'static str>>,
}

impl Selection {
    /// These clauses, in the cases with this fault mode, or in all.
    pub fn new(clauses: Vec<&'static Clause>, fault: Option<String>) -> Selection {
        Selection {
            clauses,
            fault,
            part: None,
        }
    }

    /// The part of this selection.
    pub fn part(self, partition: Partition) -> Selection {
        let cases = self.cases().into_iter().enumerate();
        let in_part = cases.filter(|(place, case)| partition.has(*place, case.name));
        let part = Some(in_part.map(|(_, case)| case.name).collect());
        Selection { part, ..self }
    }

    /// The selected cases of a clause.
    pub fn cases_of(&self, clause: &Clause) -> impl Iterator<Item = &'static Case> {
        let cases = clause.cases.iter().copied();
        let has_fault = |case: &&Case| self.fault.is_none() || case.fault == self.fault.as_deref();
        let in_part = |case: &&Case| self.part.as_ref().is_none_or(|it| it.contains(case.name));
        cases.filter(has_fault).filter(in_part)
    }

    /// All selected cases, each once.
    pub fn cases(&self) -> Vec<&'static Case> {
        clauses::distinct(self.clauses.iter().flat_map(|clause| self.cases_of(clause)))
    }
}

/// The clauses that match an `only` pattern (all clauses, without patterns), and
/// no `skip` pattern.
///
/// # Errors
/// If a pattern is invalid or matches no clause, or if no clause remains.
pub fn select(only: &[String], skip: &[String]) -> Result<Vec<&'static Clause>, InputError> {
    let only = patterns(only)?;
    let skip = patterns(skip)?;
    let is_in = |patterns: &[Pattern], clause| patterns.iter().any(|it| it.is_match(clause));
    let selected: Vec<_> = clauses::all()
        .filter(|clause| only.is_empty() || is_in(&only, clause))
        .filter(|clause| !is_in(&skip, clause))
        .collect();
    if selected.is_empty() {
        let problem = "--only and --skip together leave no clause";
        return Err(InputError::new(problem, "remove one of them"));
    }
    Ok(selected)
}

/// The clauses with this name: an id, a family (`heapmin`), or a routine (`_heapmin`).
///
/// # Errors
/// If no clause has it; the message suggests the nearest id.
pub fn named(name: &str) -> Result<Vec<&'static Clause>, InputError> {
    let found: Vec<_> = (clauses::all())
        .filter(|it| it.id == present(name) || is_of_family(it, name))
        .collect();
    match found.is_empty() {
        false => Ok(found),
        true => Err(unknown(
            name,
            "clause, family or routine is called",
            names(),
        )),
    }
}

/// The clause with this id.
///
/// # Errors
/// If no clause has it; the message suggests the nearest id.
pub fn clause(id: &str) -> Result<&'static Clause, InputError> {
    let found = clauses::all().find(|clause| clause.id == present(id));
    found.ok_or_else(|| {
        let of_family: Vec<_> = clauses::all().filter(|it| is_of_family(it, id)).collect();
        match of_family.first() {
            Some(first) => InputError::new(
                format!("{id} is the name of {} clauses", of_family.len()),
                format!("name one of them, such as {}", first.id),
            ),
            None => unknown(id, "clause is called", clauses::all().map(|it| it.id)),
        }
    })
}

/// The ids of all clauses, and the names of their families and routines.
fn names() -> impl Iterator<Item = &'static str> {
    clauses::all().flat_map(|it| [it.id, family(it), it.routine])
}

/// Whether the clause is of this family (`heapmin`) or routine (`_heapmin`).
fn is_of_family(clause: &Clause, name: &str) -> bool {
    family(clause) == name || clause.routine == name
}

fn family(clause: &Clause) -> &'static str {
    clause.id.split('.').next().unwrap_or_default()
}

/// What `--only` or `--skip` selects.
enum Pattern {
    /// The clauses of a family or routine.
    Family(String),
    /// The clauses whose id matches.
    Glob(GlobMatcher),
}

impl Pattern {
    fn is_match(&self, clause: &Clause) -> bool {
        match self {
            Pattern::Family(name) => is_of_family(clause, name),
            Pattern::Glob(glob) => glob.is_match(clause.id),
        }
    }
}

fn patterns(texts: &[String]) -> Result<Vec<Pattern>, InputError> {
    texts.iter().map(|text| pattern(text)).collect()
}

/// The greatest length of a pattern, in bytes.
const LONGEST: usize = 1000;
/// The most braces in a pattern. globset recurses into nested braces without a
/// limit, and panics at a depth of some hundred.
const MOST_BRACES: usize = 16;

fn pattern(text: &str) -> Result<Pattern, InputError> {
    if clauses::all().any(|clause| is_of_family(clause, text)) {
        return Ok(Pattern::Family(text.to_owned()));
    }
    let too_complex = |what: String| {
        let begin: String = text.chars().take(40).collect();
        InputError::new(
            format!("the pattern {begin}... is invalid: {what}"),
            "split it into several patterns",
        )
    };
    if text.len() > LONGEST {
        return Err(too_complex(format!("it has more than {LONGEST} bytes")));
    }
    if text.matches('{').count() > MOST_BRACES {
        return Err(too_complex(format!(
            "it has more than {MOST_BRACES} braces"
        )));
    }
    let text = present(text);
    let glob = Glob::new(text).map_err(|error| {
        InputError::new(
            format!("the pattern {text} is invalid: {}", error.kind()),
            "`heapmin list` shows the clauses",
        )
    })?;
    let matcher = glob.compile_matcher();
    if clauses::all().any(|clause| matcher.is_match(clause.id)) {
        Ok(Pattern::Glob(matcher))
    } else {
        Err(unknown(text, "clause matches", names()))
    }
}

fn unknown(text: &str, what: &str, names: impl Iterator<Item = &'static str>) -> InputError {
    let family = |text: &str| nearest(text, clauses::all().map(family));
    let near = match text.split_once('.') {
        Some((start, "*")) => family(start).map(|near| format!("{near}.*")),
        Some(_) => nearest(text, names).map(str::to_owned),
        // The rest of an id, or the name of a family.
        None => (clauses::all().map(|it| it.id))
            .find(|id| id.ends_with(&format!(".{text}")))
            .or_else(|| nearest(text, names))
            .map(str::to_owned),
    };
    let mend = match near {
        Some(near) => format!("did you mean {near}?"),
        None => "`heapmin list` shows all clauses".into(),
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
    #[case(&["heapmin.*"], &[], 23)]
    #[case::family(&["heapmin"], &[], 23)]
    #[case::routine(&["_heapmin"], &[], 23)]
    #[case(&[], &["heapmin.*"], clauses::all().count() - 23)]
    #[case(&["heapmin.releases-memory"], &[], 1)]
    #[case(&["heapmin.releases-*"], &[], 2)]
    #[case(&["heapmin.releases-*"], &["*-partial"], 1)]
    fn only_and_skip_patterns_select_clauses(
        #[case] only: &[&str],
        #[case] skip: &[&str],
        #[case] count: usize,
    ) {
        assert_eq!(select(&strings(only), &strings(skip)).unwrap().len(), count);
    }

    #[rstest]
    #[case("heapmin.releses-memory", "did you mean heapmin.releases-memory?")]
    #[case::family("hepmin", "did you mean heapmin?")]
    #[case::routine("_heapmim", "did you mean _heapmin?")]
    #[case::of_a_family("heapmn.*", "did you mean heapmin.*?")]
    #[case::without_family("releases-memory", "did you mean heapmin.releases-memory?")]
    #[case::letter_case("Heapmin.Idempotent", "did you mean heapmin.idempotent?")]
    #[case("[", "`heapmin list` shows the clauses")]
    #[case("zzz", "`heapmin list` shows all clauses")]
    fn an_invalid_pattern_is_refused_and_the_message_says_how_to_fix_it(
        #[case] only: &str,
        #[case] mend: &str,
    ) {
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
    fn a_pattern_that_is_too_long_or_too_nested_is_refused_with_a_short_message(
        #[case] only: String,
    ) {
        let error = select(&[only], &[]).unwrap_err();
        assert!(error.problem.len() < 1000, "{}", error.problem.len());
    }

    #[test]
    fn a_selection_without_clauses_is_refused() {
        assert!(select(&[], &strings(&["*"])).is_err());
    }

    #[test]
    fn a_pattern_may_reach_the_limits_and_not_exceed_them() {
        let braces = |count| format!("{}*{}", "{".repeat(count), "}".repeat(count));
        assert!(select(&[braces(MOST_BRACES)], &[]).is_ok());
        assert!(select(&[braces(MOST_BRACES + 1)], &[]).is_err());
        let long = |length: usize| format!("*{}", "?".repeat(length - 1));
        let problem = |length| select(&[long(length)], &[]).unwrap_err().problem;
        assert!(problem(LONGEST).starts_with("no clause matches"));
        assert!(problem(LONGEST + 1).contains("more than 1000 bytes"));
    }

    #[test]
    fn a_clause_is_found_by_its_whole_id() {
        assert_eq!(
            clause("heapmin.idempotent").unwrap().id,
            "heapmin.idempotent"
        );
        let error = clause("heapmin.idempotant").unwrap_err();
        assert_eq!(error.mend, "did you mean heapmin.idempotent?");
        let error = clause("heapmin").unwrap_err();
        assert_eq!(error.mend, "name one of them, such as heapmin.exported");
    }

    #[test]
    fn a_fault_selects_its_cases_and_each_occurs_once() {
        let selection = |fault: Option<&str>| {
            Selection::new(select(&[], &[]).unwrap(), fault.map(str::to_owned))
        };
        let all = selection(None).cases();
        assert_eq!(all.len(), clauses::cases().len());
        let faulty = selection(Some("unsupported")).cases();
        assert!(!faulty.is_empty() && faulty.len() < all.len());
        assert!(faulty.iter().all(|case| case.fault == Some("unsupported")));
    }
}
