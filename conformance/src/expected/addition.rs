//! Entries for deviations that are not listed yet.

use super::File;
use super::standing::{concerns, label, of_clause};
use crate::clause::Verdict;
use crate::clauses;
use crate::run::Checked;

/// What an entry says for a reason until somebody has one.
pub(super) const NO_REASON: &str = "not looked into yet";

/// A deviation that is not listed, in all cases in which it came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Addition {
    /// The clause.
    pub clause: &'static str,
    /// The cases, each with what was seen.
    pub cases: Vec<(&'static str, String)>,
    /// Whether these are all the cases of the clause.
    pub in_all_cases: bool,
    /// What came.
    pub verdict: Verdict,
    /// The candidate, if the entry must name it.
    pub candidate: Option<String>,
}

impl Addition {
    /// The cases that the entry names; none if it speaks of any case.
    pub(super) fn named_cases(&self) -> Vec<&'static str> {
        match self.in_all_cases {
            true => Vec::new(),
            false => self.cases.iter().map(|(case, _)| *case).collect(),
        }
    }

    /// The entry as a file has it, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
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
        match self.cases.as_slice() {
            [(_, observed)] => lines.push(format!("# observed: {}", in_a_comment(observed))),
            cases => lines.extend(cases.iter().map(|(case, observed)| {
                format!("# observed with {case}: {}", in_a_comment(observed))
            })),
        }
        lines.push(format!("why = {}", quoted(NO_REASON)));
        lines
    }
}

/// The deviations that are not listed, in the order of the report, but for
/// those in which the candidate could not be observed: nobody expects that.
pub(super) fn additions(checked: &[Checked], named: bool) -> Vec<Addition> {
    let mut additions: Vec<Addition> = Vec::new();
    for one in checked {
        let candidate = named.then(|| label(checked, &one.candidate));
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
                });
                additions.len() - 1
            });
            let addition = &mut additions[index];
            if !addition.cases.iter().any(|(name, _)| *name == case.0) {
                addition.cases.push(case);
            }
            addition.in_all_cases = addition.cases.len() == outcome.clause.cases.len();
        }
    }
    additions
}

/// Clauses that are judged and not listed yet, for each candidate whose name
/// must be given, or for all.
pub(super) type NewJudged = Vec<(Option<String>, Vec<&'static str>)>;

/// What the file does not list yet; `lost` are the entries that go.
pub(super) fn new_judged(file: &File, checked: &[Checked], lost: &[bool]) -> NewJudged {
    let mut new: NewJudged = Vec::new();
    for one in checked {
        let name = file
            .is_named(checked)
            .then(|| label(checked, &one.candidate));
        let is_new = |id: &&str| {
            let verdict = of_clause(one, id).map(|(verdict, _)| verdict);
            let is_judged =
                verdict.is_some_and(|it| !matches!(it, Verdict::Unsupported | Verdict::Error));
            let entries = file.expected.judged.iter().zip(lost);
            let mut listed = entries.filter(|(entry, is_lost)| {
                !**is_lost
                    && entry.clause == *id
                    && concerns(entry.candidate.as_deref(), &one.candidate)
            });
            is_judged && listed.next().is_none()
        };
        let ids: Vec<_> = clauses::all()
            .map(|clause| clause.id)
            .filter(is_new)
            .collect();
        let is_known = new.iter().any(|(known, _)| *known == name);
        if !ids.is_empty() && !is_known {
            new.push((name, ids));
        }
    }
    new
}

/// A TOML string.
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

/// Text as a comment takes it: on one line.
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
    fn a_string_is_read_again_as_it_was(#[case] text: &str, #[case] wanted: &str) {
        assert_eq!(quoted(text), wanted);
        let entry = format!("[[known]]\nclause = 'heapmin.exported'\nwhy = {wanted}\n");
        let read = Expected::parse("expected.toml", &entry).unwrap();
        assert_eq!(read.known[0].why, text);
    }

    #[test]
    fn a_comment_stays_on_its_line() {
        assert_eq!(in_a_comment("errno\r\nwas 0"), "errno  was 0");
    }
}
