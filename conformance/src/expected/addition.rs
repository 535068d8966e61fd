//! New entries: deviations and judged clauses that the file does not list yet.

use super::File;
use super::known::Known;
use super::place::Place;
use super::status::{applies_to, candidate_label, clause_verdict};
use super::versions::{Bound, Versions};
use crate::clause::Verdict;
use crate::clauses;
use crate::run::Checked;
use heapmin_harness::parent::candidate::Candidate;

/// The reason in a new entry, until the user writes one.
pub(super) const NO_REASON: &str = "not investigated yet";

/// A deviation that is not listed, with all cases in which it occurs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Addition {
    /// The clause.
    pub clause: &'static str,
    /// The cases, each with its observation.
    pub cases: Vec<(&'static str, String)>,
    /// Whether these are all the cases of the clause.
    pub in_all_cases: bool,
    /// The verdict of these cases.
    pub verdict: Verdict,
    /// The candidate, if the entry must name it.
    pub candidate: Option<String>,
    /// Whether the library changes bytes of live blocks.
    pub loses_data: bool,
    /// The versions that no entry of the file about the same deviation has.
    pub versions: Versions,
}

impl Addition {
    /// The cases that the entry names; empty if it applies to every case.
    pub(super) fn named_cases(&self) -> Vec<&'static str> {
        match self.in_all_cases {
            true => Vec::new(),
            false => self.cases.iter().map(|(case, _)| *case).collect(),
        }
    }

    /// The entry as it is read from the file: one for each case that it names. `added` is the
    /// day.
    pub(super) fn entries(&self, added: &str) -> Vec<Known> {
        let named = self.named_cases();
        let cases = match named.is_empty() {
            true => vec![None],
            false => named.into_iter().map(Some).collect(),
        };
        let entry = |case: Option<&str>| Known {
            clause: self.clause.to_owned(),
            case: case.map(str::to_owned),
            maker: None,
            arch: None,
            candidate: self.candidate.clone(),
            verdicts: vec![self.verdict.name().to_owned()],
            versions: self.versions.clone(),
            bug: None,
            added: Some(added.to_owned()),
            why: NO_REASON.to_owned(),
            until_line: None,
            place: Place::default(),
        };
        cases.into_iter().map(entry).collect()
    }

    /// The lines of the entry in a file, with the day if one is given.
    pub(super) fn lines(&self, added: Option<&str>) -> Vec<String> {
        let mut lines = vec!["[[known]]".to_owned()];
        lines.push(format!("clause = {}", quoted(self.clause)));
        match self.named_cases().as_slice() {
            [] => {}
            [case] => lines.push(format!("case = {}", quoted(case))),
            cases => {
                lines.push("case = [".into());
                lines.extend(cases.iter().map(|case| format!("    {},", quoted(case))));
                lines.push("]".into());
            }
        }
        if let Some(candidate) = &self.candidate {
            lines.push(format!("candidate = {}", quoted(candidate)));
        }
        if self.verdict != Verdict::Fail {
            lines.push(format!("verdict = {}", quoted(self.verdict.name())));
        }
        let Versions { since, until } = &self.versions;
        for (key, bound) in [("since", since), ("until", until)] {
            if *bound != Bound::default() {
                lines.push(format!("{key} = {bound}"));
            }
        }
        match self.cases.as_slice() {
            [(_, observed)] => lines.push(format!("# observed: {}", in_a_comment(observed))),
            cases => lines.extend(cases.iter().map(|(case, observed)| {
                format!("# observed with {case}: {}", in_a_comment(observed))
            })),
        }
        lines.extend(added.map(|day| format!("added = {day}")));
        lines.push(format!("why = {}", quoted(NO_REASON)));
        lines
    }
}

/// The deviations that are not listed, in the order of the report. Results that are
/// `error` are left out: no entry can allow them.
pub(super) fn additions(file: &File, checked: &[Checked]) -> Vec<Addition> {
    let is_named = file.names_candidates(checked);
    let mut additions: Vec<Addition> = Vec::new();
    for one in checked {
        let candidate = is_named.then(|| candidate_label(checked, &one.candidate));
        let unlisted = one.outcomes.iter().filter(|it| it.is_unexpected());
        for outcome in unlisted.filter(|it| it.judgement.verdict != Verdict::Error) {
            let verdict = outcome.judgement.verdict;
            let case = (outcome.case.name, outcome.judgement.observed.clone());
            let same = |known: &Addition| {
                (known.clause, known.verdict) == (outcome.clause.id, verdict)
                    && known.candidate == candidate
            };
            let index = additions.iter().position(same).unwrap_or_else(|| {
                additions.push(Addition {
                    clause: outcome.clause.id,
                    cases: Vec::new(),
                    in_all_cases: false,
                    verdict,
                    candidate: candidate.clone(),
                    loses_data: false,
                    versions: Versions::default(),
                });
                additions.len() - 1
            });
            let addition = &mut additions[index];
            addition.loses_data |= outcome.judgement.loses_data;
            if !addition.cases.iter().any(|(name, _)| *name == case.0) {
                addition.cases.push(case);
            }
            addition.in_all_cases = addition.cases.len() == outcome.clause.cases.len();
            addition.versions =
                Versions::beside(&one.candidate, same_in(file, addition, &one.candidate));
        }
    }
    additions
}

/// The versions of the file's entries about the same deviation of this candidate.
fn same_in<'a>(
    file: &'a File,
    addition: &Addition,
    candidate: &Candidate,
) -> impl Iterator<Item = &'a Versions> {
    let new = addition.entries("");
    let (verdict, maker) = (addition.verdict, candidate.image.maker);
    let same = move |entry: &&Known| {
        let is_same = |new: &Known| {
            (&new.clause, &new.case, &new.candidate)
                == (&entry.clause, &entry.case, &entry.candidate)
        };
        new.iter().any(is_same)
            && entry.maker.is_none_or(|known| known == maker)
            && entry
                .arch
                .is_none_or(|known| known.name() == candidate.image.arch)
            && entry.expects(verdict)
    };
    file.known()
        .iter()
        .filter(same)
        .map(|entry| &entry.versions)
}

/// Clauses that are judged and not listed yet, by the candidate that the entry
/// names. Without a name, the clauses are for every candidate.
pub(super) type NewJudged = Vec<(Option<String>, Vec<&'static str>)>;

/// The judged clauses that the file does not list yet. `lost` marks the entries
/// that the update removes.
pub(super) fn new_judged(file: &File, checked: &[Checked], lost: &[bool]) -> NewJudged {
    let mut new: NewJudged = Vec::new();
    for one in checked {
        let name = file
            .names_candidates(checked)
            .then(|| candidate_label(checked, &one.candidate));
        let is_new = |id: &&str| {
            let verdict = clause_verdict(one, id).map(|(verdict, _)| verdict);
            let is_judged = verdict.is_some_and(Verdict::is_judged);
            let entries = file.expected.judged.iter().zip(lost);
            let mut listed = entries.filter(|(entry, is_lost)| {
                !**is_lost
                    && entry.clause == *id
                    && applies_to(entry.candidate.as_deref(), &one.candidate)
            });
            is_judged && listed.next().is_none()
        };
        let ids: Vec<_> = clauses::all()
            .map(|clause| clause.id)
            .filter(is_new)
            .collect();
        let has_list = new.iter().any(|(other, _)| *other == name);
        if !ids.is_empty() && !has_list {
            new.push((name, ids));
        }
    }
    new
}

/// The text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            _ if letter.is_control() => quoted += &format!("\\u{:04X}", u32::from(letter)),
            _ => quoted.push(letter),
        }
    }
    quoted + "\""
}

/// The text on one line, as a comment needs it.
fn in_a_comment(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::known::Expected;
    use rstest::rstest;

    #[rstest]
    #[case::plain("heapmin.exported", r#""heapmin.exported""#)]
    #[case::quotes_and_backslashes(r#"C:\"my" dll"#, r#""C:\\\"my\" dll""#)]
    #[case::control("a\nb\u{1b}[2J", r#""a\u000Ab\u001B[2J""#)]
    #[case::other_letters("größe", r#""größe""#)]
    fn a_quoted_string_is_parsed_to_the_same_text(#[case] text: &str, #[case] toml: &str) {
        assert_eq!(quoted(text), toml);
        let entry = format!("[[known]]\nclause = 'heapmin.exported'\nwhy = {toml}\n");
        let read = Expected::parse("expected.toml", &entry).unwrap();
        assert_eq!(read.known[0].why, text);
    }

    #[test]
    fn a_comment_has_no_line_breaks() {
        assert_eq!(in_a_comment("errno\r\nwas 0"), "errno  was 0");
    }
}
